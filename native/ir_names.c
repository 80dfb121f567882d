/* Names of an index: interning, lookup by IR name and by linker name. */
#include "ir_tables.h"

#include <stdlib.h>

bool lj_ir_grow(void **at, uint32_t *room, uint32_t count, size_t size) {
    if (count < *room)
        return true;
    uint64_t larger = *room ? (uint64_t)*room + *room / 2 + 16 : 64;
    if (larger > UINT32_MAX)
        return false;
    void *moved = realloc(*at, larger * size);
    if (!moved)
        return false;
    *at = moved;
    *room = (uint32_t)larger;
    return true;
}

uint32_t lj_ir_hash(const char *bytes, size_t length) {
    const uint64_t k = 0x9e3779b97f4a7c15u;
    uint64_t h = (length + 1) * k, word;
    while (length >= 8) {
        memcpy(&word, bytes, 8);
        h = (h ^ word) * k;
        h ^= h >> 29;
        bytes += 8;
        length -= 8;
    }
    word = 0;
    for (size_t i = 0; i < length; i++)
        word |= (uint64_t)(uint8_t)bytes[i] << (8 * i);
    h = (h ^ word) * k;
    return (uint32_t)(h >> 32);
}

lj_ir_key lj_ir_key_of_bytes(const char *bytes, uint32_t length) {
    lj_ir_key key = {.bytes = bytes, .length = length};
    /* "\01name" and "name" share a hash: they are one linker name. */
    uint32_t skip = length && bytes[0] == '\1';
    key.hash = lj_ir_hash(bytes + skip, length - skip);
    return key;
}

lj_ir_key lj_ir_key_of(const lj_ir_token *token, char *scratch) {
    if (token->numbered) {
        uint64_t h = (token->number + 1) * (uint64_t)0x9e3779b97f4a7c15u;
        return (lj_ir_key){.number = token->number, .numbered = true, .hash = (uint32_t)(h >> 32)};
    }
    if (!token->escaped)
        return lj_ir_key_of_bytes(token->name, token->name_length);
    return lj_ir_key_of_bytes(scratch, lj_ir_unescape(token->name, token->name_length, scratch));
}

const char *lj_ir_name_bytes(const lj_ir_index *index, const void *record) {
    const lj_ir_named *named = record;
    return (named->flags & LJ_IR_ASIDE ? index->aside : index->text) + named->name;
}

int32_t lj_ir_names_find(const lj_ir_index *index, const lj_ir_names *names, const void *records,
                         size_t size, const lj_ir_key *key) {
    if (!names->count)
        return -1;
    for (uint32_t i = key->hash & names->mask;; i = (i + 1) & names->mask) {
        uint64_t slot = names->slots[i];
        if (!slot)
            return -1;
        if ((uint32_t)(slot >> 32) != key->hash)
            continue;
        uint32_t id = (uint32_t)slot - 1;
        const lj_ir_named *record = (const void *)((const char *)records + id * size);
        if (key->numbered != ((record->flags & LJ_IR_NUMBERED) != 0))
            continue;
        if (key->numbered ? record->name == key->number
                          : record->name_length == key->length &&
                                !memcmp(lj_ir_name_bytes(index, record), key->bytes, key->length))
            return (int32_t)id;
    }
}

static void insert(lj_ir_names *names, uint64_t slot) {
    uint32_t i = (uint32_t)(slot >> 32) & names->mask;
    while (names->slots[i])
        i = (i + 1) & names->mask;
    names->slots[i] = slot;
}

bool lj_ir_names_add(lj_ir_names *names, uint32_t hash, uint32_t id) {
    if (!names->slots || names->count >= names->mask / 3 * 2) {
        uint32_t old_room = names->slots ? names->mask + 1 : 0;
        uint32_t room = old_room ? old_room * 2 : 64;
        uint64_t *old = names->slots, *slots = room ? calloc(room, sizeof *slots) : NULL;
        if (!slots)
            return false;
        names->slots = slots;
        names->mask = room - 1;
        for (uint32_t i = 0; i < old_room; i++)
            if (old[i])
                insert(names, old[i]);
        free(old);
    }
    insert(names, (uint64_t)hash << 32 | (id + 1));
    names->count++;
    return true;
}

int32_t lj_ir_find_entity(const lj_ir_index *index, const lj_ir_key *key) {
    return lj_ir_names_find(index, &index->names, index->entities, sizeof *index->entities, key);
}

