/* Which functions to compile together.
 *
 * An emission costs hundreds of microseconds before its first instruction, so a unit should hold
 * several functions; but each that is never called is wasted. A function's callees are the best
 * guess at what runs next: those that only this module can call first (one caller in many cases),
 * then the others, breadth first, in the order of the text. What is unlikely to be called
 * (ir_chances.h) waits until it is, and so do cold and non-returning functions.
 */
#include "ir_chances.h"
#include "ir_tables.h"
#include "ir_unit.h"

#include <stdlib.h>

typedef struct seeding {
    const lj_ir_index *index;
    const uint8_t *states;
    uint32_t *seen; /* open addressing: id + 1 */
    uint32_t mask;
    int32_t *functions, *data;
    uint32_t function_count, data_count, room;
    uint32_t max_functions, bytes, size_budget;
    uint8_t *chances; /* of the references of one function */
    uint32_t chance_room;
} seeding;

/* The least chance of a call, in 1/255, with which its callee comes along. */
enum { LIKELY = 48 };

/* Notes an id as taken; false when it was. Full sets take no more: a unit is then large enough. */
static bool take(seeding *s, int32_t id) {
    uint32_t i = (uint32_t)id * 0x9e3779b1u & s->mask;
    while (s->seen[i]) {
        if (s->seen[i] == (uint32_t)id + 1)
            return false;
        i = (i + 1) & s->mask;
    }
    if (s->function_count + s->data_count >= s->room)
        return false;
    s->seen[i] = (uint32_t)id + 1;
    return true;
}

static void add_one(seeding *s, int32_t id) {
    const lj_ir_entity *e = &s->index->entities[id];
    if (e->kind == LJ_IR_IFUNC || (e->kind == LJ_IR_ALIAS && e->flags & LJ_IR_CALLABLE) ||
        !take(s, id))
        return;
    if (e->kind == LJ_IR_FUNCTION) {
        s->functions[s->function_count++] = id;
        s->bytes = e->length > UINT32_MAX - s->bytes ? UINT32_MAX : s->bytes + e->length;
    } else {
        s->data[s->data_count++] = id;
    }
}

/* Adds an id and all that must be defined with it. */
static void add(seeding *s, int32_t id) {
    const lj_ir_index *ix = s->index;
    int32_t group = ix->entities[id].group;
    add_one(s, id);
    if (group >= 0)
        for (uint32_t i = ix->group_starts[group]; i < ix->group_starts[group + 1]; i++)
            add_one(s, ix->group_members[i]);
}

/* Whether nobody defines it yet; a group is claimed as a whole. */
static bool is_free(const seeding *s, int32_t id) {
    int32_t group = s->index->entities[id].group;
    return s->states[id] != LJ_IR_TAKEN &&
           (group < 0 ||
            s->states[s->index->group_members[s->index->group_starts[group]]] != LJ_IR_TAKEN);
}

static bool wanted(const seeding *s, int32_t id, bool local) {
    const uint32_t barred = LJ_IR_COLD | LJ_IR_OVERRIDABLE;
    const lj_ir_entity *e = &s->index->entities[id];
    return e->kind == LJ_IR_FUNCTION && lj_ir_in_unit(e) && !(e->flags & barred) &&
           local == ((e->flags & LJ_IR_LOCAL) != 0) && is_free(s, id) &&
           s->function_count < s->max_functions && s->bytes < s->size_budget &&
           e->length <= s->size_budget - s->bytes;
}

static void add_callees(seeding *s, int32_t id) {
    const lj_ir_index *ix = s->index;
    const lj_ir_entity *e = &ix->entities[id];
    if (s->function_count >= s->max_functions || e->kind != LJ_IR_FUNCTION || !e->ref_count)
        return;
    if (e->ref_count > s->chance_room) {
        uint8_t *chances = realloc(s->chances, e->ref_count);
        if (!chances)
            return;
        s->chances = chances;
        s->chance_room = e->ref_count;
    }
    lj_ir_estimate(ix, id, s->chances);
    for (int local = 1; local >= 0; local--)
        for (uint32_t i = e->refs; i < e->refs + e->ref_count; i++) {
            int32_t target = ix->refs[i];
            if (!(ix->ref_flags[i] & LJ_IR_REF_CALL) || s->chances[i - e->refs] < LIKELY)
                continue;
            if (ix->entities[target].kind == LJ_IR_ALIAS && ix->entities[target].aliasee >= 0)
                target = ix->entities[target].aliasee;
            if (wanted(s, target, local))
                add(s, target);
        }
}

/* What was asked for on its own account has no caller to be likely for, but shares an emission's
 * costs all the same. Units stay small then: other threads want some, too. */
enum { SMALL_FUNCTIONS = 16, SMALL_BYTES = 64 << 10 };

static void add_wanted(seeding *s, int32_t id) {
    if (s->max_functions > SMALL_FUNCTIONS)
        s->max_functions = SMALL_FUNCTIONS;
    if (s->size_budget > SMALL_BYTES)
        s->size_budget = SMALL_BYTES;
    const uint8_t *end = s->states + s->index->entity_count, *next = s->states + id;
    while (s->function_count < s->max_functions && s->bytes < s->size_budget &&
           (next = memchr(next, LJ_IR_WANTED, (size_t)(end - next)))) {
        int32_t found = (int32_t)(next++ - s->states);
        const lj_ir_entity *e = &s->index->entities[found];
        if (e->kind == LJ_IR_FUNCTION && lj_ir_in_unit(e) && is_free(s, found) &&
            e->length <= s->size_budget - s->bytes)
            add(s, found);
    }
}

