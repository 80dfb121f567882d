/* Copying text into a unit: what it names is noted as needed, and renamed where it must be.
 *
 * The loop runs over bytes until one that may start a name. Comments are dropped, but not their
 * line ends: a unit's lines keep step with the module's within each entity, which is how errors
 * find their way back.
 */
#include "ir_carver.h"

#include <stdlib.h>

void lj_ir_put(lj_ir_carver *c, const char *bytes, size_t length) {
    if (c->room - c->length < length + 1) {
        size_t larger = c->room + c->room / 2 + length + 1024;
        char *moved = c->failed ? NULL : realloc(c->out, larger);
        if (!moved) {
            c->failed = true;
            return;
        }
        c->out = moved;
        c->room = larger;
    }
    if (length)
        memcpy(c->out + c->length, bytes, length);
    c->length += length;
}

void lj_ir_put_string(lj_ir_carver *c, const char *string) {
    lj_ir_put(c, string, strlen(string));
}

void lj_ir_put_number(lj_ir_carver *c, uint32_t number) {
    char digits[10];
    size_t n = sizeof digits;
    do
        digits[--n] = (char)('0' + number % 10);
    while (number /= 10);
    lj_ir_put(c, digits + n, sizeof digits - n);
}

static bool is_bare(const char *name, uint32_t length) {
    if (!length || lj_is(name[0], LJ_C_DIGIT))
        return false;
    for (uint32_t i = 0; i < length; i++)
        if (!lj_is(name[i], LJ_C_NAME))
            return false;
    return true;
}

static void put_escaped(lj_ir_carver *c, const char *name, uint32_t length) {
    static const char digits[] = "0123456789ABCDEF";
    for (uint32_t i = 0; i < length; i++) {
        uint8_t byte = (uint8_t)name[i];
        if (byte == '"' || byte == '\\' || byte < 0x20 || byte >= 0x7f) {
            char escape[3] = {'\\', digits[byte >> 4], digits[byte & 15]};
            lj_ir_put(c, escape, 3);
        } else {
            lj_ir_put(c, name + i, 1);
        }
    }
}

void lj_ir_put_symbol(lj_ir_carver *c, int32_t id, bool body) {
    const lj_ir_entity *e = &c->index->entities[id];
    bool quoted = false;
    if (e->flags & LJ_IR_NUMBERED) {
        lj_ir_put(c, "@__unnamed_", 11);
        lj_ir_put_number(c, e->name);
    } else {
        const char *name = lj_ir_name_bytes(c->index, e);
        quoted = !is_bare(name, e->name_length);
        lj_ir_put(c, "@\"", 1 + quoted);
        if (quoted)
            put_escaped(c, name, e->name_length);
        else
            lj_ir_put(c, name, e->name_length);
    }
    if (e->flags & LJ_IR_LOCAL) {
        lj_ir_put(c, "$", 1);
        lj_ir_put_number(c, c->index->ordinal);
    }
    if (body)
        lj_ir_put(c, "$body", 5);
    if (quoted)
        lj_ir_put(c, "\"", 1);
}

void lj_ir_chunk_here(lj_ir_carver *c, const char *original) {
    if (!lj_ir_grow((void **)&c->chunks, &c->chunk_room, c->chunk_count, sizeof *c->chunks)) {
        c->failed = true;
        return;
    }
    c->chunks[c->chunk_count++] =
        (lj_ir_chunk){(uint32_t)c->length, (uint32_t)(original - c->index->text)};
}

/* Looks a name up, unescaping it where needed; -1 when unknown. */
static int32_t find_entity(lj_ir_carver *c, const lj_ir_token *token) {
    if (token->escaped && token->name_length > c->scratch_room) {
        char *larger = realloc(c->scratch, token->name_length);
        if (!larger) {
            c->failed = true;
            return -1;
        }
        c->scratch = larger;
        c->scratch_room = token->name_length;
    }
    lj_ir_key key = lj_ir_key_of(token, c->scratch);
    return lj_ir_find_entity(c->index, &key);
}

