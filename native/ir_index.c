/* The indexing pass from the top: which entity starts here, and the tables they go to. */
#include "ir_build.h"

#include <stdlib.h>

const char *lj_ir_build_fail(lj_ir_builder *b, lj_status status, const char *at, const char *words,
                             const lj_ir_token *token) {
    int length =
        token ? (int)(token->end - token->start < 200 ? token->end - token->start : 200) : 0;
    b->status = lj_fail(b->fault, status, (uint64_t)(at - b->text), 0, "%s%s%.*s", words,
                        token ? " " : "", length, token ? token->start : "");
    if (b->fault)
        b->fault->line = lj_ir_count_lines(b->text, at) + 1;
    return NULL;
}

const char *lj_ir_build_no_memory(lj_ir_builder *b) {
    b->status = lj_fail(b->fault, LJ_NO_MEMORY, 0, 0, "indexing IR");
    return NULL;
}

/* The key of a token; with `aside`, a name that had escapes is in the index's side table, at the
 * end, for keeping or dropping. False when out of memory. */
static bool key_of(lj_ir_builder *b, const lj_ir_token *token, lj_ir_key *key) {
    if (token->escaped && token->name_length > b->scratch_room) {
        char *larger = realloc(b->scratch, token->name_length);
        if (!larger) {
            lj_ir_build_no_memory(b);
            return false;
        }
        b->scratch = larger;
        b->scratch_room = token->name_length;
    }
    *key = lj_ir_key_of(token, b->scratch);
    return true;
}

/* Gives a record its name. */
static bool name_record(lj_ir_builder *b, lj_ir_named *record, const lj_ir_token *token,
                        const lj_ir_key *key) {
    lj_ir_index *ix = b->index;
    record->name = (uint32_t)(token->name - b->text);
    record->name_length = key->length;
    if (key->numbered) {
        record->name = key->number;
        record->flags = LJ_IR_NUMBERED;
    } else if (token->escaped) {
        while (ix->aside_room - ix->aside_length < key->length)
            if (!lj_ir_grow((void **)&ix->aside, &ix->aside_room, ix->aside_room, 1)) {
                lj_ir_build_no_memory(b);
                return false;
            }
        record->name = ix->aside_length;
        record->flags = LJ_IR_ASIDE;
        if (key->length)
            memcpy(ix->aside + ix->aside_length, key->bytes, key->length);
        ix->aside_length += key->length;
    }
    return true;
}

int32_t lj_ir_build_entity(lj_ir_builder *b, const lj_ir_token *token) {
    lj_ir_index *ix = b->index;
    lj_ir_key key;
    if (!key_of(b, token, &key))
        return -1;
    int32_t id = lj_ir_find_entity(ix, &key);
    if (id >= 0)
        return id;
    uint32_t n = ix->entity_count, stamp_room = ix->entity_room;
    lj_ir_named named = {0};
    if (n == INT32_MAX ||
        !lj_ir_grow((void **)&ix->entities, &ix->entity_room, n, sizeof *ix->entities) ||
        !lj_ir_grow((void **)&b->stamps, &stamp_room, n, sizeof *b->stamps) ||
        !name_record(b, &named, token, &key) || !lj_ir_names_add(&ix->names, key.hash, n)) {
        lj_ir_build_no_memory(b);
        return -1;
    }
    ix->entities[n] = (lj_ir_entity){.name = named.name,
                                     .name_length = named.name_length,
                                     .flags = named.flags,
                                     .aliasee = -1,
                                     .comdat = -1,
                                     .group = -1};
    b->stamps[n] = 0;
    ix->entity_count++;
    return (int32_t)n;
}

lj_ir_named *lj_ir_build_named(lj_ir_builder *b, lj_ir_nameds *table, const lj_ir_token *token,
                               bool *made) {
    lj_ir_key key;
    *made = false;
    if (!key_of(b, token, &key))
        return NULL;
    int32_t id = lj_ir_find_named(b->index, table, &key);
    if (id >= 0)
        return &table->at[id];
    lj_ir_named record = {0};
    if (!lj_ir_grow((void **)&table->at, &table->room, table->count, sizeof *table->at) ||
        !name_record(b, &record, token, &key) ||
        !lj_ir_names_add(&table->names, key.hash, table->count)) {
        lj_ir_build_no_memory(b);
        return NULL;
    }
    *made = true;
    table->at[table->count] = record;
    return &table->at[table->count++];
}

