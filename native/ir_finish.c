/* The end of the indexing pass: what can be known only once all text was read. */
#include "ir_build.h"

#include <stdlib.h>

uint32_t lj_ir_marks(const lj_ir_token *token);

/* A private constant above this many bytes of text is shared by units, not copied into each. */
enum { COPY_LIMIT = 1024 };
/* A comdat above this many members does not hold its members together. */
enum { COMDAT_LIMIT = 32 };

static int by_number(const void *left, const void *right) {
    const lj_ir_numbered *a = left, *b = right;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return a->start < b->start ? -1 : a->start > b->start;
}

static bool sort_numbered(lj_ir_builder *b, lj_ir_numbereds *table, const char *what) {
    bool sorted = true;
    for (uint32_t i = 1; i < table->count && sorted; i++)
        sorted = table->at[i - 1].number < table->at[i].number;
    if (!sorted)
        qsort(table->at, table->count, sizeof *table->at, by_number);
    for (uint32_t i = 1; what && i < table->count && !sorted; i++)
        if (table->at[i - 1].number == table->at[i].number) {
            lj_ir_build_fail(b, LJ_IR_DUPLICATE, b->text + table->at[i].start, what, NULL);
            return false;
        }
    return true;
}

/* What a function's attribute groups say of it. */
static bool apply_attributes(lj_ir_builder *b) {
    const lj_ir_numbereds *groups = &b->index->attributes;
    uint32_t *flags = calloc(groups->count + 1, sizeof *flags);
    if (!flags)
        return lj_ir_build_no_memory(b) != NULL;
    for (uint32_t i = 0; i < groups->count; i++) {
        const char *p = b->text + groups->at[i].start, *end = p + groups->at[i].length;
        for (lj_ir_token token; p < end;
             p = lj_ir_next(p, end, &token), flags[i] |= lj_ir_marks(&token))
            ;
    }
    for (uint32_t i = 0; i < b->attribute_count; i++) {
        const lj_ir_numbered *group = lj_ir_find_numbered(groups, b->attributes[i].other);
        if (group)
            b->index->entities[b->attributes[i].entity].flags |= flags[group - groups->at];
    }
    free(flags);
    return true;
}

/* Aliases: who is at the end of the chain, and whether that is code. Walks each chain once: what
 * lies on it is noted on the way and settled backwards. */
static bool resolve_aliases(lj_ir_builder *b) {
    lj_ir_index *ix = b->index;
    uint32_t *path = malloc((ix->entity_count + 1) * sizeof *path);
    uint8_t *settled = calloc(ix->entity_count + 1, 1);
    bool ok = path && settled;
    for (uint32_t i = 0; ok && i < ix->entity_count; i++) {
        uint32_t length = 0;
        int32_t at = (int32_t)i;
        while (at >= 0 && ix->entities[at].kind == LJ_IR_ALIAS && !settled[at]) {
            settled[at] = 1;
            path[length++] = (uint32_t)at;
            at = ix->entities[at].aliasee;
        }
        /* An alias that is settled already, or on this very path (a cycle), knows no more. */
        bool plain = true;
        if (at >= 0 && ix->entities[at].kind == LJ_IR_ALIAS) {
            plain = ix->entities[at].flags & LJ_IR_PLAIN_ALIAS;
            at = settled[at] == 2 ? ix->entities[at].aliasee : -1;
        }
        while (length) {
            lj_ir_entity *e = &ix->entities[path[--length]];
            settled[path[length]] = 2;
            plain = plain && e->flags & LJ_IR_PLAIN_ALIAS && at >= 0;
            e->flags &= ~(uint32_t)LJ_IR_PLAIN_ALIAS;
            e->aliasee = at;
            if (at < 0)
                continue;
            lj_ir_entity *base = &ix->entities[at];
            base->flags |= LJ_IR_ALIASED;
            if (plain)
                e->flags |= LJ_IR_PLAIN_ALIAS;
            if (plain && (base->kind == LJ_IR_FUNCTION || base->kind == LJ_IR_IFUNC))
                e->flags |= LJ_IR_CALLABLE;
        }
    }
    free(path);
    free(settled);
    return ok || lj_ir_build_no_memory(b);
}

