/* The indexing pass's grammar of the @ namespace: headers of functions, variables, aliases, ifuncs.
 *
 * What decides how an entity may be carved is read here: linkage, visibility, whether it is
 * constant, thread-local, has a section, may be inlined elsewhere. All else is passed over.
 */
#include "ir_build.h"

static const char *const linkages[] = {
    [LJ_IR_LINK_EXTERNAL] = "external",
    [LJ_IR_LINK_AVAILABLE_EXTERNALLY] = "available_externally",
    [LJ_IR_LINK_LINKONCE] = "linkonce",
    [LJ_IR_LINK_LINKONCE_ODR] = "linkonce_odr",
    [LJ_IR_LINK_WEAK] = "weak",
    [LJ_IR_LINK_WEAK_ODR] = "weak_odr",
    [LJ_IR_LINK_APPENDING] = "appending",
    [LJ_IR_LINK_INTERNAL] = "internal",
    [LJ_IR_LINK_PRIVATE] = "private",
    [LJ_IR_LINK_EXTERN_WEAK] = "extern_weak",
    [LJ_IR_LINK_COMMON] = "common",
};
static const char *const visibilities[] = {"default", "hidden", "protected"};

/* What the function attributes and other words of a header say. */
static const struct {
    const char *word;
    uint32_t flags;
} marks[] = {
    {"unnamed_addr", LJ_IR_UNNAMED_ADDR},
    {"dso_local", LJ_IR_DSO_LOCAL},
    {"noinline", LJ_IR_NOINLINE},
    {"optnone", LJ_IR_NOINLINE},
    {"naked", LJ_IR_NOINLINE},
    {"presplitcoroutine", LJ_IR_NOINLINE},
    {"alwaysinline", LJ_IR_ALWAYSINLINE},
    {"cold", LJ_IR_COLD},
    {"noreturn", LJ_IR_COLD},
};

static int find_word(const lj_ir_token *token, const char *const *words, int count) {
    for (int i = 0; i < count; i++)
        if (lj_ir_is_word(token, words[i]))
            return i;
    return -1;
}

uint32_t lj_ir_marks(const lj_ir_token *token) {
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (lj_ir_is_word(token, marks[i].word))
            return marks[i].flags;
    return 0;
}

static void read_prefix_word(lj_ir_entity *e, const lj_ir_token *token, bool *linked) {
    int found = find_word(token, linkages, sizeof linkages / sizeof *linkages);
    if (found >= 0) {
        e->linkage = (uint8_t)found;
        *linked = true;
        return;
    }
    found = find_word(token, visibilities, 3);
    if (found >= 0)
        e->visibility = (uint8_t)found;
    else
        e->flags |= lj_ir_marks(token);
}

static lj_ir_entity *define(lj_ir_builder *b, const lj_ir_token *name, const char *start,
                            uint8_t kind) {
    int32_t id = lj_ir_build_entity(b, name);
    if (id < 0)
        return NULL;
    lj_ir_entity *e = &b->index->entities[id];
    if (e->kind != LJ_IR_UNDEFINED) {
        lj_ir_build_fail(b, LJ_IR_DUPLICATE, name->start, "redefinition of", name);
        return NULL;
    }
    b->current = id;
    b->floor = start;
    e->kind = kind;
    e->start = (uint32_t)(start - b->text);
    e->refs = b->index->ref_count;
    return e;
}

