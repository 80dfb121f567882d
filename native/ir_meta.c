/* Metadata in units: what is copied, and where debug information is cut.
 *
 * From a line table the references run by subprograms to types, members, variables, namespaces and
 * the compile unit's lists: to most of the module. A unit keeps what a debugger, a profiler or an
 * unwinder needs to say where it is: locations with their inlining, lexical blocks, subprograms,
 * files, and the compile unit without its lists.
 */
#include "ir_carver.h"

typedef struct kept_node {
    const char *name;
    const char *const *dropped; /* fields that go, NULL-terminated */
} kept_node;

static const char *const nothing[] = {NULL};
static const char *const of_file[] = {"source", NULL};
static const char *const of_unit[] = {"enums",   "retainedTypes", "globals",
                                      "imports", "macros",        NULL};
static const char *const of_subprogram[] = {
    "templateParams", "declaration", "retainedNodes", "containingType", "thrownTypes",
    "annotations",    "scope",       "type",          "file",           NULL};

static const kept_node kept_nodes[] = {
    {"DILocation", nothing},         {"DILexicalBlock", nothing}, {"DILexicalBlockFile", nothing},
    {"DISubprogram", of_subprogram}, {"DIFile", of_file},         {"DICompileUnit", of_unit},
    {"DIAssignID", nothing},         {"DIExpression", nothing},   {"DIBasicType", nothing},
};

static bool is_name(const lj_ir_token *token, const char *name) {
    size_t length = strlen(name);
    return token->name_length == length && !memcmp(token->name, name, length);
}

/* The head of a node: !7 = [distinct] !Class(...). *fields is at the parenthesis, or the result
 * is false: a plain tuple. */
static bool read_class(const lj_ir_index *ix, const lj_ir_numbered *node, lj_ir_token *class_name,
                       const char **fields, bool *distinct) {
    const char *p = ix->text + node->start, *end = p + node->length;
    lj_ir_token open;
    p = lj_ir_next(p, end, class_name); /* !7 */
    p = lj_ir_next(p, end, class_name); /* = */
    p = lj_ir_next(p, end, class_name);
    *distinct = lj_ir_is_word(class_name, "distinct");
    if (*distinct)
        p = lj_ir_next(p, end, class_name);
    if (class_name->kind != LJ_T_META || class_name->numbered)
        return false;
    lj_ir_next(p, end, &open);
    *fields = open.start;
    return lj_ir_is(&open, '(');
}

/* Whether a value is a reference to a node of one of two classes. */
static bool refers_to(const lj_ir_index *ix, const char *value, const char *end, const char *a,
                      const char *b) {
    lj_ir_token token, class_name;
    const char *fields;
    bool distinct;
    lj_ir_next(value, end, &token);
    if (token.kind != LJ_T_META || !token.numbered)
        return false;
    const lj_ir_numbered *node = lj_ir_find_numbered(&ix->metadata, token.number);
    return node && read_class(ix, node, &class_name, &fields, &distinct) &&
           (is_name(&class_name, a) || is_name(&class_name, b));
}

static void put_field(lj_ir_carver *c, bool *first, const char *name, const char *value,
                      const char *end) {
    if (!*first)
        lj_ir_put(c, ", ", 2);
    *first = false;
    lj_ir_put_string(c, name);
    lj_ir_copy(c, value, end, LJ_IR_REGION_PLAIN);
}

