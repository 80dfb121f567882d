/* Changing and removing records of a graph. link_records.h has the contracts. */
#include "link_records.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define MISUSE(graph, ...) lj_fail(&(graph)->fault, LJ_MISUSE, 0, 0, __VA_ARGS__)

static int live_block(const lj_graph *graph, uint32_t number) {
    return number < graph->block_count && !(graph->blocks[number].state & LJ_BLOCK_GONE);
}

static int live_section(const lj_graph *graph, uint32_t number) {
    return number < graph->section_count && graph->sections[number].linked;
}

void lj_graph_enlist_symbol(lj_graph *graph, uint32_t number) {
    lj_link_symbol *symbol = &graph->symbols[number];
    lj_link_block *block = &graph->blocks[symbol->place];
    symbol->previous = LJ_NONE;
    symbol->next = block->first_symbol;
    if (symbol->next != LJ_NONE)
        graph->symbols[symbol->next].previous = (int32_t)number;
    block->first_symbol = (int32_t)number;
}

void lj_graph_unlist_symbol(lj_graph *graph, uint32_t number) {
    lj_link_symbol *symbol = &graph->symbols[number];
    if (symbol->next != LJ_NONE)
        graph->symbols[symbol->next].previous = symbol->previous;
    if (symbol->previous != LJ_NONE)
        graph->symbols[symbol->previous].next = symbol->next;
    else
        graph->blocks[symbol->place].first_symbol = symbol->next;
    symbol->next = symbol->previous = LJ_NONE;
}

void lj_graph_index(lj_graph *graph) {
    if (graph->indexed)
        return;
    for (uint32_t i = 0; i < graph->block_count; i++)
        graph->blocks[i].first_symbol = LJ_NONE;
    for (uint32_t i = graph->symbol_count; i-- > 0;) {
        graph->symbols[i].next = graph->symbols[i].previous = LJ_NONE;
        if (graph->symbols[i].place >= 0)
            lj_graph_enlist_symbol(graph, i);
    }
    graph->indexed = 1;
}

lj_status lj_graph_remove_edge(lj_graph *graph, uint32_t block, uint32_t position) {
    if (!live_block(graph, block) || position >= graph->blocks[block].edge_count)
        return MISUSE(graph, "the edge doesn't exist");
    graph->edges[graph->blocks[block].first_edge + position] = (lj_link_edge){.gone = 1};
    return LJ_OK;
}

lj_status lj_graph_set_content(lj_graph *graph, uint32_t number, const uint8_t *content,
                               uint64_t size) {
    if (graph->laid_out)
        return MISUSE(graph, "the graph is laid out: change the content in place");
    if (!live_block(graph, number))
        return MISUSE(graph, "block %u doesn't exist", number);
    if (size > LJ_MAX_BLOCK)
        return MISUSE(graph, "a block of more than 4 GiB");
    lj_link_block *block = &graph->blocks[number];
    lj_graph_index(graph);
    for (int32_t i = block->first_symbol; i != LJ_NONE; i = graph->symbols[i].next) {
        const lj_link_symbol *symbol = &graph->symbols[i];
        if (symbol->offset > size || symbol->size > size - symbol->offset)
            return MISUSE(graph, "symbol %s would lie outside of its block",
                          graph->strings + symbol->name);
    }
    for (uint32_t i = 0; i < block->edge_count; i++) {
        const lj_link_edge *edge = &graph->edges[block->first_edge + i];
        uint32_t bytes = lj_arch_kind(graph->arch, edge->kind)->bytes;
        if (!edge->gone && (edge->offset > size || bytes > size - edge->offset))
            return MISUSE(graph, "an edge at %u would lie outside of its block", edge->offset);
    }
    uint8_t *copy = lj_graph_take(graph, size);
    if (!copy)
        return LJ_NO_MEMORY;
    if (size)
        memcpy(copy, content, size);
    block->content = (uint64_t)(uintptr_t)copy;
    block->size = size;
    block->input_size = (uint32_t)size;
    block->state &= ~(uint32_t)(LJ_BLOCK_ZERO_FILL | LJ_BLOCK_COMPRESSED);
    block->state |= LJ_BLOCK_OWNED;
    return LJ_OK;
}