/* Closes the current entity at the last token that belonged to it. */
static void close_entity(lj_ir_builder *b) {
    lj_ir_entity *e = &b->index->entities[b->current];
    const uint32_t weak = 1u << LJ_IR_LINK_LINKONCE | 1u << LJ_IR_LINK_LINKONCE_ODR |
                          1u << LJ_IR_LINK_WEAK | 1u << LJ_IR_LINK_WEAK_ODR |
                          1u << LJ_IR_LINK_EXTERN_WEAK | 1u << LJ_IR_LINK_COMMON;
    const uint32_t overridable =
        weak & ~(1u << LJ_IR_LINK_LINKONCE_ODR | 1u << LJ_IR_LINK_WEAK_ODR);
    uint32_t link = 1u << e->linkage;
    e->length = (uint32_t)(b->last_end - b->text) - e->start;
    if (link & weak)
        e->flags |= LJ_IR_WEAK;
    if (link & overridable)
        e->flags |= LJ_IR_OVERRIDABLE;
    if (link & (1u << LJ_IR_LINK_INTERNAL | 1u << LJ_IR_LINK_PRIVATE) || e->flags & LJ_IR_NUMBERED)
        e->flags |= LJ_IR_LOCAL;
    if (e->linkage == LJ_IR_LINK_AVAILABLE_EXTERNALLY)
        e->flags |= LJ_IR_NO_UNIT;
    if (e->kind == LJ_IR_FUNCTION || e->kind == LJ_IR_DECLARATION || e->kind == LJ_IR_IFUNC)
        e->flags |= LJ_IR_CALLABLE;
    const char *name = lj_ir_name_bytes(b->index, e);
    if (!(e->flags & LJ_IR_NUMBERED) && e->name_length > 5 && !memcmp(name, "llvm.", 5) &&
        (e->kind == LJ_IR_VARIABLE || e->kind == LJ_IR_DECLARATION))
        e->flags |= LJ_IR_SPECIAL | LJ_IR_NO_UNIT;
    b->current = -1;
}

/* `comdat` was read: its name is the entity's own unless one follows in parentheses. */
static const char *read_comdat(lj_ir_builder *b, const char *p, const lj_ir_token *own) {
    lj_ir_token token, name = *own;
    const char *after = lj_ir_next(p, b->end, &token);
    if (lj_ir_is(&token, '(')) {
        after = lj_ir_next(after, b->end, &name);
        if (name.kind != LJ_T_COMDAT)
            return lj_ir_build_fail(b, LJ_IR_SYNTAX, name.start, "expected a comdat", NULL);
        after = lj_ir_next(after, b->end, &token);
        if (!lj_ir_is(&token, ')'))
            return lj_ir_build_fail(b, LJ_IR_SYNTAX, token.start, "expected ')'", NULL);
        p = after;
    }
    bool made;
    lj_ir_named *comdat = lj_ir_build_named(b, &b->index->comdats, &name, &made);
    if (!comdat)
        return NULL;
    lj_ir_entity *e = &b->index->entities[b->current];
    e->comdat = (int32_t)(comdat - b->index->comdats.at);
    b->last_end = p;
    return p;
}

/* The data behind prefix, prologue or personality: a type and a constant, either with braces. */
static const char *read_constant(lj_ir_builder *b, const char *p) {
    const char *value = lj_ir_skip_type(p, b->end);
    if (!value)
        return lj_ir_build_fail(b, LJ_IR_SYNTAX, p, "expected a type", NULL);
    lj_ir_token token;
    p = lj_ir_next(value, b->end, &token);
    if (token.kind == LJ_T_GLOBAL && !lj_ir_build_ref(b, &token))
        return NULL;
    return token.kind == LJ_T_OPEN ? lj_ir_build_scan(b, p, false) : p;
}

/* Between the parameters and the body. Leaves *body at the brace, or NULL when there is none. */
static const char *read_function_tail(lj_ir_builder *b, const char *p, const lj_ir_token *own,
                                      bool defined, const char **body) {
    lj_ir_index *ix = b->index;
    *body = NULL;
    for (;;) {
        lj_ir_token token, next;
        const char *after = lj_ir_next(p, b->end, &token);
        if (defined && lj_ir_is(&token, '{')) {
            *body = token.start;
            return after;
        }
        if (token.kind == LJ_T_END || lj_ir_starts_entity(b, &token, after))
            return token.start;
        if (token.kind == LJ_T_BROKEN || token.kind == LJ_T_CLOSE)
            return lj_ir_build_fail(b, LJ_IR_SYNTAX, token.start, "malformed function header", own);
        if (lj_ir_is_word(&token, "comdat")) {
            after = read_comdat(b, after, own);
        } else if (lj_ir_is_word(&token, "prefix") || lj_ir_is_word(&token, "prologue") ||
                   lj_ir_is_word(&token, "personality")) {
            after = read_constant(b, after);
        } else if (token.kind == LJ_T_WORD) {
            ix->entities[b->current].flags |= lj_ir_marks(&token);
        } else if (token.kind == LJ_T_HASH && token.numbered) {
            if (!lj_ir_build_pair(b, &b->attributes, &b->attribute_count, &b->attribute_room,
                                  (uint32_t)b->current, token.number))
                return NULL;
        } else if (token.kind == LJ_T_GLOBAL) {
            if (!lj_ir_build_ref(b, &token))
                return NULL;
        } else if (token.kind == LJ_T_OPEN) {
            after = lj_ir_build_scan(b, after, false);
        } else if (token.kind == LJ_T_BANG) { /* an attached tuple: !{...} */
            const char *behind = lj_ir_next(after, b->end, &next);
            if (lj_ir_is(&next, '{'))
                after = lj_ir_build_scan(b, behind, false);
        }
        if (!after)
            return NULL;
        b->last_end = p = after;
    }
}

