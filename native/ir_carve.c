/* Carving from the top: what the unit defines, then what that needs, until nothing is missing. */
#include "ir_carver.h"

#include <stdlib.h>

/* --- the set of what the unit has ---------------------------------------------------------- */

static uint64_t *slot_of(const lj_ir_carver *c, uint64_t key) {
    uint32_t i = (uint32_t)((key * 0x9e3779b97f4a7c15u) >> 40) & c->set_mask;
    while (c->set[i] && c->set[i] >> 8 != key)
        i = (i + 1) & c->set_mask;
    return &c->set[i];
}

static uint64_t key_of(uint32_t kind, uint32_t id) { return ((uint64_t)kind << 32 | id) + 1; }

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

void lj_ir_dispose_list(lj_ir_list *list) { free(list->at); }

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

/* --- in which form a unit has what it doesn't define ------------------------------------------ */

/* Takes `length` bytes from the inlining budget if they are there. */
static bool spend(lj_ir_carver *c, uint32_t length, bool always) {
    uint32_t budget = c->options->inline_budget;
    if (!budget || (!always && (length > c->options->inline_limit || length > budget - c->spent)))
        return false;
    c->spent = length > budget - c->spent ? budget : c->spent + length;
    c->carried++;
    return true;
}

static bool carries_function(lj_ir_carver *c, int32_t id) {
    const uint32_t barred =
        LJ_IR_OVERRIDABLE | LJ_IR_NOINLINE | LJ_IR_VARARG | LJ_IR_BLOCKADDRESS | LJ_IR_COLD;
    const lj_ir_entity *e = &c->index->entities[id];
    bool called = lj_ir_state(c, LJ_IR_KEY_ENTITY, (uint32_t)id) & LJ_IR_CALLED;
    return called && !(e->flags & barred) &&
           spend(c, e->start + e->length - e->body, e->flags & LJ_IR_ALWAYSINLINE);
}

static bool carries_constant(lj_ir_carver *c, int32_t id) {
    const uint32_t barred = LJ_IR_OVERRIDABLE | LJ_IR_TLS | LJ_IR_PLACED | LJ_IR_BLOCKADDRESS |
                            LJ_IR_SPECIAL;
    const lj_ir_entity *e = &c->index->entities[id];
    return e->flags & LJ_IR_CONSTANT && !(e->flags & barred) && spend(c, e->length, false);
}

static void emit_needed(lj_ir_carver *c, int32_t id) {
    const lj_ir_entity *e = &c->index->entities[id];
    bool defined = lj_ir_state(c, LJ_IR_KEY_ENTITY, (uint32_t)id) & LJ_IR_DEFINED;
    switch (e->kind) {
    case LJ_IR_FUNCTION: /* defined here, it is still declared: `f` is its stub */
        lj_ir_emit_function(c, id,
                            !defined && carries_function(c, id) ? LJ_IR_FORM_CARRY
                                                                : LJ_IR_FORM_DECLARE);
        break;
    case LJ_IR_DECLARATION:
        lj_ir_emit_function(c, id, LJ_IR_FORM_DECLARE);
        break;
    case LJ_IR_VARIABLE:
        if (!defined)
            lj_ir_emit_variable(c, id,
                                e->flags & LJ_IR_COPYABLE ? LJ_IR_FORM_PRIVATE
                                : carries_constant(c, id) ? LJ_IR_FORM_CARRY
                                                          : LJ_IR_FORM_DECLARE);
        break;
    case LJ_IR_EXTERNAL:
        lj_ir_emit_variable(c, id, LJ_IR_FORM_DECLARE);
        break;
    case LJ_IR_ALIAS:
        if (!defined)
            lj_ir_emit_alias_declaration(c, id);
        break;
    case LJ_IR_IFUNC:
        lj_ir_emit_alias_declaration(c, id);
        break;
    default:
        break;
    }
}

static void emit_all_needed(lj_ir_carver *c) {
    uint32_t entity = 0, attribute = 0, metadata = 0;
    const lj_ir_index *ix = c->index;
    while (!c->failed) {
        if (entity < c->entities.count) {
            emit_needed(c, (int32_t)c->entities.at[entity++]);
        } else if (metadata < c->metadata.count) {
            lj_ir_emit_metadata(c, &ix->metadata.at[c->metadata.at[metadata++]]);
        } else if (attribute < c->attributes.count) {
            const lj_ir_numbered *group = &ix->attributes.at[c->attributes.at[attribute++]];
            for (uint32_t number = group->number;
                 group < ix->attributes.at + ix->attributes.count && group->number == number;
                 group++) {
                const char *start = ix->text + group->start;
                lj_ir_chunk_here(c, start);
                lj_ir_copy(c, start, start + group->length, LJ_IR_REGION_PLAIN);
                lj_ir_put(c, "\n", 1);
            }
        } else {
            return;
        }
    }
}