lj_status lj_graph_set_align(lj_graph *graph, uint32_t number, uint64_t align,
                             uint64_t align_offset) {
    if (graph->laid_out)
        return MISUSE(graph, "the graph is laid out: alignments are fixed");
    if (!live_block(graph, number))
        return MISUSE(graph, "block %u doesn't exist", number);
    lj_status status = lj_graph_check_align(graph, align, align_offset);
    if (status)
        return status;
    graph->blocks[number].align = (uint32_t)align;
    graph->blocks[number].align_offset = (uint32_t)align_offset;
    return LJ_OK;
}

lj_status lj_graph_set_memory(lj_graph *graph, uint32_t number, uint32_t prot, uint32_t lifetime) {
    if (graph->laid_out)
        return MISUSE(graph, "the graph is laid out: protections and lifetimes are fixed");
    if (!live_section(graph, number))
        return MISUSE(graph, "section %u doesn't exist", number);
    lj_status status = lj_graph_check_memory(graph, prot, lifetime);
    if (status)
        return status;
    lj_link_section *section = &graph->sections[number];
    const char *name = graph->strings + section->name;
    uint32_t role = section->role;
    if (prot != section->prot && (role == LJ_ROLE_TLS || role == LJ_ROLE_GOT ||
                                  role == LJ_ROLE_PLT || role == LJ_ROLE_IFUNC))
        return MISUSE(graph, "section %s: its protection is the linker's affair", name);
    if (lifetime != section->lifetime && role != LJ_ROLE_PLAIN && role != LJ_ROLE_COMMON)
        return MISUSE(graph, "section %s is needed as long as the code", name);
    if (lifetime != section->lifetime || prot != section->prot) {
        section->prot = (uint8_t)prot;
        section->lifetime = (uint8_t)lifetime;
        section->region = lifetime == LJ_LIFETIME_NO_ALLOC ? LJ_REGION_NONE : lj_region_of(prot);
        section->flags &= ~(uint64_t)(SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR);
        section->flags |= (lifetime == LJ_LIFETIME_NO_ALLOC ? 0u : SHF_ALLOC) |
                          (prot & LJ_PROT_WRITE ? SHF_WRITE : 0u) |
                          (prot & LJ_PROT_EXEC ? SHF_EXECINSTR : 0u);
    }
    return LJ_OK;
}

lj_status lj_graph_move_symbol(lj_graph *graph, uint32_t number, int32_t place, uint64_t offset) {
    if (graph->fixed)
        return MISUSE(graph, "edges are applied: symbols are settled");
    if (!number || number >= graph->symbol_count || graph->symbols[number].place == LJ_PLACE_GONE)
        return MISUSE(graph, "symbol %u doesn't exist", number);
    lj_link_symbol *symbol = &graph->symbols[number];
    const char *name = graph->strings + symbol->name;
    if (place >= 0) {
        if (!live_block(graph, (uint32_t)place))
            return MISUSE(graph, "block %d doesn't exist", place);
        uint64_t size = graph->blocks[place].size;
        if (offset > size || symbol->size > size - offset)
            return MISUSE(graph, "symbol %s would lie outside of its block", name);
    } else if (place == LJ_PLACE_EXTERNAL && !*name) {
        return MISUSE(graph, "an external symbol needs a name");
    } else if (place != LJ_PLACE_EXTERNAL && place != LJ_PLACE_ABSOLUTE && place != LJ_PLACE_GONE) {
        return MISUSE(graph, "%d is no place", place);
    }
    lj_graph_index(graph);
    if (symbol->place >= 0)
        lj_graph_unlist_symbol(graph, number);
    symbol->place = place;
    symbol->offset = offset;
    symbol->address = place == LJ_PLACE_ABSOLUTE ? offset : 0;
    if (place == LJ_PLACE_EXTERNAL || place == LJ_PLACE_GONE)
        symbol->offset = 0;
    if (place < 0)
        symbol->traits &= (uint8_t)~(LJ_TRAIT_COMMON | LJ_TRAIT_SECTION | LJ_TRAIT_IFUNC);
    if (place >= 0) {
        lj_graph_enlist_symbol(graph, number);
        if (graph->allocated)
            symbol->address = graph->blocks[place].address + offset;
        if (graph->sections[graph->blocks[place].section].role == LJ_ROLE_TLS)
            symbol->traits |= LJ_TRAIT_TLS;
    }
    graph->listed = 0;
    return LJ_OK;
}