const char *lj_ir_build_function(lj_ir_builder *b, const lj_ir_token *keyword, const char *p) {
    bool defined = lj_ir_is_word(keyword, "define"), linked = false;
    lj_ir_entity header = {0};
    lj_ir_token token;
    for (;;) { /* up to the name */
        p = lj_ir_next(p, b->end, &token);
        if (token.kind == LJ_T_GLOBAL)
            break;
        if (token.kind == LJ_T_WORD) {
            read_prefix_word(&header, &token, &linked);
        } else if (token.kind == LJ_T_OPEN) {
            p = lj_ir_skip_group(token.start, b->end);
            if (!p)
                return lj_ir_build_fail(b, LJ_IR_SYNTAX, token.start, "unbalanced bracket", NULL);
        } else if (token.kind == LJ_T_END || token.kind == LJ_T_BROKEN ||
                   token.kind == LJ_T_CLOSE || lj_ir_is(&token, '=')) {
            return lj_ir_build_fail(b, LJ_IR_SYNTAX, token.start, "expected function name", NULL);
        }
    }
    lj_ir_token name = token;
    lj_ir_entity *e =
        define(b, &name, keyword->start, defined ? LJ_IR_FUNCTION : LJ_IR_DECLARATION);
    if (!e)
        return NULL;
    e->linkage = header.linkage;
    e->visibility = header.visibility;
    e->flags |= header.flags & LJ_IR_DSO_LOCAL;
    p = lj_ir_next(p, b->end, &token);
    if (!lj_ir_is(&token, '('))
        return lj_ir_build_fail(b, LJ_IR_SYNTAX, token.start, "expected '(' after", &name);
    e->type = (uint32_t)(token.start - b->text);
    p = lj_ir_build_scan(b, p, false);
    if (!p)
        return NULL;
    e = &b->index->entities[b->current];
    const char *dots = p - 1;
    while (dots > b->floor && lj_is(dots[-1], LJ_C_BLANK))
        dots--;
    if (dots - b->floor > 3 && !memcmp(dots - 3, "...", 3))
        e->flags |= LJ_IR_VARARG;
    e->tail = (uint32_t)(p - b->text);
    b->last_end = p;
    const char *body;
    p = read_function_tail(b, p, &name, defined, &body);
    if (!p)
        return NULL;
    e = &b->index->entities[b->current];
    if (defined) {
        if (!body)
            return lj_ir_build_fail(b, LJ_IR_SYNTAX, p, "expected '{' in the definition of", &name);
        e->body = (uint32_t)(body - b->text);
        p = lj_ir_build_scan(b, p, true);
        if (!p)
            return NULL;
        b->last_end = p;
    } else {
        e->body = (uint32_t)(b->last_end - b->text);
    }
    close_entity(b);
    return p;
}

/* Behind the initializer: what pins the variable to a place. */
static const char *read_variable_tail(lj_ir_builder *b, const char *p, const lj_ir_token *own) {
    for (;;) {
        lj_ir_token token;
        const char *after = lj_ir_next(p, b->end, &token);
        if (token.kind == LJ_T_END || lj_ir_starts_entity(b, &token, after))
            return token.start;
        if (token.kind == LJ_T_BROKEN || token.kind == LJ_T_CLOSE)
            return lj_ir_build_fail(b, LJ_IR_SYNTAX, token.start, "malformed definition of", own);
        if (lj_ir_is_word(&token, "comdat")) {
            after = read_comdat(b, after, own);
        } else if (lj_ir_is_word(&token, "section")) {
            lj_ir_token section;
            after = lj_ir_next(after, b->end, &section);
            lj_ir_entity *e = &b->index->entities[b->current];
            e->flags |= LJ_IR_PLACED;
            if (section.kind == LJ_T_STRING && section.name_length == 13 &&
                !memcmp(section.name, "llvm.metadata", 13))
                e->flags |= LJ_IR_SPECIAL | LJ_IR_NO_UNIT;
        } else if (token.kind == LJ_T_OPEN) {
            after = lj_ir_build_scan(b, after, false);
        } else if (token.kind == LJ_T_GLOBAL && !lj_ir_build_ref(b, &token)) {
            return NULL;
        }
        if (!after)
            return NULL;
        b->last_end = p = after;
    }
}

