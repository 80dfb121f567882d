/* Entities as units have them: definitions under new names, carried bodies, declarations.
 *
 * Headers are written token by token. What a unit's model of linking replaces is dropped: linkage,
 * visibility, dso_local, comdats, partitions; of declarations also all that LLVM allows on
 * definitions alone. The line ends that get lost on the way are written before the body.
 */
#include "ir_carver.h"

static bool is_any(const lj_ir_token *token, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (lj_ir_is_word(token, words[i]))
            return true;
    return false;
}
#define IS_ANY(token, words) is_any(token, words, sizeof words / sizeof *words)

/* Words of a header that say how it is linked. */
static bool is_linking(const lj_ir_token *token) {
    static const char *const words[] = {"external",  "available_externally",
                                        "linkonce",  "linkonce_odr",
                                        "weak",      "weak_odr",
                                        "appending", "internal",
                                        "private",   "extern_weak",
                                        "common",    "default",
                                        "hidden",    "protected",
                                        "dllimport", "dllexport",
                                        "dso_local", "dso_preemptable"};
    return token->kind == LJ_T_WORD && IS_ANY(token, words);
}

/* Writes a token as it is, apart from the one before it when it stood apart. */
static void put_token(lj_ir_carver *c, const char **previous, const lj_ir_token *token) {
    if (token->start != *previous)
        lj_ir_put(c, " ", 1);
    switch (token->kind) {
    case LJ_T_LOCAL:
        lj_ir_need_type(c, token);
        break;
    case LJ_T_HASH:
        if (token->numbered)
            lj_ir_need_attribute(c, token->number);
        break;
    case LJ_T_META:
        if (token->numbered)
            lj_ir_need_metadata(c, token->number);
        break;
    default:
        break;
    }
    lj_ir_put(c, token->start, (size_t)(token->end - token->start));
    *previous = token->end;
}

/* Writes a bracketed group; returns behind it, or `end` when it has none. */
static const char *put_group(lj_ir_carver *c, const char **previous, const char *open,
                             const char *end) {
    const char *after = lj_ir_skip_group(open, end);
    if (!after)
        return end;
    if (open != *previous)
        lj_ir_put(c, " ", 1);
    lj_ir_copy(c, open, after, LJ_IR_REGION_PLAIN);
    *previous = after;
    return after;
}

static const char *skip_bracketed(const char *p, const char *end) {
    lj_ir_token token;
    lj_ir_next(p, end, &token);
    const char *after = lj_ir_is(&token, '(') ? lj_ir_skip_group(token.start, end) : p;
    return after ? after : end;
}

/* Behind a metadata attachment whose name was read. */
static const char *skip_attached(const char *p, const char *end) {
    lj_ir_token token, open;
    p = lj_ir_next(p, end, &token);
    if (token.kind == LJ_T_META && token.numbered)
        return p;
    lj_ir_next(p, end, &open);
    const char *after = open.kind == LJ_T_OPEN ? lj_ir_skip_group(open.start, end) : p;
    return after ? after : end;
}

/* Behind what `token` opens when a function's header in this form does without it; else NULL. */
static const char *skip_dropped(const lj_ir_token *token, const char *p, const char *end,
                                enum lj_ir_form form) {
    static const char *const with_string[] = {"section", "gc"};
    static const char *const with_constant[] = {"prefix", "prologue", "personality"};
    lj_ir_token next;
    if (lj_ir_is_word(token, "comdat"))
        return skip_bracketed(p, end);
    if (lj_ir_is_word(token, "partition"))
        return lj_ir_next(p, end, &next);
    if (form != LJ_IR_FORM_DECLARE)
        return NULL;
    if (IS_ANY(token, with_string))
        return lj_ir_next(p, end, &next);
    if (lj_ir_is_word(token, "align")) {
        const char *after = lj_ir_next(p, end, &next);
        return lj_ir_is(&next, '(') ? skip_bracketed(p, end) : after;
    }
    if (IS_ANY(token, with_constant)) {
        const char *value = lj_ir_skip_type(p, end);
        const char *after = value ? lj_ir_next(value, end, &next) : end;
        if (value && next.kind == LJ_T_OPEN)
            after = lj_ir_skip_group(next.start, end);
        else if (value && next.kind == LJ_T_WORD) /* getelementptr (...) and the like */
            after = skip_bracketed(after, end);
        return after ? after : end;
    }
    if (token->kind == LJ_T_META && !token->numbered)
        return skip_attached(p, end);
    return NULL;
}