/* Takes a block out of its section's list: linear in the section's blocks. */
static void unlist_block(lj_graph *graph, uint32_t number) {
    lj_link_block *block = &graph->blocks[number];
    lj_link_section *section = &graph->sections[block->section];
    int32_t before = LJ_NONE;
    for (int32_t i = section->first_block; i != (int32_t)number; i = graph->blocks[i].next)
        before = i;
    if (before == LJ_NONE)
        section->first_block = block->next;
    else
        graph->blocks[before].next = block->next;
    if (section->last_block == (int32_t)number)
        section->last_block = before;
    section->block_count--;
    block->next = LJ_NONE;
}

lj_status lj_graph_remove_block(lj_graph *graph, uint32_t number) {
    if (graph->laid_out)
        return MISUSE(graph, "the graph is laid out: no block can be removed");
    if (!live_block(graph, number))
        return MISUSE(graph, "block %u doesn't exist", number);
    lj_graph_index(graph);
    lj_link_block *block = &graph->blocks[number];
    if (block->first_symbol != LJ_NONE)
        return MISUSE(graph, "symbol %s is in the block",
                      graph->strings + graph->symbols[block->first_symbol].name);
    unlist_block(graph, number);
    *block = (lj_link_block){
        .state = LJ_BLOCK_GONE, .align = 1, .next = LJ_NONE, .first_symbol = LJ_NONE};
    return LJ_OK;
}

/* Edges beyond the cut go to a run of the new block. */
static lj_status cut_edges(lj_graph *graph, lj_link_block *block, uint64_t offset,
                           lj_link_block *rest) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < block->edge_count; i++) {
        const lj_link_edge *edge = &graph->edges[block->first_edge + i];
        if (edge->gone)
            continue;
        if (edge->offset >= offset)
            count++;
        else if (lj_arch_kind(graph->arch, edge->kind)->bytes > offset - edge->offset)
            return MISUSE(graph, "an edge at %u spans the cut", edge->offset);
    }
    lj_status status = lj_graph_reserve(graph, 0, 0, 0, count);
    if (status || !count)
        return status;
    rest->first_edge = graph->edge_count;
    rest->edge_count = rest->edge_room = count;
    lj_link_edge *to = graph->edges + graph->edge_count;
    graph->edge_count += count;
    for (uint32_t i = 0; i < block->edge_count; i++) {
        lj_link_edge *edge = &graph->edges[block->first_edge + i];
        if (edge->gone || edge->offset < offset)
            continue;
        *to = *edge;
        to++->offset -= (uint32_t)offset;
        *edge = (lj_link_edge){.gone = 1};
    }
    return LJ_OK;
}