int32_t lj_ir_find_named(const lj_ir_index *index, const lj_ir_nameds *table,
                         const lj_ir_key *key) {
    return lj_ir_names_find(index, &table->names, table->at, sizeof *table->at, key);
}

const lj_ir_numbered *lj_ir_find_numbered(const lj_ir_numbereds *table, uint32_t number) {
    /* Printed modules number from 0 without gaps, so that the number is the place. */
    if (number < table->count && table->at[number].number == number &&
        (!number || table->at[number - 1].number != number))
        return &table->at[number];
    uint32_t low = 0, high = table->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (table->at[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->count && table->at[low].number == number ? &table->at[low] : NULL;
}

int32_t lj_ir_index_find_ir(const lj_ir_index *index, const char *name, uint32_t length,
                            int numbered) {
    lj_ir_token token = {.name = name, .name_length = length, .numbered = numbered};
    if (numbered) {
        if (!length || !lj_is(name[0], LJ_C_DIGIT) ||
            !lj_ir_read_name(name, name + length, &token) || token.name_length != length)
            return -1;
    }
    lj_ir_key key = lj_ir_key_of(&token, NULL);
    return lj_ir_find_entity(index, &key);
}

/* --- linker names ------------------------------------------------------------------------- */

/* The entity whose linker name this is: with or without \01, local or not as asked. */
static int32_t find_linker_name(const lj_ir_index *index, const char *name, uint32_t length,
                                bool local) {
    static const char unnamed[] = "__unnamed_";
    const uint32_t prefix = sizeof unnamed - 1;
    lj_ir_key key = lj_ir_key_of_bytes(name, length);
    if (index->names.count && length)
        for (uint32_t i = key.hash & index->names.mask;; i = (i + 1) & index->names.mask) {
            uint64_t slot = index->names.slots[i];
            if (!slot)
                break;
            if ((uint32_t)(slot >> 32) != key.hash)
                continue;
            const lj_ir_entity *e = &index->entities[(uint32_t)slot - 1];
            if (e->flags & LJ_IR_NUMBERED || !lj_ir_in_unit(e) ||
                local != ((e->flags & LJ_IR_LOCAL) != 0))
                continue;
            const char *bytes = lj_ir_name_bytes(index, e);
            uint32_t skip = e->name_length && bytes[0] == '\1';
            if (e->name_length - skip == length && !memcmp(bytes + skip, name, length))
                return (int32_t)((uint32_t)slot - 1);
        }
    if (local && length > prefix && !memcmp(name, unnamed, prefix)) {
        int32_t id = lj_ir_index_find_ir(index, name + prefix, length - prefix, 1);
        if (id >= 0 && lj_ir_in_unit(&index->entities[id]))
            return id;
    }
    return -1;
}

/* Takes "$<ordinal>" off the end; 0 when the name doesn't end so. */
static uint32_t without_ordinal(const lj_ir_index *index, const char *name, uint32_t length) {
    uint32_t n = length;
    uint64_t number = 0, scale = 1;
    while (n && lj_is(name[n - 1], LJ_C_DIGIT) && length - n < 10) {
        number += scale * (uint64_t)(name[--n] - '0');
        scale *= 10;
    }
    if (n == length || n < 2 || name[n - 1] != '$' || number != index->ordinal ||
        (name[n] == '0' && length - n > 1))
        return 0;
    return n - 1;
}

static int32_t find_base(const lj_ir_index *index, const char *name, uint32_t length) {
    int32_t id = find_linker_name(index, name, length, false);
    if (id >= 0)
        return id;
    uint32_t base = without_ordinal(index, name, length);
    return base ? find_linker_name(index, name, base, true) : -1;
}

/* Of an entity's own symbol, or of its body's: that is nobody's but this dylib's, and loses to
 * another where the function does. */
static uint8_t traits_of(const lj_ir_entity *e, bool body) {
    enum { EXPORTED = 1, WEAK = 2, COMMON = 4, CALLABLE = 8 };
    bool local = e->flags & LJ_IR_LOCAL, code = e->flags & LJ_IR_CALLABLE;
    uint8_t traits = code ? CALLABLE : 0;
    if (e->linkage == LJ_IR_LINK_COMMON)
        traits |= body ? WEAK : COMMON;
    else if (e->flags & LJ_IR_WEAK && !local)
        traits |= WEAK;
    return !body && !local && e->visibility != LJ_IR_HIDDEN ? traits | EXPORTED : traits;
}

void lj_ir_index_find(const lj_ir_index *index, uint32_t count, const char *names, int32_t *ids,
                      uint8_t *what, uint8_t *traits) {
    static const char body[] = "$body";
    const uint32_t suffix = sizeof body - 1;
    const char *name = names;
    for (uint32_t i = 0, length; i < count; i++, name += length + 1) {
        length = (uint32_t)strlen(name);
        int32_t id = find_base(index, name, length);
        what[i] = LJ_IR_FOUND_NONE;
        if (id >= 0) {
            bool code = index->entities[id].flags & LJ_IR_CALLABLE;
            what[i] = code ? LJ_IR_FOUND_STUB : LJ_IR_FOUND_DATA;
        } else if (length > suffix && !memcmp(name + length - suffix, body, suffix)) {
            id = find_base(index, name, length - suffix);
            if (id >= 0 && index->entities[id].kind == LJ_IR_FUNCTION)
                what[i] = LJ_IR_FOUND_BODY;
        }
        ids[i] = what[i] == LJ_IR_FOUND_NONE ? -1 : id;
        if (traits)
            traits[i] =
                ids[i] < 0 ? 0 : traits_of(&index->entities[id], what[i] == LJ_IR_FOUND_BODY);
    }
}

static uint32_t put(char *out, uint32_t room, uint32_t at, const char *bytes, uint32_t length) {
    for (uint32_t i = 0; i < length && at + i < room; i++)
        out[at + i] = bytes[i];
    return at + length;
}

static uint32_t put_number(char *out, uint32_t room, uint32_t at, uint32_t number) {
    char digits[10];
    uint32_t n = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while (number /= 10);
    while (n)
        at = put(out, room, at, &digits[--n], 1);
    return at;
}

uint32_t lj_ir_index_symbol(const lj_ir_index *index, int32_t id, int body, char *out,
                            uint32_t room) {
    const lj_ir_entity *e = &index->entities[id];
    uint32_t n = 0;
    if (e->flags & LJ_IR_NUMBERED) {
        n = put_number(out, room, put(out, room, n, "__unnamed_", 10), e->name);
    } else {
        const char *bytes = lj_ir_name_bytes(index, e);
        uint32_t skip = e->name_length && bytes[0] == '\1';
        n = put(out, room, n, bytes + skip, e->name_length - skip);
    }
    if (e->flags & LJ_IR_LOCAL)
        n = put_number(out, room, put(out, room, n, "$", 1), index->ordinal);
    return body ? put(out, room, n, "$body", 5) : n;
}

uint64_t lj_ir_index_definitions(const lj_ir_index *index, uint32_t count, const int32_t *ids,
                                 char *names, uint64_t room, uint8_t *traits) {
    uint64_t needed = 0;
    for (uint32_t i = 0; i < count; i++) {
        const lj_ir_entity *e = &index->entities[ids[i]];
        bool body = e->kind == LJ_IR_FUNCTION;
        uint32_t left = needed < room ? (uint32_t)(room - needed) : 0;
        needed += lj_ir_index_symbol(index, ids[i], body, names + (left ? needed : 0), left);
        if (needed < room)
            names[needed] = '\0';
        needed++;
        traits[i] = traits_of(e, body);
    }
    return needed;
}

/* Appends to the `n` ids that there are; returns how many there are then. */
static uint32_t conflicts_with(const lj_ir_index *index, const lj_ir_index *other, int32_t *ids,
                               uint32_t room, uint32_t n) {
    const uint32_t not_strong = LJ_IR_LOCAL | LJ_IR_WEAK;
    bool swap = other->entity_count < index->entity_count;
    const lj_ir_index *few = swap ? other : index, *many = swap ? index : other;
    for (uint32_t i = 0; i < few->entity_count; i++) {
        const lj_ir_entity *e = &few->entities[i];
        if (!lj_ir_in_unit(e) || e->flags & not_strong)
            continue;
        const char *bytes = lj_ir_name_bytes(few, e);
        uint32_t skip = e->name_length && bytes[0] == '\1';
        int32_t id = find_linker_name(many, bytes + skip, e->name_length - skip, false);
        if (id < 0 || many->entities[id].flags & not_strong)
            continue;
        if (n < room)
            ids[n] = swap ? id : (int32_t)i;
        n++;
    }
    return n;
}

uint32_t lj_ir_index_conflicts(const lj_ir_index *index, uint32_t count, lj_ir_index *const *others,
                               int32_t *ids, uint32_t room) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++)
        n = conflicts_with(index, others[i], ids, room, n);
    return n;
}
