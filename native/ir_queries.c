/* Reading an index: counts, arrays, lines, module asm, constructors. */
#include "ir_tables.h"

static uint64_t nameds_memory(const lj_ir_nameds *table) {
    return table->room * sizeof *table->at +
           (table->names.slots ? (table->names.mask + 1) * sizeof(uint64_t) : 0);
}

void lj_ir_index_counts(const lj_ir_index *ix, lj_ir_counts *out) {
    *out = (lj_ir_counts){.entities = ix->entity_count,
                          .types = ix->types.count + ix->numbered_types.count,
                          .attributes = ix->attributes.count,
                          .metadata = ix->metadata.count,
                          .named_metadata = ix->named_metadata.count,
                          .comdats = ix->comdats.count,
                          .references = ix->ref_count,
                          .groups = ix->group_count,
                          .module_asm = ix->module_asm.count};
    for (uint32_t i = 0; i < ix->entity_count; i++)
        switch (ix->entities[i].kind) {
        case LJ_IR_FUNCTION:
            out->functions++;
            break;
        case LJ_IR_DECLARATION:
            out->declarations++;
            break;
        case LJ_IR_VARIABLE:
            out->variables++;
            out->commons += ix->entities[i].linkage == LJ_IR_LINK_COMMON;
            break;
        case LJ_IR_EXTERNAL:
            out->externals++;
            break;
        case LJ_IR_ALIAS:
            out->aliases++;
            break;
        case LJ_IR_IFUNC:
            out->ifuncs++;
            break;
        default:
            break;
        }
    out->memory = sizeof *ix + ix->entity_count * sizeof *ix->entities +
                  (ix->names.slots ? (ix->names.mask + 1) * sizeof(uint64_t) : 0) + ix->aside_room +
                  ix->ref_count * (sizeof *ix->refs + 1) + nameds_memory(&ix->types) +
                  nameds_memory(&ix->comdats) + nameds_memory(&ix->named_metadata) +
                  nameds_memory(&ix->module_asm) +
                  (ix->numbered_types.room + ix->attributes.room + ix->metadata.count) *
                      sizeof(lj_ir_numbered) +
                  (ix->group_count + 2) * sizeof *ix->group_starts;
}

const lj_ir_entity *lj_ir_index_entities(const lj_ir_index *index) {
    return index->entities;
}
const int32_t *lj_ir_index_refs(const lj_ir_index *index) {
    return index->refs;
}
const uint8_t *lj_ir_index_ref_flags(const lj_ir_index *index) {
    return index->ref_flags;
}
const int32_t *lj_ir_index_group_members(const lj_ir_index *index) {
    return index->group_members;
}

static bool chosen(const lj_ir_entity *e, int choice) {
    bool code = e->kind == LJ_IR_FUNCTION;
    bool leads = e->kind == LJ_IR_ALIAS || e->kind == LJ_IR_IFUNC;
    bool bodied = code || e->kind == LJ_IR_VARIABLE;
    bool defined = (bodied || leads) && !(e->flags & LJ_IR_NO_UNIT);
    switch (choice) {
    case LJ_IR_ALL_DEFINED:
        return defined;
    case LJ_IR_ALL_DEFINABLE:
        return defined && !(e->flags & LJ_IR_COPYABLE) && (code || !(e->flags & LJ_IR_CALLABLE));
    case LJ_IR_ALL_FUNCTIONS:
        return defined && code;
    case LJ_IR_ALL_COMMONS:
        return e->kind == LJ_IR_VARIABLE && e->linkage == LJ_IR_LINK_COMMON;
    default:
        return !(e->flags & LJ_IR_SPECIAL) &&
               (e->kind == LJ_IR_DECLARATION || e->kind == LJ_IR_EXTERNAL ||
                (bodied && e->flags & LJ_IR_NO_UNIT));
    }
}

uint32_t lj_ir_index_choose(const lj_ir_index *index, int choice, int32_t *ids) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < index->entity_count; i++)
        if (chosen(&index->entities[i], choice))
            ids[count++] = (int32_t)i;
    return count;
}

/* Counting places by group ran one place ahead, so that the starts are where counting ended. */
const uint32_t *lj_ir_index_group_starts(const lj_ir_index *index) {
    return index->group_starts;
}

const char *lj_ir_index_name(const lj_ir_index *index, int32_t id, uint32_t *length) {
    *length = index->entities[id].name_length;
    return lj_ir_name_bytes(index, &index->entities[id]);
}

uint32_t lj_ir_index_line(const lj_ir_index *index, uint64_t offset) {
    if (offset > index->length)
        offset = index->length;
    return lj_ir_count_lines(index->text, index->text + offset) + 1;
}

const char *lj_ir_index_module_asm(const lj_ir_index *index, uint32_t i, uint32_t *length) {
    *length = index->module_asm.at[i].name_length;
    return index->text + index->module_asm.at[i].name;
}

uint32_t lj_ir_index_structors(const lj_ir_index *ix, int destructors, int64_t *priorities,
                               int32_t *functions, int32_t *data, uint32_t room) {
    lj_ir_key key = lj_ir_key_of_bytes(destructors ? "llvm.global_dtors" : "llvm.global_ctors", 17);
    int32_t id = lj_ir_find_entity(ix, &key);
    if (id < 0 || ix->entities[id].kind != LJ_IR_VARIABLE)
        return 0;
    const lj_ir_entity *e = &ix->entities[id];
    const char *p = ix->text + e->body, *end = ix->text + e->tail;
    /* Elements are { i32 priority, ptr function, ptr data }: a number after i32 opens one, the
     * first and second name after it (behind as many commas) are its function and data. */
    uint32_t n = 0, commas = 0;
    bool after_i32 = false;
    for (lj_ir_token token; p < end;) {
        p = lj_ir_next(p, end, &token);
        if (after_i32 && token.kind == LJ_T_WORD && n < UINT32_MAX) {
            int64_t priority = 0;
            bool negative = *token.start == '-';
            for (const char *q = token.start + negative; q < token.end; q++)
                if (lj_is(*q, LJ_C_DIGIT) && priority < INT32_MAX)
                    priority = priority * 10 + (*q - '0');
            if (n < room) {
                priorities[n] = negative ? -priority : priority;
                functions[n] = data[n] = -1;
            }
            n++;
            commas = 0;
        } else if (lj_ir_is(&token, ',')) {
            commas++;
        } else if (token.kind == LJ_T_GLOBAL && n && n <= room && commas >= 1 && commas <= 2) {
            int32_t *slot = commas == 1 ? &functions[n - 1] : &data[n - 1];
            char scratch[256];
            if (*slot < 0 && (!token.escaped || token.name_length <= sizeof scratch)) {
                lj_ir_key name = lj_ir_key_of(&token, scratch);
                *slot = lj_ir_find_entity(ix, &name);
            }
        }
        after_i32 = lj_ir_is_word(&token, "i32");
    }
    return n;
}

const char *lj_ir_index_setting(const lj_ir_index *index, uint32_t which, uint32_t *length) {
    const lj_ir_numbered *settings[] = {&index->source_filename, &index->datalayout,
                                        &index->triple};
    *length = which < 3 ? settings[which]->length : 0;
    return *length ? index->text + settings[which]->start : NULL;
}