/* --- what comes first in a unit ----------------------------------------------------------------- */

static int by_start(const void *left, const void *right) {
    const lj_ir_chunk *a = left, *b = right;
    return a->original < b->original ? -1 : a->original > b->original;
}

/* Types, in the module's order: one that isn't a struct must be defined before it is used. */
static void emit_types(lj_ir_carver *c) {
    const lj_ir_index *ix = c->index;
    size_t before = c->length;
    uint32_t chunks = c->chunk_count;
    /* Copying notes what a type needs; the copies are then made again, sorted. */
    for (uint32_t i = 0, j = 0; !c->failed && (i < c->types.count || j < c->numbered_types.count);) {
        const char *start;
        uint32_t length;
        if (i < c->types.count) {
            const lj_ir_named *type = &ix->types.at[c->types.at[i++]];
            start = ix->text + type->start;
            length = type->length;
        } else {
            const lj_ir_numbered *type = &ix->numbered_types.at[c->numbered_types.at[j++]];
            start = ix->text + type->start;
            length = type->length;
        }
        c->length = before;
        lj_ir_chunk_here(c, start);
        if (!c->failed)
            c->chunks[c->chunk_count - 1].unit = length;
        lj_ir_copy(c, start, start + length, LJ_IR_REGION_PLAIN);
    }
    c->length = before;
    qsort(c->chunks + chunks, c->chunk_count - chunks, sizeof *c->chunks, by_start);
    for (uint32_t i = chunks; i < c->chunk_count && !c->failed; i++) {
        const char *start = ix->text + c->chunks[i].original;
        uint32_t length = c->chunks[i].unit;
        c->chunks[i].unit = (uint32_t)c->length;
        lj_ir_copy(c, start, start + length, LJ_IR_REGION_PLAIN);
        lj_ir_put(c, "\n", 1);
    }
}

static void emit_settings(lj_ir_carver *c) {
    const lj_ir_numbered *settings[] = {&c->index->source_filename, &c->index->datalayout,
                                        &c->index->triple};
    for (int i = 0; i < 3; i++)
        if (settings[i]->length) {
            lj_ir_put(c, c->index->text + settings[i]->start, settings[i]->length);
            lj_ir_put(c, "\n", 1);
        }
}

/* LLVM's parser wants settings and types first, but types are known last: they were written to the
 * end, and are moved to the front. */
static void rotate(lj_ir_carver *c, size_t head, uint32_t head_chunks) {
    size_t moved = c->length - head;
    char *types = malloc(moved + 1);
    lj_ir_chunk *chunks = malloc((c->chunk_count + 1) * sizeof *chunks);
    if (!types || !chunks || c->failed) {
        c->failed = true;
    } else {
        memcpy(types, c->out + head, moved);
        memmove(c->out + moved, c->out, head);
        memcpy(c->out, types, moved);
        uint32_t n = 0;
        for (uint32_t i = head_chunks; i < c->chunk_count; i++, n++)
            chunks[n] = (lj_ir_chunk){c->chunks[i].unit - (uint32_t)head, c->chunks[i].original};
        for (uint32_t i = 0; i < head_chunks; i++, n++)
            chunks[n] = (lj_ir_chunk){c->chunks[i].unit + (uint32_t)moved, c->chunks[i].original};
        free(c->chunks);
        c->chunks = chunks;
        chunks = NULL;
    }
    free(types);
    free(chunks);
}

/* --- the unit ------------------------------------------------------------------------------- */

/* Marks what is to be defined: an id, and all that must be in one unit with it. */
static bool define(lj_ir_carver *c, int32_t id) {
    const lj_ir_index *ix = c->index;
    if (id < 0 || (uint32_t)id >= ix->entity_count || !lj_ir_in_unit(&ix->entities[id]))
        return false;
    const lj_ir_entity *e = &ix->entities[id];
    int32_t group = e->group;
    uint32_t from = group < 0 ? 0 : ix->group_starts[group];
    uint32_t to = group < 0 ? 0 : ix->group_starts[group + 1];
    for (uint32_t i = from; i <= to; i++) { /* the one asked for comes first */
        int32_t member = i == from ? id : ix->group_members[i - 1];
        e = &ix->entities[member];
        if (e->kind == LJ_IR_IFUNC || (e->kind == LJ_IR_ALIAS && e->flags & LJ_IR_CALLABLE))
            continue;
        if (lj_ir_mark(c, LJ_IR_KEY_ENTITY, (uint32_t)member, LJ_IR_DEFINED))
            lj_ir_append(c, &c->defines, (uint32_t)member);
    }
    return true;
}

