/* What holds of a graph at every moment, and the search for what doesn't.
 *
 * The native stations trust the records. Records that Python could have written to (by passes, by
 * arrays) are verified before each station that follows, so that a mistake in a pass is an error
 * with words. All of it is linear in the graph.
 *
 *   section   its list holds exactly the blocks that name it as their section
 *   block     in the list of its section; alignment a power of two, its offset less; its run of
 *             edges inside of the array and no other block's; a zero-fill block has no edges that
 *             write; whole pointers in an initializer section, bytes in an unwind table
 *   edge      a known kind; target and bytes exist; target and kind suit each other; from layout
 *             on, the slots that it needs
 *   symbol    its place exists and holds it; who others see has a name that nobody else has
 */
#include "link_records.h"

#include <stdlib.h>
#include <string.h>

#define BROKEN(graph, ...) lj_fail(&(graph)->fault, LJ_MISUSE, 0, 0, __VA_ARGS__)

const char *lj_edge_objection(const lj_graph *graph, uint32_t section, const lj_link_edge *edge) {
    const lj_link_symbol *target = &graph->symbols[edge->target];
    int form = lj_arch_kind(graph->arch, edge->kind)->form;
    int thread_local = lj_form_needs[form] & LJ_THREAD_LOCAL;
    if (form == LJ_FORM_UNKNOWN)
        return "unknown relocation";
    if (form == LJ_FORM_LOADER || form == LJ_FORM_DESCWORD)
        return "a relocation for dynamic loaders, not for objects";
    if (thread_local && !(target->traits & LJ_TRAIT_TLS))
        return "thread-local relocation, but the symbol isn't thread-local";
    if ((target->traits & LJ_TRAIT_TLS) && !thread_local && form != LJ_FORM_TLSLD &&
        form != LJ_FORM_SIZE && form != LJ_FORM_NOTHING)
        return "the symbol is thread-local, but the relocation isn't";
    if (target->place == LJ_PLACE_NOWHERE && form != LJ_FORM_TLSLD)
        return "refers to a section that isn't linked";
    if (graph->sections[section].role == LJ_ROLE_TLS && form != LJ_FORM_ABS &&
        form != LJ_FORM_SIZE && form != LJ_FORM_NOTHING)
        return "thread-local data has no address of its own to be relative to";
    if (form == LJ_FORM_SIZE && target->place == LJ_PLACE_EXTERNAL)
        return "the size of a symbol defined elsewhere isn't known";
    if (target->place >= 0 && graph->sections[section].region != LJ_REGION_NONE &&
        graph->sections[graph->blocks[target->place].section].region == LJ_REGION_NONE &&
        form != LJ_FORM_NOTHING)
        return "refers to a section that isn't linked";
    return NULL;
}

static lj_status verify_sections(lj_graph *graph) {
    uint64_t listed = 0, live = 0;
    for (uint32_t i = 0; i < graph->section_count; i++) {
        const lj_link_section *section = &graph->sections[i];
        if (section->name >= graph->strings_size)
            return BROKEN(graph, "section %u has a name outside of the names", i);
        if (!section->linked) {
            if (section->first_block != LJ_NONE)
                return BROKEN(graph, "section %u isn't linked, but has blocks", i);
            continue;
        }
        if ((section->prot & LJ_PROT_WRITE) && (section->prot & LJ_PROT_EXEC))
            return BROKEN(graph, "section %u is writable and executable", i);
        int in_memory = section->lifetime != LJ_LIFETIME_NO_ALLOC;
        if (section->prot > 7 || section->lifetime > LJ_LIFETIME_NO_ALLOC ||
            section->region < LJ_REGION_NONE || section->region >= LJ_REGIONS ||
            (section->region != LJ_REGION_NONE) != in_memory)
            return BROKEN(graph, "section %u has unknown protection or lifetime", i);
        uint32_t count = 0;
        int32_t last = LJ_NONE;
        for (int32_t b = section->first_block; b != LJ_NONE; b = graph->blocks[b].next) {
            if (b < 0 || (uint32_t)b >= graph->block_count ||
                graph->blocks[b].state & LJ_BLOCK_GONE || graph->blocks[b].section != i ||
                ++count > section->block_count)
                return BROKEN(graph, "the list of blocks of section %u is broken", i);
            last = b;
        }
        if (count != section->block_count || last != section->last_block)
            return BROKEN(graph, "the list of blocks of section %u is broken", i);
        listed += count;
    }
    for (uint32_t i = 0; i < graph->block_count; i++)
        live += !(graph->blocks[i].state & LJ_BLOCK_GONE);
    /* Each listed block names the one section whose list it is in: so no block is in two. */
    return listed == live ? LJ_OK : BROKEN(graph, "a block is in no section");
}