/* From the parameters' end to the body, or to the end of a declaration. */
static void emit_function_tail(lj_ir_carver *c, const char *p, const char *end,
                               enum lj_ir_form form, const char *previous) {
    while (p < end) {
        lj_ir_token token;
        p = lj_ir_next(p, end, &token);
        if (token.kind == LJ_T_END || token.kind == LJ_T_BROKEN)
            break;
        const char *behind = skip_dropped(&token, p, end, form);
        if (behind) {
            p = behind;
        } else if (token.kind == LJ_T_OPEN) {
            p = put_group(c, &previous, token.start, end);
        } else if (token.kind == LJ_T_GLOBAL) {
            lj_ir_put(c, " ", 1);
            lj_ir_copy_global(c, &token, false, false);
            previous = token.end;
        } else {
            put_token(c, &previous, &token);
        }
    }
}

void lj_ir_emit_function(lj_ir_carver *c, int32_t id, enum lj_ir_form form) {
    const lj_ir_entity *e = &c->index->entities[id];
    const char *text = c->index->text, *start = text + e->start;
    const char *parameters = text + e->type, *tail = text + e->tail, *body = text + e->body;
    bool local = e->flags & LJ_IR_LOCAL;
    lj_ir_chunk_here(c, start);
    size_t line_start = c->length;
    lj_ir_token token;
    const char *p = lj_ir_next(start, parameters, &token), *previous = NULL;
    if (form == LJ_IR_FORM_DECLARE)
        lj_ir_put_string(c, e->linkage == LJ_IR_LINK_EXTERN_WEAK ? "declare extern_weak"
                            : local                              ? "declare hidden"
                                                                 : "declare");
    else if (form == LJ_IR_FORM_CARRY)
        lj_ir_put_string(c, local ? "define available_externally hidden"
                                  : "define available_externally");
    else
        lj_ir_put_string(c, "define hidden");
    while (p < parameters) {
        p = lj_ir_next(p, parameters, &token);
        if (token.kind == LJ_T_GLOBAL || token.kind == LJ_T_END || token.kind == LJ_T_BROKEN)
            break;
        if (token.kind == LJ_T_META && !token.numbered) /* declarations have theirs in front */
            p = skip_attached(p, parameters);
        else if (token.kind == LJ_T_OPEN)
            p = put_group(c, &previous, token.start, parameters);
        else if (!is_linking(&token))
            put_token(c, &previous, &token);
    }
    lj_ir_put(c, " ", 1);
    lj_ir_put_symbol(c, id, form == LJ_IR_FORM_DEFINE);
    lj_ir_copy(c, parameters, tail, LJ_IR_REGION_PLAIN);
    emit_function_tail(c, tail, body, form, tail);
    if (form != LJ_IR_FORM_DECLARE) {
        uint32_t had = lj_ir_count_lines(start, body);
        uint32_t have =
            c->failed ? had : lj_ir_count_lines(c->out + line_start, c->out + c->length);
        lj_ir_put(c, " ", 1);
        for (; have < had; have++)
            lj_ir_put(c, "\n", 1);
        lj_ir_copy(c, body, start + e->length, LJ_IR_REGION_BODY);
    }
    lj_ir_put(c, "\n", 1);
}