static void emit_definitions(lj_ir_carver *c) {
    for (uint32_t i = 0; i < c->defines.count && !c->failed; i++) {
        int32_t id = (int32_t)c->defines.at[i];
        switch (c->index->entities[id].kind) {
        case LJ_IR_FUNCTION:
            lj_ir_emit_function(c, id, LJ_IR_FORM_DEFINE);
            break;
        case LJ_IR_VARIABLE:
            lj_ir_emit_variable(c, id, LJ_IR_FORM_DEFINE);
            break;
        default:
            lj_ir_emit_alias(c, id);
        }
    }
}

/* Hands what was carved over to a unit, and frees the rest. */
static lj_status finish(lj_ir_carver *c, lj_ir_unit **out, lj_fault *fault) {
    lj_ir_unit *unit = c->failed ? NULL : malloc(sizeof *unit);
    lj_ir_put(c, "", 0);
    free(c->set);
    free(c->scratch);
    free(c->entities.at);
    free(c->types.at);
    free(c->numbered_types.at);
    free(c->attributes.at);
    free(c->metadata.at);
    free(c->compile_units.at);
    if (!unit || c->failed || c->length > UINT32_MAX) {
        free(unit);
        free(c->out);
        free(c->defines.at);
        free(c->chunks);
        return lj_fail(fault, c->failed || !unit ? LJ_NO_MEMORY : LJ_IR_TOO_LARGE, 0, 0,
                       "carving a unit");
    }
    c->out[c->length] = '\0';
    *unit = (lj_ir_unit){.text = c->out,
                         .length = c->length,
                         .defines = (int32_t *)c->defines.at,
                         .define_count = c->defines.count,
                         .carried = c->carried,
                         .chunks = c->chunks,
                         .chunk_count = c->chunk_count};
    *out = unit;
    return LJ_OK;
}

lj_status lj_ir_carve(const lj_ir_index *index, uint32_t count, const int32_t *ids,
                      const lj_ir_carve_options *options, lj_ir_unit **out, lj_fault *fault) {
    lj_ir_carver c = {.index = index, .options = options};
    *out = NULL;
    for (uint32_t i = 0; i < count; i++)
        if (!define(&c, ids[i])) {
            c.failed = true;
            finish(&c, out, NULL);
            return lj_fail(fault, LJ_MISUSE, 0, (uint64_t)(uint32_t)ids[i],
                           "entity %d is not this module's to define", (int)ids[i]);
        }
    emit_definitions(&c);
    for (uint32_t i = 0; i < index->module_flag_count; i++)
        lj_ir_need_metadata(&c, index->metadata.at[index->module_flags[i]].number);
    emit_all_needed(&c);
    lj_ir_emit_named_metadata(&c);
    size_t head = c.length;
    uint32_t head_chunks = c.chunk_count;
    emit_settings(&c);
    emit_types(&c);
    rotate(&c, head, head_chunks);
    return finish(&c, out, fault);
}

void lj_ir_unit_dispose(lj_ir_unit *unit) {
    if (!unit)
        return;
    free(unit->text);
    free(unit->defines);
    free(unit->chunks);
    free(unit);
}

uint32_t lj_ir_unit_original_line(const lj_ir_unit *unit, const lj_ir_index *index, uint32_t line) {
    const char *p = unit->text, *end = unit->text + unit->length;
    for (uint32_t at = 1; at < line && p; at++) {
        p = memchr(p, '\n', (size_t)(end - p));
        p = p ? p + 1 : NULL;
    }
    if (!p || !line)
        return 0;
    uint32_t offset = (uint32_t)(p - unit->text), low = 0, high = unit->chunk_count;
    while (low < high) { /* the last chunk that starts at or before the line's start */
        uint32_t middle = low + (high - low) / 2;
        if (unit->chunks[middle].unit <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return 0;
    const lj_ir_chunk *chunk = &unit->chunks[low - 1];
    return lj_ir_index_line(index, chunk->original) +
           lj_ir_count_lines(unit->text + chunk->unit, p);
}
