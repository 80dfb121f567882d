/* Dead-stripping: what no live symbol needs goes before anything is laid out.
 *
 * A block lives if it holds a live symbol, or is a root (initializers, sections that the compiler
 * retains), or if an edge of a live block targets a symbol in it. The walk has a stack of its own
 * with one place for each block, and visits each edge once. What must live with a function though
 * nothing refers to it, its unwind information for one, hangs on it by KeepAlive edges
 * (lj_graph_relate).
 *
 * Debug information (NO_ALLOC) refers to everything; it keeps nothing alive, and forgets what went
 * (so it does without a prune too: no external is looked up for its sake):
 * a place in it that no edge fills stays as it is, zero in an object, which debuggers take for
 * "none".
 */
#include "link_records.h"

#include <stdlib.h>
#include <string.h>

typedef struct walk {
    lj_graph *graph;
    uint32_t *stack, depth;
    uint8_t *seen;
} walk;

static void reach_block(walk *w, int32_t block) {
    if (w->seen[block])
        return;
    w->seen[block] = 1;
    w->stack[w->depth++] = (uint32_t)block;
}

static void reach_symbol(walk *w, uint32_t number) {
    lj_graph *graph = w->graph;
    lj_link_symbol *symbol = &graph->symbols[number];
    int32_t place = symbol->place;
    uint64_t offset;
    int fresh = !(symbol->traits & LJ_TRAIT_LIVE);
    symbol->traits |= LJ_TRAIT_LIVE;
    if (place >= 0) {
        reach_block(w, place);
    } else if (place == LJ_PLACE_EXTERNAL && fresh &&
               lj_graph_own_name(graph, symbol, &place, &offset) && place >= 0) {
        /* A bound of a section: its whole table lives. */
        const lj_link_section *section = &graph->sections[graph->blocks[place].section];
        for (int32_t b = section->first_block; b != LJ_NONE; b = graph->blocks[b].next)
            reach_block(w, b);
    }
}

static int in_memory(const lj_graph *graph, uint32_t block) {
    return graph->sections[graph->blocks[block].section].region != LJ_REGION_NONE;
}

static void mark(walk *w) {
    lj_graph *graph = w->graph;
    for (uint32_t i = 0; i < graph->block_count; i++)
        if (graph->blocks[i].state & LJ_BLOCK_ROOT && !(graph->blocks[i].state & LJ_BLOCK_GONE))
            reach_block(w, (int32_t)i);
    for (uint32_t i = 1; i < graph->symbol_count; i++) {
        if (!(graph->symbols[i].traits & LJ_TRAIT_LIVE))
            continue;
        graph->symbols[i].traits &= (uint8_t)~LJ_TRAIT_LIVE;
        reach_symbol(w, i);
    }
    while (w->depth) {
        uint32_t number = w->stack[--w->depth];
        const lj_link_block *block = &graph->blocks[number];
        if (!in_memory(graph, number))
            continue;
        const lj_link_edge *edges = graph->edges + block->first_edge;
        for (uint32_t i = 0; i < block->edge_count; i++)
            if (!edges[i].gone)
                reach_symbol(w, edges[i].target);
    }
}

/* Whether a symbol goes. */
static int is_dead(const walk *w, const lj_link_symbol *symbol) {
    if (symbol->place >= 0)
        return !w->seen[symbol->place];
    return symbol->place == LJ_PLACE_EXTERNAL && !(symbol->traits & LJ_TRAIT_LIVE);
}

/* Returns whether a symbol went that the lists of names could have. */
static int sweep(walk *w) {
    lj_graph *graph = w->graph;
    int went = 0;
    for (uint32_t i = 0; i < graph->block_count; i++) {
        lj_link_block *block = &graph->blocks[i];
        if (block->state & LJ_BLOCK_GONE || in_memory(graph, i))
            continue;
        w->seen[i] = 1;
        for (uint32_t k = 0; k < block->edge_count; k++) {
            lj_link_edge *edge = &graph->edges[block->first_edge + k];
            if (!edge->gone && is_dead(w, &graph->symbols[edge->target]) &&
                (graph->symbols[edge->target].place < 0 ||
                 in_memory(graph, (uint32_t)graph->symbols[edge->target].place)))
                *edge = (lj_link_edge){.gone = 1};
        }
    }
    for (uint32_t i = 1; i < graph->symbol_count; i++)
        if (is_dead(w, &graph->symbols[i])) {
            went |= graph->symbols[i].place == LJ_PLACE_EXTERNAL ||
                    graph->symbols[i].scope != LJ_SCOPE_LOCAL;
            graph->symbols[i].place = LJ_PLACE_GONE;
            graph->symbols[i].offset = graph->symbols[i].size = 0;
        }
    for (uint32_t i = 0; i < graph->section_count; i++) {
        lj_link_section *section = &graph->sections[i];
        int32_t last = LJ_NONE;
        for (int32_t b = section->first_block, next; b != LJ_NONE; b = next) {
            next = graph->blocks[b].next;
            if (w->seen[b]) {
                last = b;
                continue;
            }
            if (last == LJ_NONE)
                section->first_block = next;
            else
                graph->blocks[last].next = next;
            section->block_count--;
            graph->blocks[b] = (lj_link_block){
                .state = LJ_BLOCK_GONE, .align = 1, .next = LJ_NONE, .first_symbol = LJ_NONE};
        }
        section->last_block = last;
    }
    return went;
}

void lj_graph_mark_exported(lj_graph *graph) {
    for (uint32_t i = 1; i < graph->symbol_count; i++) {
        lj_link_symbol *symbol = &graph->symbols[i];
        if (symbol->scope != LJ_SCOPE_LOCAL &&
            (symbol->place >= 0 || symbol->place == LJ_PLACE_ABSOLUTE))
            symbol->traits |= LJ_TRAIT_LIVE;
    }
}

lj_status lj_graph_prune(lj_graph *graph) {
    if (graph->planned)
        return lj_fail(&graph->fault, LJ_MISUSE, 0, 0, "slots are planned: too late to prune");
    lj_status status = graph->touched ? lj_graph_verify(graph) : LJ_OK;
    if (!status)
        status = lj_graph_relate(graph);
    if (status)
        return status;
    uint64_t blocks = graph->block_count;
    walk w = {.graph = graph, .stack = malloc(4 * blocks + 4), .seen = calloc(blocks + 1, 1)};
    if (w.stack && w.seen) {
        mark(&w);
        if (sweep(&w))
            graph->listed = 0;
        lj_graph_mark_used(graph);
        graph->indexed = 0;
    } else {
        status = lj_fail(&graph->fault, LJ_NO_MEMORY, 0, 0, "pruning the link graph");
    }
    free(w.stack);
    free(w.seen);
    return status;
}