/* The words between = and the value type. */
static void emit_variable_words(lj_ir_carver *c, const char *p, const char *end) {
    const char *previous = NULL;
    while (p < end) {
        lj_ir_token token;
        p = lj_ir_next(p, end, &token);
        if (token.kind == LJ_T_END || token.kind == LJ_T_BROKEN)
            break;
        if (is_linking(&token))
            continue;
        if (lj_ir_is_word(&token, "thread_local")) {
            lj_ir_put_string(c, " thread_local"); /* a model holds for a whole image only */
            p = skip_bracketed(p, end);
        } else if (token.kind == LJ_T_OPEN) {
            p = put_group(c, &previous, token.start, end);
        } else {
            put_token(c, &previous, &token);
        }
    }
    lj_ir_put(c, " ", 1);
}

/* The items behind the initializer, each behind a comma. */
static void emit_variable_tail(lj_ir_carver *c, const lj_ir_entity *e, enum lj_ir_form form) {
    static const char *const of_place[] = {"align", "code_model"};
    static const char *const dropped[] = {"comdat", "partition"};
    const char *p = c->index->text + e->tail, *end = c->index->text + e->start + e->length;
    lj_ir_token comma, token;
    const char *after = lj_ir_next(p, end, &comma);
    if (!lj_ir_is(&comma, ',')) {
        if (form == LJ_IR_FORM_DEFINE && p < end) {
            lj_ir_put(c, " ", 1);
            lj_ir_copy(c, p, end, LJ_IR_REGION_PLAIN);
        }
        return;
    }
    while (lj_ir_is(&comma, ',')) {
        const char *rest = lj_ir_next(after, end, &token);
        p = lj_ir_skip_to_comma(after, end);
        after = lj_ir_next(p, end, &comma);
        bool keep;
        if (IS_ANY(&token, of_place)) {
            keep = true;
            if (form == LJ_IR_FORM_DECLARE) { /* nothing that may follow without a comma */
                lj_ir_token value;
                p = lj_ir_next(rest, end, &value);
            }
        } else if (token.kind == LJ_T_META) {
            bool debug = token.name_length == 3 && !memcmp(token.name, "dbg", 3);
            bool associated = token.name_length == 10 && !memcmp(token.name, "associated", 10);
            keep =
                !debug && !associated && (form == LJ_IR_FORM_DEFINE || e->kind == LJ_IR_EXTERNAL);
        } else {
            keep = form == LJ_IR_FORM_DEFINE && !IS_ANY(&token, dropped);
        }
        if (keep) {
            lj_ir_put(c, ", ", 2);
            lj_ir_copy(c, token.start, p, LJ_IR_REGION_PLAIN);
        }
    }
}

/* "name = linkage" of a variable or alias. */
static void emit_variable_linkage(lj_ir_carver *c, int32_t id, enum lj_ir_form form) {
    const lj_ir_entity *e = &c->index->entities[id];
    bool tls = e->flags & LJ_IR_TLS; /* hidden ones would share one module's block */
    bool hidden = !tls && (e->flags & LJ_IR_LOCAL || e->visibility == LJ_IR_HIDDEN);
    bool ours = lj_ir_in_unit(e) && !(e->flags & LJ_IR_WEAK) && !tls;
    lj_ir_put_symbol(c, id, false);
    lj_ir_put(c, " =", 2);
    switch (form) {
    case LJ_IR_FORM_DEFINE:
        lj_ir_put_string(c, hidden ? " hidden" : tls ? "" : " dso_local");
        break;
    case LJ_IR_FORM_CARRY:
        lj_ir_put_string(c, " available_externally");
        if (hidden && ours)
            lj_ir_put_string(c, " hidden");
        break;
    case LJ_IR_FORM_PRIVATE:
        lj_ir_put_string(c, " private");
        break;
    case LJ_IR_FORM_DECLARE:
        lj_ir_put_string(c, e->linkage == LJ_IR_LINK_EXTERN_WEAK ? " extern_weak" : " external");
        if (ours && (hidden || e->flags & LJ_IR_DSO_LOCAL))
            lj_ir_put_string(c, hidden ? " hidden" : " dso_local");
        break;
    }
}