bool lj_ir_build_numbered(lj_ir_builder *b, lj_ir_numbereds *table, uint32_t number,
                          const char *start, const char *end) {
    if (!lj_ir_grow((void **)&table->at, &table->room, table->count, sizeof *table->at)) {
        lj_ir_build_no_memory(b);
        return false;
    }
    table->at[table->count++] = (lj_ir_numbered){
        .number = number, .start = (uint32_t)(start - b->text), .length = (uint32_t)(end - start)};
    return true;
}

bool lj_ir_build_pair(lj_ir_builder *b, lj_ir_pair **at, uint32_t *count, uint32_t *room,
                      uint32_t entity, uint32_t other) {
    if (!lj_ir_grow((void **)at, room, *count, sizeof **at)) {
        lj_ir_build_no_memory(b);
        return false;
    }
    (*at)[(*count)++] = (lj_ir_pair){entity, other};
    return true;
}

/* A list that may name things twice: no lookup by name. */
static bool append_named(lj_ir_builder *b, lj_ir_nameds *table, const lj_ir_token *token,
                         const char *start, const char *end) {
    lj_ir_key key;
    lj_ir_named record = {.start = (uint32_t)(start - b->text), .length = (uint32_t)(end - start)};
    if (!key_of(b, token, &key) ||
        !lj_ir_grow((void **)&table->at, &table->room, table->count, sizeof *table->at) ||
        !name_record(b, &record, token, &key)) {
        lj_ir_build_no_memory(b);
        return false;
    }
    table->at[table->count++] = record;
    return true;
}

/* keyword (the word before) = "string". */
static const char *read_setting(lj_ir_builder *b, const char *p, lj_ir_numbered *span) {
    lj_ir_token token;
    const char *start = b->floor;
    p = lj_ir_next(p, b->end, &token);
    if (!lj_ir_is(&token, '='))
        return lj_ir_build_fail(b, LJ_IR_SYNTAX, token.start, "expected '='", NULL);
    p = lj_ir_next(p, b->end, &token);
    if (token.kind != LJ_T_STRING)
        return lj_ir_build_fail(b, LJ_IR_SYNTAX, token.start, "expected a string", NULL);
    span->start = (uint32_t)(start - b->text);
    span->length = (uint32_t)(p - start);
    return p;
}

/* An entity that starts with a word other than define and declare. */
static const char *read_word(lj_ir_builder *b, const lj_ir_token *word, const char *p) {
    lj_ir_index *ix = b->index;
    lj_ir_token token;
    if (lj_ir_is_word(word, "source_filename"))
        return read_setting(b, p, &ix->source_filename);
    if (lj_ir_is_word(word, "uselistorder") || lj_ir_is_word(word, "uselistorder_bb"))
        return lj_ir_build_rest(b, p, false);
    const char *after = lj_ir_next(p, b->end, &token);
    if (lj_ir_is_word(word, "target") && lj_ir_is_word(&token, "triple"))
        return read_setting(b, after, &ix->triple);
    if (lj_ir_is_word(word, "target") && lj_ir_is_word(&token, "datalayout"))
        return read_setting(b, after, &ix->datalayout);
    if (lj_ir_is_word(word, "module") && lj_ir_is_word(&token, "asm")) {
        p = lj_ir_next(after, b->end, &token);
        if (token.kind != LJ_T_STRING)
            return lj_ir_build_fail(b, LJ_IR_SYNTAX, token.start, "expected a string", NULL);
        lj_ir_token raw = token;
        raw.escaped = false;
        return append_named(b, &ix->module_asm, &raw, b->floor, p) ? p : NULL;
    }
    if (lj_ir_is_word(word, "attributes") && token.kind == LJ_T_HASH && token.numbered) {
        lj_ir_token open;
        p = lj_ir_next(after, b->end, &open);
        if (lj_ir_is(&open, '='))
            p = lj_ir_next(p, b->end, &open);
        if (!lj_ir_is(&open, '{'))
            return lj_ir_build_fail(b, LJ_IR_SYNTAX, open.start, "expected '{'", NULL);
        p = lj_ir_build_scan(b, p, false);
        return p && lj_ir_build_numbered(b, &ix->attributes, token.number, b->floor, p) ? p : NULL;
    }
    return lj_ir_build_fail(b, LJ_IR_SYNTAX, word->start, "expected top-level entity, found", word);
}

