/* Layout: which block goes where.
 *
 * One object takes at most one span of each region, in which its blocks follow each other in the
 * order of the file, each at its alignment: code of one object stays together, and a 40-byte
 * function takes 40 bytes, not a page. The thread-local sections form an image of their own: its
 * variables get offsets in every thread's block (tls.h), while only its initial data takes memory
 * here, in RODATA.
 */
#include "link_graph.h"

#include <string.h>

static uint64_t align_up(uint64_t value, uint64_t align) {
    return (value + align - 1) & -align;
}

typedef struct layout {
    uint64_t size[LJ_REGIONS], align[LJ_REGIONS];
    uint64_t tls_size, tls_align, tls_init_size;
    uint64_t tls_at; /* of the initial data in RODATA */
} layout;

/* Offsets are kept in lj_link_block.address until the spans are known. */
static void place(lj_link_block *block, uint64_t *size, uint64_t *align) {
    *size = align_up(*size, block->align);
    block->address = *size;
    *size += block->size;
    if (block->align > *align)
        *align = block->align;
}

/* Thread-local blocks: those with initial data first, so that the data is one piece. */
static void lay_out_tls(lj_graph *graph, layout *plan) {
    plan->tls_align = 1;
    for (int zeros = 0; zeros < 2; zeros++) {
        for (uint32_t i = 0; i < graph->block_count; i++) {
            lj_link_block *block = &graph->blocks[i];
            if (graph->sections[block->section].role == LJ_ROLE_TLS &&
                (block->content == 0) == zeros)
                place(block, &plan->tls_size, &plan->tls_align);
        }
        if (!zeros)
            plan->tls_init_size = plan->tls_size;
    }
}

static void lay_out(lj_graph *graph, layout *plan) {
    int tls = 0;
    for (int region = 0; region < LJ_REGIONS; region++)
        plan->align[region] = 8;
    for (uint32_t i = 0; i < graph->block_count; i++) {
        lj_link_block *block = &graph->blocks[i];
        const lj_link_section *section = &graph->sections[block->section];
        if (section->role == LJ_ROLE_TLS)
            tls = 1;
        else
            place(block, &plan->size[section->region], &plan->align[section->region]);
    }
    /* A place in an empty section needs an address too. */
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const lj_link_symbol *symbol = &graph->symbols[i];
        if (symbol->place < 0 || graph->blocks[symbol->place].size ||
            (symbol->scope == LJ_SCOPE_LOCAL && !(symbol->traits & LJ_TRAIT_USED)))
            continue;
        int region = graph->sections[graph->blocks[symbol->place].section].region;
        if (!plan->size[region])
            plan->size[region] = 1;
    }
    if (!tls)
        return;
    lay_out_tls(graph, plan);
    plan->tls_at = align_up(plan->size[LJ_RODATA], 64);
    if (plan->tls_init_size)
        plan->size[LJ_RODATA] = plan->tls_at + plan->tls_init_size;
}

static lj_status take_memory(lj_graph *graph, lj_arena *arena, const layout *plan) {
    static const char *const names[] = {"code", "read-only data", "data"};
    lj_linked *linked = &graph->linked;
    linked->arena = arena;
    for (int region = 0; region < LJ_REGIONS; region++) {
        uint64_t size = plan->size[region];
        if (!size)
            continue;
        lj_status status =
            lj_arena_alloc(arena, region, size, plan->align[region], &linked->spans[region]);
        if (status)
            return lj_fail(&graph->fault, status, 0, size, "%llu bytes of %s",
                           (unsigned long long)size, names[region]);
    }
    return LJ_OK;
}

static void settle_block(lj_graph *graph, lj_link_block *block, const layout *plan) {
    const lj_link_section *section = &graph->sections[block->section];
    const lj_span *span = &graph->linked.spans[section->region];
    uint64_t offset = block->address;
    if (section->role == LJ_ROLE_TLS) {
        block->address = offset; /* lj_graph_place_tls adds the image's token */
        if (!block->content)
            return;
        offset += plan->tls_at;
    } else {
        block->address = span->target + offset;
    }
    uint8_t *working = span->working ? span->working + offset : NULL;
    /* The arena gives zeroed memory: zero-fill blocks and endings are done. */
    if (block->content && block->input_size)
        memcpy(working, (const void *)(uintptr_t)block->content, block->input_size);
    block->content = (uint64_t)(uintptr_t)working;
}

static void settle_symbols(lj_graph *graph) {
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        lj_link_symbol *symbol = &graph->symbols[i];
        if (symbol->place >= 0)
            symbol->address = graph->blocks[symbol->place].address + symbol->offset;
    }
}

static void list_addresses(lj_graph *graph) {
    for (uint32_t i = 0; i < graph->defined_count; i++)
        graph->defined_address[i] = graph->symbols[graph->defined[i]].address;
}

lj_status lj_graph_allocate(lj_graph *graph, lj_arena *arena) {
    layout plan = {0};
    if (graph->allocated || graph->fault.status)
        return lj_fail(&graph->fault, LJ_MISUSE, 0, 0, "the graph was allocated, or has failed");
    lay_out(graph, &plan);
    lj_status status = take_memory(graph, arena, &plan);
    if (status) {
        lj_linked_release(&graph->linked);
        return status;
    }
    /* From here on addresses are fixed, and the input isn't needed any more. */
    for (uint32_t i = 0; i < graph->block_count; i++)
        settle_block(graph, &graph->blocks[i], &plan);
    settle_symbols(graph);
    const lj_span *rodata = &graph->linked.spans[LJ_RODATA];
    status = lj_graph_place_tls(graph, plan.tls_init_size ? rodata->working + plan.tls_at : NULL,
                                plan.tls_init_size, plan.tls_size, plan.tls_align);
    if (status) {
        lj_linked_release(&graph->linked);
        return status;
    }
    list_addresses(graph);
    if (plan.tls_init_size)
        graph->tls_init = graph->linked.spans[LJ_RODATA].target + plan.tls_at;
    graph->tls_init_size = plan.tls_init_size;
    graph->allocated = 1;
    return LJ_OK;
}