lj_status lj_graph_split_block(lj_graph *graph, uint32_t number, uint64_t offset, uint32_t *fresh) {
    if (graph->laid_out)
        return MISUSE(graph, "the graph is laid out: no block can be split");
    if (!live_block(graph, number))
        return MISUSE(graph, "block %u doesn't exist", number);
    if (offset > graph->blocks[number].size)
        return MISUSE(graph, "a cut outside of the block");
    if (graph->blocks[number].state & LJ_BLOCK_COMPRESSED)
        return MISUSE(graph, "the block is compressed");
    lj_status status = lj_graph_reserve(graph, 0, 1, 0, 0);
    if (status)
        return status;
    lj_graph_index(graph);
    lj_link_block *block = &graph->blocks[number];
    lj_link_block rest = *block;
    rest.first_edge = rest.edge_count = rest.edge_room = 0;
    status = cut_edges(graph, block, offset, &rest);
    if (status)
        return status;
    uint32_t given = offset < block->input_size ? (uint32_t)offset : block->input_size;
    rest.size -= offset;
    rest.input_size -= given;
    if (rest.content)
        rest.content += offset;
    rest.align_offset = (uint32_t)((block->align_offset + offset) & (block->align - 1));
    block->size = offset;
    block->input_size = given;
    *fresh = graph->block_count++;
    lj_link_section *section = &graph->sections[block->section];
    rest.next = block->next;
    rest.first_symbol = LJ_NONE;
    block->next = (int32_t)*fresh;
    if (section->last_block == (int32_t)number)
        section->last_block = (int32_t)*fresh;
    section->block_count++;
    graph->blocks[*fresh] = rest;
    for (int32_t i = block->first_symbol, next; i != LJ_NONE; i = next) {
        lj_link_symbol *symbol = &graph->symbols[i];
        next = symbol->next;
        /* What stands for the section's start stays there, in an empty block even. */
        if (symbol->offset < offset || (symbol->offset == 0 && symbol->traits & LJ_TRAIT_SECTION)) {
            if (symbol->size > offset - symbol->offset)
                symbol->size = offset - symbol->offset;
            continue;
        }
        lj_graph_unlist_symbol(graph, (uint32_t)i);
        symbol->place = (int32_t)*fresh;
        symbol->offset -= offset;
        lj_graph_enlist_symbol(graph, (uint32_t)i);
    }
    return LJ_OK;
}

static lj_status check_moving(lj_graph *graph, uint32_t from, uint32_t to) {
    if (graph->laid_out)
        return MISUSE(graph, "the graph is laid out: blocks stay where they are");
    if (!live_section(graph, from) || !live_section(graph, to))
        return MISUSE(graph, "section %u doesn't exist", live_section(graph, from) ? to : from);
    const lj_link_section *source = &graph->sections[from], *target = &graph->sections[to];
    if ((source->role == LJ_ROLE_TLS) != (target->role == LJ_ROLE_TLS))
        return MISUSE(graph, "thread-local blocks stay thread-local, others don't become so");
    return LJ_OK;
}

lj_status lj_graph_move_block(lj_graph *graph, uint32_t number, uint32_t to) {
    if (!live_block(graph, number))
        return MISUSE(graph, "block %u doesn't exist", number);
    lj_status status = check_moving(graph, graph->blocks[number].section, to);
    if (status)
        return status;
    unlist_block(graph, number);
    lj_link_section *section = &graph->sections[to];
    if (lj_section_has_pointers(section))
        graph->blocks[number].state |= LJ_BLOCK_ROOT;
    if (section->first_block == LJ_NONE)
        section->first_block = (int32_t)number;
    else
        graph->blocks[section->last_block].next = (int32_t)number;
    section->last_block = (int32_t)number;
    section->block_count++;
    graph->blocks[number].section = to;
    return LJ_OK;
}

lj_status lj_graph_merge_sections(lj_graph *graph, uint32_t target, uint32_t source, int keep) {
    lj_status status = check_moving(graph, source, target);
    if (status || source == target)
        return status;
    lj_link_section *from = &graph->sections[source], *to = &graph->sections[target];
    for (int32_t i = from->first_block; i != LJ_NONE; i = graph->blocks[i].next) {
        graph->blocks[i].section = target;
        if (lj_section_has_pointers(to))
            graph->blocks[i].state |= LJ_BLOCK_ROOT;
    }
    if (from->first_block != LJ_NONE) {
        if (to->first_block == LJ_NONE)
            to->first_block = from->first_block;
        else
            graph->blocks[to->last_block].next = from->first_block;
        to->last_block = from->last_block;
    }
    to->block_count += from->block_count;
    from->first_block = from->last_block = LJ_NONE;
    from->block_count = 0;
    if (!keep) {
        from->linked = 0;
        from->region = LJ_REGION_NONE;
    }
    return LJ_OK;
}