static void mark_copyable(lj_ir_index *ix) {
    const uint32_t needed = LJ_IR_CONSTANT | LJ_IR_LOCAL | LJ_IR_UNNAMED_ADDR;
    const uint32_t barred =
        LJ_IR_TLS | LJ_IR_PLACED | LJ_IR_ALIASED | LJ_IR_BLOCKADDRESS | LJ_IR_NO_UNIT;
    for (uint32_t i = 0; i < ix->entity_count; i++) {
        lj_ir_entity *e = &ix->entities[i];
        if (e->kind == LJ_IR_VARIABLE && (e->flags & needed) == needed && !(e->flags & barred) &&
            e->length <= COPY_LIMIT)
            e->flags |= LJ_IR_COPYABLE;
    }
}

/* --- groups: the connected components of what must be defined together ---------------------- */

static uint32_t root_of(uint32_t *parents, uint32_t i) {
    while (parents[i] != i)
        i = parents[i] = parents[parents[i]];
    return i;
}

static bool tie_aliases_and_comdats(lj_ir_builder *b) {
    lj_ir_index *ix = b->index;
    uint32_t comdats = ix->comdats.count;
    uint32_t *counts = calloc(2 * (size_t)comdats + 1, sizeof *counts), *first = counts + comdats;
    if (!counts)
        return lj_ir_build_no_memory(b) != NULL;
    bool ok = true;
    for (uint32_t i = 0; i < ix->entity_count; i++)
        if (ix->entities[i].comdat >= 0 && !counts[ix->entities[i].comdat]++)
            first[ix->entities[i].comdat] = i;
    for (uint32_t i = 0; i < ix->entity_count && ok; i++) {
        const lj_ir_entity *e = &ix->entities[i];
        int32_t other = -1;
        if (e->kind == LJ_IR_ALIAS && !(e->flags & LJ_IR_CALLABLE))
            other = e->aliasee;
        else if (e->comdat >= 0 && counts[e->comdat] <= COMDAT_LIMIT)
            other = (int32_t)first[e->comdat];
        if (other >= 0 && other != (int32_t)i)
            ok = lj_ir_build_pair(b, &b->ties, &b->tie_count, &b->tie_room, i, (uint32_t)other);
    }
    free(counts);
    return ok;
}

static bool make_groups(lj_ir_builder *b) {
    lj_ir_index *ix = b->index;
    if (!tie_aliases_and_comdats(b))
        return false;
    if (!b->tie_count)
        return true;
    uint32_t n = ix->entity_count;
    uint32_t *parents = malloc(2 * (size_t)n * sizeof *parents), *sizes = parents + n;
    if (!parents)
        return lj_ir_build_no_memory(b) != NULL;
    for (uint32_t i = 0; i < n; i++) {
        parents[i] = i;
        sizes[i] = 0;
    }
    for (uint32_t i = 0; i < b->tie_count; i++) {
        const lj_ir_entity *x = &ix->entities[b->ties[i].entity];
        const lj_ir_entity *y = &ix->entities[b->ties[i].other];
        if (!lj_ir_in_unit(x) || !lj_ir_in_unit(y))
            continue;
        uint32_t left = root_of(parents, b->ties[i].entity);
        uint32_t right = root_of(parents, b->ties[i].other);
        parents[left > right ? left : right] = left > right ? right : left;
    }
    uint32_t members = 0;
    for (uint32_t i = 0; i < n; i++)
        sizes[root_of(parents, i)]++;
    for (uint32_t i = 0; i < n; i++)
        if (parents[i] == i && sizes[i] > 1) {
            ix->entities[i].group = (int32_t)ix->group_count++;
            members += sizes[i];
        }
    ix->group_starts = calloc(ix->group_count + 2, sizeof *ix->group_starts);
    ix->group_members = malloc((members + 1) * sizeof *ix->group_members);
    bool ok = ix->group_starts && ix->group_members;
    for (uint32_t i = 0; ok && i < n; i++) { /* roots come before their members */
        int32_t group = ix->entities[i].group = ix->entities[root_of(parents, i)].group;
        if (group >= 0)
            ix->group_starts[group + 2]++;
    }
    for (uint32_t g = 0; ok && g < ix->group_count; g++)
        ix->group_starts[g + 2] += ix->group_starts[g + 1];
    for (uint32_t i = 0; ok && i < n; i++)
        if (ix->entities[i].group >= 0)
            ix->group_members[ix->group_starts[ix->entities[i].group + 1]++] = (int32_t)i;
    free(parents);
    return ok || lj_ir_build_no_memory(b);
}