const char *lj_ir_build_variable(lj_ir_builder *b, const lj_ir_token *name, const char *p) {
    lj_ir_entity *e = define(b, name, name->start, LJ_IR_VARIABLE);
    if (!e)
        return NULL;
    lj_ir_token token;
    bool linked = false;
    for (;;) { /* up to the word that says what it is */
        p = lj_ir_next(p, b->end, &token);
        if (lj_ir_is(&token, '(')) { /* thread_local(...), addrspace(...) */
            p = lj_ir_skip_group(token.start, b->end);
            if (p)
                continue;
        }
        if (token.kind != LJ_T_WORD)
            return lj_ir_build_fail(b, LJ_IR_SYNTAX, token.start, "malformed definition of", name);
        if (lj_ir_is_word(&token, "global"))
            break;
        if (lj_ir_is_word(&token, "constant")) {
            e->flags |= LJ_IR_CONSTANT;
            break;
        }
        if (lj_ir_is_word(&token, "alias") || lj_ir_is_word(&token, "ifunc")) {
            e->kind = *token.start == 'a' ? LJ_IR_ALIAS : LJ_IR_IFUNC;
            break;
        }
        if (lj_ir_is_word(&token, "thread_local"))
            e->flags |= LJ_IR_TLS;
        else if (lj_ir_is_word(&token, "externally_initialized"))
            e->flags |= LJ_IR_PLACED;
        else if (lj_ir_is_word(&token, "local_unnamed_addr"))
            e->flags |= LJ_IR_UNNAMED_ADDR; /* counts for locals only: see ir_finish.c */
        else
            read_prefix_word(e, &token, &linked);
    }
    lj_ir_next(p, b->end, &token);
    e->type = (uint32_t)(token.start - b->text);
    p = lj_ir_skip_type(p, b->end);
    if (!p)
        return lj_ir_build_fail(b, LJ_IR_SYNTAX, token.start, "expected the type of", name);
    b->last_end = p;
    const char *body = p;
    if (e->kind == LJ_IR_VARIABLE && linked &&
        (e->linkage == LJ_IR_LINK_EXTERNAL || e->linkage == LJ_IR_LINK_EXTERN_WEAK)) {
        e->kind = LJ_IR_EXTERNAL;
    } else {
        bool alias = e->kind != LJ_IR_VARIABLE, plain = false;
        const char *after = lj_ir_next(p, b->end, &token);
        if (alias && lj_ir_is(&token, '(')) { /* the value type is a function's */
            p = lj_ir_skip_group(token.start, b->end);
            if (!p)
                return lj_ir_build_fail(b, LJ_IR_SYNTAX, token.start, "unbalanced bracket", NULL);
            after = lj_ir_next(p, b->end, &token);
        }
        if (alias) {
            if (!lj_ir_is(&token, ','))
                return lj_ir_build_fail(b, LJ_IR_SYNTAX, token.start, "expected ',' in", name);
            after = lj_ir_skip_type(p = after, b->end);
            lj_ir_token target;
            if (after) {
                lj_ir_next(after, b->end, &target);
                plain = target.kind == LJ_T_GLOBAL;
            }
            lj_ir_next(p, b->end, &token);
        }
        body = token.start;
        p = lj_ir_build_rest(b, p, true);
        if (!p)
            return NULL;
        e = &b->index->entities[b->current];
        if (alias) {
            e->aliasee = b->first_ref;
            if (plain)
                e->flags |= LJ_IR_PLAIN_ALIAS;
        }
    }
    e->body = (uint32_t)(body - b->text);
    e->tail = (uint32_t)(b->last_end - b->text);
    p = read_variable_tail(b, p, name);
    if (p)
        close_entity(b);
    return p;
}