static lj_status verify_edges(lj_graph *graph, uint32_t number, uint8_t *owned) {
    const lj_link_block *block = &graph->blocks[number];
    for (uint32_t i = 0; i < block->edge_room; i++) {
        if (owned[block->first_edge + i])
            return BROKEN(graph, "block %u shares edges with another block", number);
        owned[block->first_edge + i] = 1;
    }
    for (uint32_t i = 0; i < block->edge_count; i++) {
        const lj_link_edge *edge = &graph->edges[block->first_edge + i];
        if (edge->gone) {
            if (edge->kind || edge->target)
                return BROKEN(graph, "a removed edge of block %u is in use", number);
            continue;
        }
        const lj_kind *kind = lj_arch_kind(graph->arch, edge->kind);
        if (edge->target >= graph->symbol_count ||
            graph->symbols[edge->target].place == LJ_PLACE_GONE)
            return BROKEN(graph, "an edge of block %u, at %u, has no target", number, edge->offset);
        if (edge->offset > block->size || kind->bytes > block->size - edge->offset)
            return BROKEN(graph, "an edge of block %u, at %u, lies outside of it", number,
                          edge->offset);
        if (kind->bytes && block->state & LJ_BLOCK_ZERO_FILL && number != graph->got_block)
            return BROKEN(graph, "block %u is zero-fill, but has edges", number);
        int own = number == graph->got_block || number == graph->plt_block;
        const char *words = own ? NULL : lj_edge_objection(graph, block->section, edge);
        if (!words && graph->laid_out)
            words = lj_edge_without_slot(graph, edge);
        if (words)
            return BROKEN(graph, "an edge of block %u, at %u: %s", number, edge->offset, words);
    }
    return LJ_OK;
}

static lj_status verify_blocks(lj_graph *graph) {
    for (uint32_t i = 0; i < graph->block_count; i++) {
        const lj_link_block *block = &graph->blocks[i];
        if (block->state & LJ_BLOCK_GONE) {
            if (block->edge_count || block->size)
                return BROKEN(graph, "removed block %u is in use", i);
            continue;
        }
        if (!block->align || block->align & (block->align - 1) || block->align > LJ_MAX_ALIGN ||
            block->align_offset >= block->align)
            return BROKEN(graph, "block %u has alignment %u, offset %u", i, block->align,
                          block->align_offset);
        if (block->size > LJ_MAX_BLOCK || block->input_size > block->size ||
            (block->input_size && !block->content))
            return BROKEN(graph, "block %u has content for %u of %llu bytes", i, block->input_size,
                          (unsigned long long)block->size);
        const lj_link_section *section = &graph->sections[block->section];
        if (lj_section_has_pointers(section) && block->size % 8)
            return BROKEN(graph, "block %u of section %s isn't an array of pointers", i,
                          graph->strings + section->name);
        if (section->role == LJ_ROLE_EH_FRAME && block->state & LJ_BLOCK_ZERO_FILL && block->size)
            return BROKEN(graph, "block %u of section %s is zero-fill: unwind tables end there", i,
                          graph->strings + section->name);
        if (block->edge_count > block->edge_room ||
            (uint64_t)block->first_edge + block->edge_room > graph->edge_count)
            return BROKEN(graph, "the edges of block %u lie outside of the edges", i);
    }
    uint8_t *owned = calloc((size_t)graph->edge_count + 1, 1);
    if (!owned)
        return lj_fail(&graph->fault, LJ_NO_MEMORY, 0, 0, "verifying the link graph");
    lj_status status = LJ_OK;
    for (uint32_t i = 0; i < graph->block_count && !status; i++)
        status = verify_edges(graph, i, owned);
    free(owned);
    return status;
}

