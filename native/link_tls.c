/* A graph's thread-local image: in the block that every thread has for JIT'd code, or in the
 * threads' static block when the object's own code looks for it there.
 *
 * The static block's initial bytes are given to every thread at once, when its room is taken; and
 * that must be when addresses are given out, before other objects' addresses are known. So the
 * initial data of such an image may point to what the object itself defines, and nothing else.
 */
#include "link_graph.h"
#include "tls.h"
#include "tls_static.h"

static int is_thread_local(const lj_graph *graph, const lj_link_block *block) {
    return graph->sections[block->section].role == LJ_ROLE_TLS;
}

/* Where an executable would have it: see lj_arch.tls_above. */
static uint64_t foreign_token(const lj_graph *graph, uint64_t size, uint64_t align) {
    if (!graph->tls_static)
        return LJ_TLS_TAG + align;
    uint64_t above = graph->arch->tls_above;
    uint64_t distance = above ? (above + align - 1) & -align : -((size + align) & -align);
    return LJ_TLS_STATIC_TAG | (distance & ~LJ_TLS_TAG_MASK);
}

lj_status lj_graph_reserve_tls(lj_graph *graph) {
    lj_linked *linked = &graph->linked;
    if (!graph->laid_out || graph->allocated)
        return lj_fail(&graph->fault, LJ_MISUSE, 0, 0, "the graph isn't ready to be placed");
    if (!graph->arch->is_host)
        return lj_fail(&graph->fault, LJ_OBJ_UNSUPPORTED, 0, 0,
                       "code for %s can be linked, but not run in this process", graph->arch->name);
    graph->runs_here = 1;
    if (!graph->tls_size || graph->tls_static || linked->tls_size)
        return LJ_OK;
    lj_status status =
        lj_tls_reserve(graph->tls_size, graph->tls_align, &linked->tls_offset, &graph->fault);
    if (status)
        return status;
    linked->tls_size = graph->tls_size;
    return LJ_OK;
}

static lj_status take_static(lj_graph *graph) {
    for (uint32_t i = 0; i < graph->block_count; i++) {
        const lj_link_block *block = &graph->blocks[i];
        if (block->state & LJ_BLOCK_GONE || !is_thread_local(graph, block) || !block->content)
            continue;
        lj_status status = lj_graph_apply_own_edges(graph, block);
        if (status)
            return status;
    }
    const uint8_t *working = (const uint8_t *)(uintptr_t)graph->segments[LJ_RODATA].working;
    lj_tls_static *image;
    lj_status status = lj_tls_static_open(graph->tls_init_size ? working + graph->tls_at : NULL,
                                          graph->tls_init_size, graph->tls_size, graph->tls_align,
                                          &image, &graph->fault);
    if (status)
        return status;
    graph->linked.tls_static = image;
    graph->tls_token = lj_tls_static_token(image);
    return LJ_OK;
}

lj_status lj_graph_place_tls(lj_graph *graph) {
    if (!graph->tls_size)
        return LJ_OK;
    if (!graph->runs_here) {
        graph->tls_token = foreign_token(graph, graph->tls_size, graph->tls_align);
    } else if (graph->tls_static) {
        lj_status status = take_static(graph);
        if (status)
            return status;
    } else {
        graph->tls_token = LJ_TLS_TAG | graph->linked.tls_offset;
    }
    for (uint32_t i = 0; i < graph->block_count; i++)
        if (!(graph->blocks[i].state & LJ_BLOCK_GONE) && is_thread_local(graph, &graph->blocks[i]))
            graph->blocks[i].address += graph->tls_token;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        lj_link_symbol *symbol = &graph->symbols[i];
        if (symbol->place >= 0 && is_thread_local(graph, &graph->blocks[symbol->place]))
            symbol->address = graph->blocks[symbol->place].address + symbol->offset;
        else if (graph->tls_static && symbol->place == LJ_PLACE_ABSOLUTE &&
                 symbol->traits & LJ_TRAIT_TLS)
            symbol->address = graph->tls_token; /* _TLS_MODULE_BASE_ */
    }
    return LJ_OK;
}

lj_status lj_graph_register_tls(lj_graph *graph) {
    const lj_linked *linked = &graph->linked;
    const void *init = (const void *)(uintptr_t)graph->tls_init;
    if (linked->tls_static)
        return lj_tls_static_is(linked->tls_static, init, graph->tls_init_size)
                   ? LJ_OK
                   : lj_fail(&graph->fault, LJ_OBJ_UNSUPPORTED, 0, 0,
                             "the initial data of a variable in the threads' static block refers "
                             "to another object, or was changed by a pass: compile with -fPIC");
    if (!linked->tls_size)
        return LJ_OK;
    lj_status status = lj_tls_register(linked->tls_offset, init, graph->tls_init_size);
    return status ? lj_fail(&graph->fault, status, 0, 0, "registering a TLS image") : LJ_OK;
}