/* %x = type, $x = comdat, !x = and !7 =, ^7 =: `p` is behind the sign. */
static const char *read_assigned(lj_ir_builder *b, const lj_ir_token *name, const char *p) {
    lj_ir_index *ix = b->index;
    b->last_end = p;
    p = lj_ir_build_rest(b, p, false);
    if (!p)
        return NULL;
    const char *start = name->start, *end = b->last_end;
    lj_ir_nameds *table = &ix->types;
    bool made;
    switch (name->kind) {
    case LJ_T_META:
        return (name->numbered ? lj_ir_build_numbered(b, &ix->metadata, name->number, start, end)
                               : append_named(b, &ix->named_metadata, name, start, end))
                   ? p
                   : NULL;
    case LJ_T_COMDAT:
        table = &ix->comdats;
        break;
    case LJ_T_LOCAL:
        if (name->numbered)
            return lj_ir_build_numbered(b, &ix->numbered_types, name->number, start, end) ? p
                                                                                          : NULL;
        break;
    default:
        return p; /* a summary entry says nothing about the code */
    }
    lj_ir_named *record = lj_ir_build_named(b, table, name, &made);
    if (!record)
        return NULL;
    if (record->length)
        return lj_ir_build_fail(b, LJ_IR_DUPLICATE, start, "redefinition of", name);
    record->start = (uint32_t)(start - b->text);
    record->length = (uint32_t)(end - start);
    return p;
}

static bool read_module(lj_ir_builder *b) {
    for (const char *p = b->text; p;) {
        lj_ir_token token, next;
        p = lj_ir_next(p, b->end, &token);
        b->floor = token.start;
        b->current = -1;
        switch (token.kind) {
        case LJ_T_END:
            return true;
        case LJ_T_WORD:
            if (lj_ir_is_word(&token, "define") || lj_ir_is_word(&token, "declare"))
                p = lj_ir_build_function(b, &token, p);
            else
                p = read_word(b, &token, p);
            break;
        case LJ_T_GLOBAL:
        case LJ_T_LOCAL:
        case LJ_T_COMDAT:
        case LJ_T_META:
        case LJ_T_SUMMARY:
            p = lj_ir_next(p, b->end, &next);
            if (!lj_ir_is(&next, '='))
                p = lj_ir_build_fail(b, LJ_IR_SYNTAX, next.start, "expected '=' after", &token);
            else if (token.kind == LJ_T_GLOBAL)
                p = lj_ir_build_variable(b, &token, p);
            else
                p = read_assigned(b, &token, p);
            break;
        case LJ_T_BROKEN:
            p = lj_ir_build_fail(b, LJ_IR_SYNTAX, token.start, "unterminated string", NULL);
            break;
        default:
            p = lj_ir_build_fail(b, LJ_IR_SYNTAX, token.start, "expected top-level entity", NULL);
        }
    }
    return false;
}

lj_status lj_ir_index_new(const char *text, uint64_t length, uint32_t ordinal, lj_ir_index **out,
                          lj_fault *fault) {
    *out = NULL;
    if (length > UINT32_MAX - 64)
        return lj_fail(fault, LJ_IR_TOO_LARGE, 0, length, "%llu bytes", (unsigned long long)length);
    lj_ir_builder b = {.text = text, .end = text + length, .fault = fault, .current = -1};
    b.index = calloc(1, sizeof *b.index);
    if (!b.index)
        return lj_fail(fault, LJ_NO_MEMORY, 0, 0, "indexing IR");
    b.index->text = text;
    b.index->length = length;
    b.index->ordinal = ordinal;
    if (read_module(&b) && lj_ir_build_finish(&b)) {
        *out = b.index;
    } else {
        lj_ir_index_dispose(b.index);
    }
    free(b.stamps);
    free(b.scratch);
    free(b.attributes);
    free(b.ties);
    return b.status;
}

static void dispose_nameds(lj_ir_nameds *table) {
    free(table->at);
    free(table->names.slots);
}

void lj_ir_index_dispose(lj_ir_index *index) {
    if (!index)
        return;
    free(index->entities);
    free(index->names.slots);
    free(index->aside);
    free(index->refs);
    free(index->ref_flags);
    dispose_nameds(&index->types);
    dispose_nameds(&index->comdats);
    dispose_nameds(&index->named_metadata);
    dispose_nameds(&index->module_asm);
    free(index->numbered_types.at);
    free(index->attributes.at);
    free(index->metadata.at);
    free(index->group_starts);
    free(index->group_members);
    free(index->module_flags);
    free(index);
}