static lj_status verify_symbol(lj_graph *graph, uint32_t number) {
    const lj_link_symbol *symbol = &graph->symbols[number];
    if (symbol->name >= graph->strings_size)
        return BROKEN(graph, "symbol %u has a name outside of the names", number);
    const char *name = graph->strings + symbol->name;
    if (symbol->place < LJ_PLACE_GONE || symbol->linkage > LJ_LINKAGE_WEAK ||
        symbol->scope > LJ_SCOPE_SIDE_EFFECTS)
        return BROKEN(graph, "symbol %u (%s) has an unknown place, linkage or scope", number, name);
    if (symbol->place >= 0) {
        if ((uint32_t)symbol->place >= graph->block_count ||
            graph->blocks[symbol->place].state & LJ_BLOCK_GONE)
            return BROKEN(graph, "symbol %u (%s) is in no block", number, name);
        uint64_t size = graph->blocks[symbol->place].size;
        if (symbol->offset > size || symbol->size > size - symbol->offset)
            return BROKEN(graph, "symbol %u (%s) lies outside of its block", number, name);
    }
    if (!*name && (symbol->place == LJ_PLACE_EXTERNAL ||
                   (symbol->scope != LJ_SCOPE_LOCAL && symbol->place >= LJ_PLACE_ABSOLUTE)))
        return BROKEN(graph, "symbol %u is seen by others, and has no name", number);
    return LJ_OK;
}

static uint32_t hash_of(const char *name) {
    uint32_t hash = 2166136261u;
    while (*name)
        hash = (hash ^ (uint8_t)*name++) * 16777619u;
    return hash;
}

/* Names of all that isn't local: a table of symbol numbers, from 1, with open addresses. */
static lj_status verify_names(lj_graph *graph) {
    uint64_t room = 16;
    while (room < UINT64_C(2) * graph->symbol_count)
        room *= 2;
    uint32_t *table = calloc(room, sizeof *table);
    if (!table)
        return lj_fail(&graph->fault, LJ_NO_MEMORY, 0, 0, "verifying the link graph");
    lj_status status = LJ_OK;
    for (uint32_t i = 1; i < graph->symbol_count && !status; i++) {
        const lj_link_symbol *symbol = &graph->symbols[i];
        const char *name = graph->strings + symbol->name;
        if (symbol->place < LJ_PLACE_ABSOLUTE ||
            (symbol->scope == LJ_SCOPE_LOCAL && symbol->place != LJ_PLACE_EXTERNAL) || !*name)
            continue;
        uint64_t at = hash_of(name) & (room - 1);
        for (; table[at]; at = (at + 1) & (room - 1))
            if (strcmp(graph->strings + graph->symbols[table[at]].name, name) == 0)
                break;
        if (table[at])
            status = lj_fail(&graph->fault, i < graph->input_symbols ? LJ_OBJ_MALFORMED : LJ_MISUSE,
                             0, i, "two symbols are named %s", name);
        table[at] = i;
    }
    free(table);
    return status;
}

lj_status lj_graph_verify(lj_graph *graph) {
    lj_status status = verify_sections(graph);
    for (uint32_t i = 0; i < graph->symbol_count && !status; i++)
        status = verify_symbol(graph, i);
    if (!status)
        status = verify_blocks(graph);
    return status ? status : verify_names(graph);
}

void lj_graph_mark_used(lj_graph *graph) {
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        graph->symbols[i].traits &= (uint8_t)~LJ_TRAIT_USED;
    for (uint32_t i = 0; i < graph->block_count; i++) {
        const lj_link_edge *edge = graph->edges + graph->blocks[i].first_edge;
        if (graph->sections[graph->blocks[i].section].region == LJ_REGION_NONE)
            continue;
        for (uint32_t k = 0; k < graph->blocks[i].edge_count; k++)
            if (!edge[k].gone)
                graph->symbols[edge[k].target].traits |= LJ_TRAIT_USED;
    }
}