/* A strong alias of a function is that function, everywhere in the program. */
static int32_t through_alias(const lj_ir_index *index, int32_t id) {
    const lj_ir_entity *e = &index->entities[id];
    if (e->kind == LJ_IR_ALIAS && e->flags & LJ_IR_CALLABLE && !(e->flags & LJ_IR_OVERRIDABLE) &&
        e->aliasee >= 0 && index->entities[e->aliasee].kind == LJ_IR_FUNCTION)
        return e->aliasee;
    return id;
}

void lj_ir_copy_global(lj_ir_carver *c, const lj_ir_token *token, bool call, bool body) {
    int32_t id = find_entity(c, token);
    if (id < 0 || c->index->entities[id].kind == LJ_IR_UNDEFINED) {
        lj_ir_put(c, token->start, (size_t)(token->end - token->start));
        return;
    }
    id = through_alias(c->index, id);
    const lj_ir_entity *e = &c->index->entities[id];
    if (e->kind == LJ_IR_FUNCTION &&
        lj_ir_state(c, LJ_IR_KEY_ENTITY, (uint32_t)id) & LJ_IR_DEFINED &&
        (body || (call && !c->options->indirect && !(e->flags & LJ_IR_OVERRIDABLE)))) {
        lj_ir_put_symbol(c, id, true);
        return;
    }
    lj_ir_need_entity(c, id, call);
    lj_ir_put_symbol(c, id, false);
}

/* --- what is dropped from bodies ------------------------------------------------------------ */

static const char *skip_attachments(const char *p, const char *end) {
    for (;;) {
        lj_ir_token token;
        const char *after = lj_ir_next(p, end, &token);
        if (token.kind == LJ_T_HASH && token.numbered) {
            p = after;
            continue;
        }
        if (!lj_ir_is(&token, ','))
            return p;
        after = lj_ir_next(after, end, &token);
        if (token.kind != LJ_T_META || token.numbered)
            return p;
        after = lj_ir_next(after, end, &token);
        if (token.kind == LJ_T_BANG || (token.kind == LJ_T_META && !token.numbered)) {
            lj_ir_next(after, end, &token);
            after = token.kind == LJ_T_OPEN ? lj_ir_skip_group(token.start, end) : NULL;
        } else if (token.kind != LJ_T_META) {
            after = NULL;
        }
        if (!after)
            return p;
        p = after;
    }
}

/* For a call of llvm.dbg.* whose callee is at `at`: where its instruction starts (not before
 * `floor`) and, in *end, where it ends. NULL when that can't be told; it is then kept. */
static const char *debug_call(const char *floor, const char *at, const char *name_end,
                              const char *limit, const char **end) {
    const char *start = NULL;
    for (const char *p = at; p - floor >= 4 && at - p < 256; p--)
        if (!memcmp(p - 4, "call", 4) && (p - 4 == floor || !lj_is(p[-5], LJ_C_NAME))) {
            start = p - 4;
            break;
        }
    if (!start)
        return NULL;
    const char *p = start;
    while (p > floor && lj_is(p[-1], LJ_C_BLANK))
        p--;
    if (p - floor >= 4 && !memcmp(p - 4, "tail", 4))
        start = p - 4 - (p - floor >= 6 && !memcmp(p - 6, "notail", 6) ? 2 : 0);
    lj_ir_token open;
    lj_ir_next(name_end, limit, &open);
    p = lj_ir_is(&open, '(') ? lj_ir_skip_group(open.start, limit) : NULL;
    if (!p)
        return NULL;
    *end = skip_attachments(p, limit);
    return start;
}

static void put_lines(lj_ir_carver *c, const char *from, const char *to) {
    for (; from < to; from++)
        if (*from == '\n')
            lj_ir_put(c, "\n", 1);
}