static void emit_fields(lj_ir_carver *c, const kept_node *kept, const char *p, const char *end) {
    bool subprogram = kept->dropped == of_subprogram, first = true;
    const char *file = NULL, *file_end = NULL, *scope = NULL, *scope_end = NULL;
    lj_ir_token token, colon;
    p = lj_ir_next(p, end, &token); /* the parenthesis */
    while (p < end) {
        const char *start = lj_ir_skip_blank(p, end);
        p = lj_ir_next(p, end, &token);
        if (token.kind != LJ_T_WORD)
            break;
        const char *value = lj_ir_next(p, end, &colon);
        bool named = lj_ir_is(&colon, ':');
        p = lj_ir_skip_to_comma(named ? value : p, end);
        bool drop = false;
        for (const char *const *field = kept->dropped; *field && named; field++)
            drop |= lj_ir_is_word(&token, *field);
        if (!drop) {
            put_field(c, &first, "", start, p);
        } else if (subprogram && lj_ir_is_word(&token, "file")) {
            file = value;
            file_end = p;
        } else if (subprogram && lj_ir_is_word(&token, "scope")) {
            scope = value;
            scope_end = p;
        }
        p = lj_ir_next(p, end, &token);
        if (!lj_ir_is(&token, ','))
            break;
    }
    if (!subprogram)
        return;
    /* A class or namespace as scope would lead on; its file says enough. */
    if (scope && refers_to(c->index, scope, scope_end, "DIFile", "DICompileUnit"))
        put_field(c, &first, "scope:", scope, scope_end);
    else if (file)
        put_field(c, &first, "scope:", file, file_end);
    if (file)
        put_field(c, &first, "file:", file, file_end);
    put_field(c, &first, "type: !DISubroutineType(types: null)", file, file);
}

void lj_ir_emit_metadata(lj_ir_carver *c, const lj_ir_numbered *node) {
    const lj_ir_index *ix = c->index;
    const char *start = ix->text + node->start, *end = start + node->length, *fields;
    lj_ir_token class_name;
    bool distinct;
    lj_ir_chunk_here(c, start);
    if (!read_class(ix, node, &class_name, &fields, &distinct)) {
        /* The node's own number is among what is copied, and known by now. */
        lj_ir_copy(c, start, end, LJ_IR_REGION_PLAIN);
        lj_ir_put(c, "\n", 1);
        return;
    }
    const kept_node *kept = NULL;
    for (size_t i = 0; i < sizeof kept_nodes / sizeof *kept_nodes && !kept; i++)
        if (is_name(&class_name, kept_nodes[i].name))
            kept = &kept_nodes[i];
    if (kept && kept->dropped == nothing) {
        lj_ir_copy(c, start, end, LJ_IR_REGION_PLAIN);
        lj_ir_put(c, "\n", 1);
        return;
    }
    lj_ir_put(c, "!", 1);
    lj_ir_put_number(c, node->number);
    lj_ir_put_string(c, distinct ? " = distinct !" : " = !");
    if (kept) {
        if (kept->dropped == of_unit)
            lj_ir_append(c, &c->compile_units, node->number);
        lj_ir_put(c, class_name.name, class_name.name_length);
        lj_ir_put(c, "(", 1);
        emit_fields(c, kept, fields, end);
        lj_ir_put(c, ")\n", 2);
    } else {
        lj_ir_put(c, "{}\n", 3); /* types and variables: a place without content */
    }
}

static void put_list(lj_ir_carver *c, const char *name, const uint32_t *numbers, uint32_t count) {
    if (!count)
        return;
    lj_ir_put_string(c, name);
    for (uint32_t i = 0; i < count; i++) {
        lj_ir_put_string(c, i ? ", !" : " = !{!");
        lj_ir_put_number(c, numbers[i]);
    }
    lj_ir_put(c, "}\n", 2);
}

void lj_ir_emit_named_metadata(lj_ir_carver *c) {
    const lj_ir_index *ix = c->index;
    lj_ir_list flags = {0};
    for (uint32_t i = 0; i < ix->module_flag_count; i++)
        lj_ir_append(c, &flags, ix->metadata.at[ix->module_flags[i]].number);
    lj_ir_chunk_here(c, ix->text);
    put_list(c, "!llvm.module.flags", flags.at, flags.count);
    put_list(c, "!llvm.dbg.cu", c->compile_units.at, c->compile_units.count);
    lj_ir_dispose_list(&flags);
}
