/* What a unit has and what it needs: one set, and a list of each kind in the order of need.
 *
 * The set is small and open-addressed, so that carving a unit costs nothing that grows with the
 * module; the lists are what ir_carve.c works off until nothing is missing.
 */
#include "ir_carver.h"

#include <stdlib.h>

/* --- the set of what the unit has ---------------------------------------------------------- */

static uint64_t *slot_of(const lj_ir_carver *c, uint64_t key) {
    uint32_t i = (uint32_t)((key * 0x9e3779b97f4a7c15u) >> 40) & c->set_mask;
    while (c->set[i] && c->set[i] >> 8 != key)
        i = (i + 1) & c->set_mask;
    return &c->set[i];
}

static uint64_t key_of(uint32_t kind, uint32_t id) {
    return ((uint64_t)kind << 32 | id) + 1;
}

uint8_t lj_ir_state(const lj_ir_carver *c, uint32_t kind, uint32_t id) {
    return c->set ? (uint8_t)*slot_of(c, key_of(kind, id)) : 0;
}

static bool grow_set(lj_ir_carver *c) {
    uint32_t old_room = c->set ? c->set_mask + 1 : 0, room = old_room ? old_room * 4 : 256;
    uint64_t *old = c->set, *set = calloc(room, sizeof *set);
    if (!set)
        return false;
    c->set = set;
    c->set_mask = room - 1;
    for (uint32_t i = 0; i < old_room; i++)
        if (old[i])
            *slot_of(c, old[i] >> 8) = old[i];
    free(old);
    return true;
}

bool lj_ir_mark(lj_ir_carver *c, uint32_t kind, uint32_t id, uint8_t state) {
    if (c->failed || ((!c->set || c->set_count >= c->set_mask / 2) && !grow_set(c))) {
        c->failed = true;
        return false;
    }
    uint64_t key = key_of(kind, id), *slot = slot_of(c, key);
    bool fresh = !*slot;
    if (fresh) {
        *slot = key << 8;
        c->set_count++;
    }
    *slot |= state;
    return fresh;
}

void lj_ir_append(lj_ir_carver *c, lj_ir_list *list, uint32_t value) {
    if (!lj_ir_grow((void **)&list->at, &list->room, list->count, sizeof *list->at))
        c->failed = true;
    else
        list->at[list->count++] = value;
}

void lj_ir_dispose_list(lj_ir_list *list) {
    free(list->at);
}

/* --- needs ---------------------------------------------------------------------------------- */

void lj_ir_need_entity(lj_ir_carver *c, int32_t id, bool call) {
    uint8_t before = lj_ir_state(c, LJ_IR_KEY_ENTITY, (uint32_t)id);
    lj_ir_mark(c, LJ_IR_KEY_ENTITY, (uint32_t)id, LJ_IR_NEEDED | (call ? LJ_IR_CALLED : 0));
    if (!(before & LJ_IR_NEEDED))
        lj_ir_append(c, &c->entities, (uint32_t)id);
}

static void need(lj_ir_carver *c, const lj_ir_numbereds *table, uint32_t kind, lj_ir_list *list,
                 uint32_t number) {
    const lj_ir_numbered *record = lj_ir_find_numbered(table, number);
    if (record && lj_ir_mark(c, kind, (uint32_t)(record - table->at), LJ_IR_NEEDED))
        lj_ir_append(c, list, (uint32_t)(record - table->at));
}

void lj_ir_need_type(lj_ir_carver *c, const lj_ir_token *token) {
    const lj_ir_index *ix = c->index;
    if (token->numbered) {
        if (ix->numbered_types.count)
            need(c, &ix->numbered_types, LJ_IR_KEY_NUMBERED_TYPE, &c->numbered_types,
                 token->number);
        return;
    }
    if (!ix->types.count || !token->name_length)
        return;
    lj_ir_key key;
    char *scratch = NULL;
    if (token->escaped) {
        scratch = malloc(token->name_length);
        if (!scratch) {
            c->failed = true;
            return;
        }
        key = lj_ir_key_of(token, scratch);
    } else {
        uint32_t bit = lj_ir_filter_bit(token->name, token->name_length);
        if (!(ix->type_filter[bit / 64] >> bit % 64 & 1))
            return;
        key = lj_ir_key_of(token, NULL);
    }
    int32_t id = lj_ir_find_named(ix, &ix->types, &key);
    free(scratch);
    if (id >= 0 && lj_ir_mark(c, LJ_IR_KEY_TYPE, (uint32_t)id, LJ_IR_NEEDED))
        lj_ir_append(c, &c->types, (uint32_t)id);
}

void lj_ir_need_attribute(lj_ir_carver *c, uint32_t number) {
    need(c, &c->index->attributes, LJ_IR_KEY_ATTRIBUTE, &c->attributes, number);
}

void lj_ir_need_metadata(lj_ir_carver *c, uint32_t number) {
    need(c, &c->index->metadata, LJ_IR_KEY_META, &c->metadata, number);
}
