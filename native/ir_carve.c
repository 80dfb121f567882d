/* Carving from the top: what the unit defines, then what that needs, until nothing is missing. */
#include "ir_carver.h"

#include <stdlib.h>

/* --- in which form a unit has what it doesn't define ------------------------------------------ */

/* Takes `length` bytes from the inlining budget if they are there. What must `always` be inlined is
 * taken with or without: its body may be nowhere else. */
static bool spend(lj_ir_carver *c, uint32_t length, bool always) {
    uint32_t left = c->options->inline_budget - c->spent;
    if (!always && (length > c->options->inline_limit || length > left))
        return false;
    c->spent += length > left ? left : length;
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
    const uint32_t barred =
        LJ_IR_OVERRIDABLE | LJ_IR_TLS | LJ_IR_PLACED | LJ_IR_BLOCKADDRESS | LJ_IR_SPECIAL;
    const lj_ir_entity *e = &c->index->entities[id];
    return e->flags & LJ_IR_CONSTANT && !(e->flags & barred) && spend(c, e->length, false);
}

static void emit_needed(lj_ir_carver *c, int32_t id) {
    const lj_ir_entity *e = &c->index->entities[id];
    bool defined = lj_ir_state(c, LJ_IR_KEY_ENTITY, (uint32_t)id) & LJ_IR_DEFINED;
    switch (e->kind) {
    case LJ_IR_FUNCTION: /* defined here, it is still declared: `f` is its stub */
        lj_ir_emit_function(
            c, id, !defined && carries_function(c, id) ? LJ_IR_FORM_CARRY : LJ_IR_FORM_DECLARE);
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

/* --- what comes first in a unit -----------------------------------------------------------------
 */

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
    for (uint32_t i = 0, j = 0;
         !c->failed && (i < c->types.count || j < c->numbered_types.count);) {
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
    if (!moved)
        return;
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

static int by_text(const void *left, const void *right) {
    const uint64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* Data before functions and functions in the text's order: the address of a block without a name
 * can't be taken once its function has been read. */
static void emit_definitions(lj_ir_carver *c) {
    uint32_t count = c->defines.count, functions = 0;
    uint64_t *order = malloc((count + 1) * sizeof *order); /* start << 32 | id */
    if (!order)
        c->failed = true;
    for (uint32_t i = 0; i < count && !c->failed; i++) {
        uint32_t id = c->defines.at[i];
        const lj_ir_entity *e = &c->index->entities[id];
        if (e->kind == LJ_IR_FUNCTION)
            order[functions++] = (uint64_t)e->start << 32 | id;
        else if (e->kind == LJ_IR_VARIABLE)
            lj_ir_emit_variable(c, (int32_t)id, LJ_IR_FORM_DEFINE);
        else
            lj_ir_emit_alias(c, (int32_t)id);
    }
    if (functions > 1)
        qsort(order, functions, sizeof *order, by_text);
    for (uint32_t i = 0; i < functions && !c->failed; i++)
        lj_ir_emit_function(c, (int32_t)(uint32_t)order[i], LJ_IR_FORM_DEFINE);
    c->functions = functions;
    free(order);
}

/* Hands what was carved over to a unit, and frees the rest. */
static lj_status finish(lj_ir_carver *c, lj_ir_unit *out, lj_fault *fault) {
    lj_ir_put(c, "", 0);
    free(c->set);
    free(c->scratch);
    free(c->entities.at);
    free(c->types.at);
    free(c->numbered_types.at);
    free(c->attributes.at);
    free(c->metadata.at);
    free(c->compile_units.at);
    if (c->failed || c->length > UINT32_MAX) {
        free(c->out);
        free(c->defines.at);
        free(c->chunks);
        return lj_fail(fault, c->failed ? LJ_NO_MEMORY : LJ_IR_TOO_LARGE, 0, 0, "carving a unit");
    }
    c->out[c->length] = '\0';
    *out = (lj_ir_unit){.text = c->out,
                        .length = c->length,
                        .defines = (int32_t *)c->defines.at,
                        .define_count = c->defines.count,
                        .functions = c->functions,
                        .carried = c->carried,
                        .chunks = c->chunks,
                        .chunk_count = c->chunk_count};
    return LJ_OK;
}

/* Room for most of the text at once: growing copies. */
static void reserve(lj_ir_carver *c, uint32_t count, const int32_t *ids) {
    size_t room = 4096;
    for (uint32_t i = 0; i < count; i++)
        if ((uint32_t)ids[i] < c->index->entity_count)
            room += c->index->entities[ids[i]].length;
    c->out = malloc(room);
    c->room = c->out ? room : 0;
}

lj_status lj_ir_carve(const lj_ir_index *index, uint32_t count, const int32_t *ids,
                      const lj_ir_carve_options *options, lj_ir_unit *out, lj_fault *fault) {
    lj_ir_carver c = {.index = index, .options = options};
    *out = (lj_ir_unit){0};
    reserve(&c, count, ids);
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
    free(unit->text);
    free(unit->defines);
    free(unit->chunks);
    *unit = (lj_ir_unit){0};
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