static bool is_name(const lj_ir_token *token, const char *name, size_t length) {
    return !token->numbered && token->name_length == length && !memcmp(token->name, name, length);
}

void lj_ir_copy(lj_ir_carver *c, const char *from, const char *to, enum lj_ir_region region) {
    const char *cursor = from; /* all before it is written */
    const char *p = from;
    lj_ir_comments comments = {0};
    const bool bodies = region == LJ_IR_REGION_BODY;
    while (p < to) {
        if (!lj_is(*p, LJ_C_STOP)) {
            p++;
            continue;
        }
        lj_ir_token token;
        const char *after = p;
        switch (*p) {
        case ';':
        case '/':
            after = lj_ir_comment_end(p, to);
            if (!after) {
                p++;
                continue;
            }
            lj_ir_note_comment(&comments, p, after);
            lj_ir_put(c, cursor, (size_t)(p - cursor));
            lj_ir_put(c, " ", 1);
            put_lines(c, p, after);
            cursor = p = after;
            continue;
        case '%': /* mostly values by number: %7 */
            if (p + 1 < to && lj_is(p[1], LJ_C_DIGIT) && !c->index->numbered_types.count) {
                for (p += 2; p < to && lj_is(*p, LJ_C_DIGIT);)
                    p++;
                continue;
            }
            lj_ir_next(p, to, &token);
            break;
        case '"':
            after = memchr(p + 1, '"', (size_t)(to - p - 1));
            p = after ? after + 1 : to;
            continue;
        default:
            lj_ir_next(p, to, &token);
        }
        if (token.kind == LJ_T_BROKEN) {
            p++;
            continue;
        }
        switch (token.kind) {
        case LJ_T_LOCAL:
            lj_ir_need_type(c, &token);
            break;
        case LJ_T_HASH:
            if (token.numbered) {
                lj_ir_need_attribute(c, token.number);
            } else if (bodies && token.name_length > 4 && !memcmp(token.name, "dbg_", 4)) {
                const char *open = lj_ir_skip_blank(token.end, to);
                const char *end = open < to && *open == '(' ? lj_ir_skip_group(open, to) : NULL;
                if (end) {
                    lj_ir_put(c, cursor, (size_t)(p - cursor));
                    put_lines(c, p, end);
                    cursor = p = end;
                    continue;
                }
            }
            break;
        case LJ_T_META:
            if (token.numbered) {
                lj_ir_need_metadata(c, token.number);
            } else if (bodies && is_name(&token, "DIAssignID", 10)) {
                const char *comma = p;
                while (comma > cursor && lj_is(comma[-1], LJ_C_BLANK))
                    comma--;
                lj_ir_token node;
                const char *end = lj_ir_next(token.end, to, &node);
                if (comma > cursor && comma[-1] == ',' && node.numbered) {
                    lj_ir_put(c, cursor, (size_t)(comma - 1 - cursor));
                    put_lines(c, comma, end);
                    cursor = p = end;
                    continue;
                }
            }
            break;
        case LJ_T_GLOBAL: {
            const char *next = lj_ir_skip_blank(token.end, to), *end;
            bool call = bodies && next < to && *next == '(';
            if (call && !token.numbered && token.name_length > 9 &&
                !memcmp(token.name, "llvm.dbg.", 9)) {
                const char *start = debug_call(cursor, p, token.end, to, &end);
                if (start) {
                    lj_ir_put(c, cursor, (size_t)(start - cursor));
                    put_lines(c, start, end);
                    cursor = p = end;
                    continue;
                }
            }
            lj_ir_put(c, cursor, (size_t)(p - cursor));
            bool body = region == LJ_IR_REGION_ALIASEE ||
                        (!call && lj_ir_after_blockaddress(p, from, &comments));
            lj_ir_copy_global(c, &token, call, body);
            cursor = token.end;
            break;
        }
        default:
            break;
        }
        p = token.end > p ? token.end : p + 1;
    }
    lj_ir_put(c, cursor, (size_t)(to - cursor));
}