void lj_ir_emit_variable(lj_ir_carver *c, int32_t id, enum lj_ir_form form) {
    const lj_ir_entity *e = &c->index->entities[id];
    const char *text = c->index->text;
    lj_ir_chunk_here(c, text + e->start);
    lj_ir_token token;
    const char *p = lj_ir_next(text + e->start, text + e->type, &token); /* the name */
    p = lj_ir_next(p, text + e->type, &token);                           /* = */
    emit_variable_linkage(c, id, form);
    emit_variable_words(c, p, text + e->type);
    const char *value_end = text + (form == LJ_IR_FORM_DECLARE ? e->body : e->tail);
    while (value_end > text + e->type && lj_is(value_end[-1], LJ_C_BLANK))
        value_end--;
    lj_ir_copy(c, text + e->type, value_end, LJ_IR_REGION_PLAIN);
    emit_variable_tail(c, e, form);
    lj_ir_put(c, "\n", 1);
}

void lj_ir_emit_alias(lj_ir_carver *c, int32_t id) {
    const lj_ir_entity *e = &c->index->entities[id];
    const char *text = c->index->text;
    lj_ir_chunk_here(c, text + e->start);
    lj_ir_token token;
    const char *p = lj_ir_next(text + e->start, text + e->type, &token);
    p = lj_ir_next(p, text + e->type, &token);
    emit_variable_linkage(c, id, LJ_IR_FORM_DEFINE);
    emit_variable_words(c, p, text + e->type);
    lj_ir_copy(c, text + e->type, text + e->tail, LJ_IR_REGION_ALIASEE);
    lj_ir_put(c, "\n", 1);
}

/* The address space of the variable behind an alias, whose own statement doesn't name it. */
static void emit_address_space(lj_ir_carver *c, int32_t base) {
    if (base < 0 || c->index->entities[base].kind != LJ_IR_VARIABLE)
        return;
    const char *p = c->index->text + c->index->entities[base].start;
    const char *end = c->index->text + c->index->entities[base].type, *previous = NULL;
    for (lj_ir_token token; p < end;) {
        p = lj_ir_next(p, end, &token);
        if (!lj_ir_is_word(&token, "addrspace"))
            continue;
        put_token(c, &previous, &token);
        lj_ir_next(p, end, &token);
        put_group(c, &previous, token.start, end);
        return;
    }
}

void lj_ir_emit_alias_declaration(lj_ir_carver *c, int32_t id) {
    const lj_ir_entity *e = &c->index->entities[id];
    const char *type = c->index->text + e->type, *end = c->index->text + e->body;
    const char *after = lj_ir_skip_type(type, end);
    if (!after)
        after = end;
    lj_ir_token open;
    lj_ir_next(after, end, &open);
    lj_ir_chunk_here(c, type);
    if (lj_ir_is(&open, '(')) {
        const char *close = lj_ir_skip_group(open.start, end);
        lj_ir_put_string(c, e->flags & LJ_IR_LOCAL ? "declare hidden " : "declare ");
        lj_ir_copy(c, type, after, LJ_IR_REGION_PLAIN);
        lj_ir_put(c, " ", 1);
        lj_ir_put_symbol(c, id, false);
        lj_ir_copy(c, open.start, close ? close : end, LJ_IR_REGION_PLAIN);
    } else {
        emit_variable_linkage(c, id, LJ_IR_FORM_DECLARE);
        lj_ir_put_string(c, e->flags & LJ_IR_TLS ? " thread_local" : "");
        emit_address_space(c, e->aliasee);
        lj_ir_put_string(c, " global ");
        lj_ir_copy(c, type, after, LJ_IR_REGION_PLAIN);
    }
    lj_ir_put(c, "\n", 1);
}