/* Another module's copy may be taken for a comdat's members, unless it forbids that. */
static void weaken_comdats(lj_ir_index *ix) {
    static const char unique[] = "nodeduplicate";
    const size_t length = sizeof unique - 1;
    for (uint32_t i = 0; i < ix->entity_count; i++) {
        lj_ir_entity *e = &ix->entities[i];
        if (e->comdat < 0 || e->flags & LJ_IR_LOCAL)
            continue;
        const lj_ir_named *comdat = &ix->comdats.at[e->comdat];
        const char *end = ix->text + comdat->start + comdat->length;
        if (comdat->length < length || memcmp(end - length, unique, length))
            e->flags |= LJ_IR_WEAK;
    }
}

/* --- module flags -------------------------------------------------------------------------- */

/* Flags that a unit must not have: what holds for a whole linked image, or lists its functions. */
static const char *const dropped_flags[] = {
    "PIE Level", /* would make LLVM pick thread-local models of executables */
    "CG Profile",  "direct-access-external-data", "EnableSplitLTOUnit", "ThinLTO", "UnifiedLTO",
    "LTOPostLink", "Virtual Function Elim",       "RtLibUseGOT",
};

static bool keeps_flag(const lj_ir_builder *b, const lj_ir_numbered *node) {
    const char *p = b->text + node->start, *end = p + node->length;
    for (lj_ir_token token = {0}; token.kind != LJ_T_END || p < end;) {
        p = lj_ir_next(p, end, &token);
        if (token.kind != LJ_T_STRING)
            continue;
        for (size_t i = 0; i < sizeof dropped_flags / sizeof *dropped_flags; i++)
            if (token.name_length == strlen(dropped_flags[i]) &&
                !memcmp(token.name, dropped_flags[i], token.name_length))
                return false;
        return true;
    }
    return false;
}

static bool read_module_flags(lj_ir_builder *b) {
    static const char name[] = "llvm.module.flags";
    lj_ir_index *ix = b->index;
    uint32_t room = 0;
    for (uint32_t i = 0; i < ix->named_metadata.count; i++) {
        const lj_ir_named *named = &ix->named_metadata.at[i];
        if (named->name_length != sizeof name - 1 ||
            memcmp(lj_ir_name_bytes(ix, named), name, sizeof name - 1))
            continue;
        const char *p = b->text + named->start, *end = p + named->length;
        lj_ir_token token;
        p = lj_ir_next(p, end, &token);
        while (p < end) {
            p = lj_ir_next(p, end, &token);
            const lj_ir_numbered *node = token.kind == LJ_T_META && token.numbered
                                             ? lj_ir_find_numbered(&ix->metadata, token.number)
                                             : NULL;
            if (!node || !keeps_flag(b, node))
                continue;
            if (!lj_ir_grow((void **)&ix->module_flags, &room, ix->module_flag_count,
                            sizeof *ix->module_flags))
                return lj_ir_build_no_memory(b) != NULL;
            ix->module_flags[ix->module_flag_count++] = (int32_t)(node - ix->metadata.at);
        }
    }
    return true;
}

static void shrink(void **at, uint32_t count, size_t size) {
    void *moved = realloc(*at, (count ? count : 1) * size);
    if (moved)
        *at = moved;
}

bool lj_ir_build_finish(lj_ir_builder *b) {
    lj_ir_index *ix = b->index;
    if (!sort_numbered(b, &ix->metadata, "metadata number used twice") ||
        !sort_numbered(b, &ix->numbered_types, "type number used twice") ||
        !sort_numbered(b, &ix->attributes, NULL)) /* LLVM joins attribute groups of one number */
        return false;
    for (uint32_t i = 0; i < ix->types.count; i++) {
        const char *name = lj_ir_name_bytes(ix, &ix->types.at[i]);
        if (ix->types.at[i].name_length) {
            uint32_t bit = lj_ir_filter_bit(name, ix->types.at[i].name_length);
            ix->type_filter[bit / 64] |= (uint64_t)1 << bit % 64;
        }
    }
    if (!resolve_aliases(b))
        return false;
    mark_copyable(ix);
    if (!apply_attributes(b) || !make_groups(b) || !read_module_flags(b))
        return false;
    weaken_comdats(ix);
    shrink((void **)&ix->entities, ix->entity_count, sizeof *ix->entities);
    shrink((void **)&ix->refs, ix->ref_count, sizeof *ix->refs);
    shrink((void **)&ix->ref_flags, ix->ref_count, 1);
    shrink((void **)&ix->metadata.at, ix->metadata.count, sizeof *ix->metadata.at);
    return true;
}