/* Data that an entity refers to and that nobody defines yet. */
static void add_data(seeding *s, int32_t id) {
    const lj_ir_index *ix = s->index;
    const lj_ir_entity *e = &ix->entities[id];
    for (uint32_t i = e->refs; i < e->refs + e->ref_count; i++) {
        const lj_ir_entity *target = &ix->entities[ix->refs[i]];
        bool data = target->kind == LJ_IR_VARIABLE ||
                    (target->kind == LJ_IR_ALIAS && !(target->flags & LJ_IR_CALLABLE));
        if (data && lj_ir_in_unit(target) && !(target->flags & LJ_IR_COPYABLE) &&
            is_free(s, ix->refs[i]))
            add(s, ix->refs[i]);
    }
}

uint32_t lj_ir_seed(const lj_ir_index *index, int32_t id, uint8_t *states,
                    const lj_ir_seed_options *options, int32_t *ids, uint32_t room) {
    if (id < 0 || (uint32_t)id >= index->entity_count || !lj_ir_in_unit(&index->entities[id]) ||
        !room)
        return 0;
    seeding s = {.index = index,
                 .states = states,
                 .mask = 64,
                 .room = room,
                 .max_functions = options->max_functions,
                 .size_budget = options->size_budget};
    while (s.mask < room && s.mask < 1u << 30)
        s.mask *= 2;
    s.mask = s.mask * 2 - 1;
    s.seen = calloc((size_t)s.mask + 1, sizeof *s.seen);
    s.data = malloc(room * sizeof *s.data);
    s.functions = ids;
    if (s.seen && s.data) {
        add(&s, id);
        for (uint32_t i = 0; i < s.function_count; i++)
            add_callees(&s, s.functions[i]);
        add_wanted(&s, id);
        for (uint32_t i = 0; i < s.function_count; i++)
            add_data(&s, s.functions[i]);
        for (uint32_t i = 0; i < s.data_count && s.data_count < 64; i++)
            add_data(&s, s.data[i]);
        memcpy(ids + s.function_count, s.data, s.data_count * sizeof *ids);
        for (uint32_t i = s.function_count + s.data_count; i-- > 1;)
            if (ids[i] == id) { /* data, behind functions that it must be defined with */
                memmove(ids + 1, ids, i * sizeof *ids);
                ids[0] = id;
            }
    }
    free(s.seen);
    free(s.data);
    free(s.chances);
    uint32_t count = s.function_count + s.data_count;
    for (uint32_t i = 0; i < count && options->take; i++)
        __atomic_store_n(&states[ids[i]], LJ_IR_TAKEN, __ATOMIC_RELAXED);
    return count;
}

static bool among(const int32_t *ids, uint32_t count, int32_t id) {
    for (uint32_t i = 0; i < count; i++)
        if (ids[i] == id)
            return true;
    return false;
}

/* What must be defined with an id, itself among it, and room for data. */
static uint32_t least_room(const lj_ir_index *ix, int32_t id) {
    int32_t group = id >= 0 && (uint32_t)id < ix->entity_count ? ix->entities[id].group : -1;
    return 64 + (group < 0 ? 0 : ix->group_starts[group + 1] - ix->group_starts[group]);
}

uint32_t lj_ir_seed_room(const lj_ir_index *index, uint32_t count, const int32_t *around,
                         const lj_ir_seed_options *options) {
    uint32_t room = 16 * options->max_functions;
    for (uint32_t i = 0; i < count; i++)
        room += least_room(index, around[i]);
    return room;
}

void lj_ir_seed_many(const lj_ir_index *index, uint32_t count, const int32_t *around,
                     uint8_t *states, const lj_ir_seed_options *options, int32_t *ids,
                     uint32_t *sizes) {
    lj_ir_seed_options left = *options;
    left.take = true;
    uint32_t chosen = 0, spare = 16 * options->max_functions;
    for (uint32_t i = 0; i < count; i++) {
        sizes[i] = 0;
        if (among(ids, chosen, around[i]))
            continue;
        uint32_t least = least_room(index, around[i]), more = 16 * left.max_functions;
        uint32_t room = least + (more < spare ? more : spare);
        sizes[i] = lj_ir_seed(index, around[i], states, &left, ids + chosen, room);
        if (sizes[i] > least)
            spare -= sizes[i] - least;
        for (uint32_t end = chosen + sizes[i]; chosen < end; chosen++) {
            const lj_ir_entity *e = &index->entities[ids[chosen]];
            if (e->kind != LJ_IR_FUNCTION)
                continue;
            left.max_functions -= left.max_functions > 0;
            left.size_budget -= e->length < left.size_budget ? e->length : left.size_budget;
        }
    }
}

uint32_t lj_ir_suggest(const lj_ir_index *ix, uint32_t count, const int32_t *ids,
                       const uint8_t *states, int32_t *out, uint32_t room) {
    uint32_t found = 0;
    for (uint32_t n = 0; n < count; n++) {
        const lj_ir_entity *e = &ix->entities[ids[n]];
        for (uint32_t i = e->refs; i < e->refs + e->ref_count && found < room; i++) {
            int32_t target = ix->refs[i];
            if (!(ix->ref_flags[i] & LJ_IR_REF_CALL) || states[target] ||
                ix->entities[target].kind != LJ_IR_FUNCTION ||
                !lj_ir_in_unit(&ix->entities[target]))
                continue;
            uint32_t known = 0; /* a few dozen at most */
            while (known < found && out[known] != target)
                known++;
            if (known == found)
                out[found++] = target;
        }
    }
    return found;
}
