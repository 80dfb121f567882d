/* Layout: which block goes where.
 *
 * Blocks of one protection and lifetime make a segment, in which they follow each other, section by
 * section, each at its alignment: code of one object stays together, and a 40-byte function takes
 * 40 bytes, not a page. Whoever has memory fulfils a segment: layout says sizes and alignments,
 * `place` takes addresses. An arena is the usual case, with one span for each segment.
 *
 * The thread-local sections form an image of their own: its variables get offsets in every thread's
 * block (tls.h), while only its initial data takes memory here, in the read-only segment.
 */
#include "link_records.h"

#include <string.h>

/* Call frame information ends with a record of length zero. */
enum { FRAMES_END = 4 };

static uint64_t align_up(uint64_t value, uint64_t align) {
    return (value + align - 1) & -align;
}

/* Offsets are kept in lj_link_block.address until the segments have addresses. */
static void put(lj_link_block *block, uint64_t *size, uint64_t *align) {
    *size = align_up(*size - block->align_offset, block->align) + block->align_offset;
    block->address = *size;
    *size += block->size;
    if (block->align > *align)
        *align = block->align;
}

/* Thread-local blocks: those with initial data first, so that the data is one piece. */
static void lay_out_tls(lj_graph *graph) {
    graph->tls_align = 1;
    for (int zeros = 0; zeros < 2; zeros++) {
        for (uint32_t i = 0; i < graph->section_count; i++) {
            const lj_link_section *section = &graph->sections[i];
            if (section->role != LJ_ROLE_TLS || section->region == LJ_REGION_NONE)
                continue;
            for (int32_t b = section->first_block; b != LJ_NONE; b = graph->blocks[b].next)
                if ((graph->blocks[b].content == 0) == zeros)
                    put(&graph->blocks[b], &graph->tls_size, &graph->tls_align);
        }
        if (!zeros)
            graph->tls_init_size = graph->tls_size;
    }
}

lj_status lj_graph_layout(lj_graph *graph) {
    if (!graph->planned || graph->laid_out)
        return lj_fail(&graph->fault, LJ_MISUSE, 0, 0, "the graph isn't ready to be laid out");
    lj_status status = graph->touched ? lj_graph_verify(graph) : LJ_OK;
    if (!status && graph->touched && lj_graph_lacks_slots(graph)) {
        status = lj_graph_plan_slots(graph);
        graph->listed = 0; /* a GOT may be there now for who names it */
        if (!status)
            status = lj_graph_list(graph);
    }
    if (status)
        return status;
    lj_segment *segments = graph->segments;
    int tls = 0;
    for (int i = 0; i < LJ_SEGMENTS; i++) {
        static const uint8_t prots[] = {LJ_PROT_READ | LJ_PROT_EXEC, LJ_PROT_READ,
                                        LJ_PROT_READ | LJ_PROT_WRITE};
        segments[i] =
            (lj_segment){.align = 8,
                         .prot = prots[i % LJ_REGIONS],
                         .lifetime = i < LJ_REGIONS ? LJ_LIFETIME_STANDARD : LJ_LIFETIME_FINALIZE};
    }
    for (uint32_t i = 0; i < graph->section_count; i++) {
        const lj_link_section *section = &graph->sections[i];
        if (!section->linked || section->first_block == LJ_NONE)
            continue;
        uint64_t own = 0, unused = 0; /* NO_ALLOC: each section by itself, from 0 on */
        lj_segment *segment = NULL;
        if (section->region != LJ_REGION_NONE)
            segment = &segments[lj_segment_of(section)];
        if (section->role == LJ_ROLE_TLS && segment) {
            tls = 1;
            continue;
        }
        for (int32_t b = section->first_block; b != LJ_NONE; b = graph->blocks[b].next) {
            lj_link_block *block = &graph->blocks[b];
            if (section->role == LJ_ROLE_EH_FRAME && b != section->first_block) {
                block->align = 1; /* unwinders take zeros between records for the end */
                block->align_offset = 0;
            }
            put(block, segment ? &segment->size : &own, segment ? &segment->align : &unused);
        }
        if (section->role == LJ_ROLE_EH_FRAME && segment)
            segment->size += FRAMES_END;
    }
    /* A place in an empty block needs an address too. */
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const lj_link_symbol *symbol = &graph->symbols[i];
        if (symbol->place < 0 || graph->blocks[symbol->place].size ||
            (symbol->scope == LJ_SCOPE_LOCAL && !(symbol->traits & LJ_TRAIT_USED)))
            continue;
        const lj_link_section *section = &graph->sections[graph->blocks[symbol->place].section];
        if (section->region != LJ_REGION_NONE && !segments[lj_segment_of(section)].size)
            segments[lj_segment_of(section)].size = 1;
    }
    if (tls) {
        lay_out_tls(graph);
        graph->tls_at = align_up(segments[LJ_RODATA].size, 64);
        if (graph->tls_init_size)
            segments[LJ_RODATA].size = graph->tls_at + graph->tls_init_size;
    }
    graph->laid_out = 1;
    return LJ_OK;
}

static void place_block(lj_graph *graph, lj_link_block *block, const lj_segment *segment,
                        int thread_local, int zeroed) {
    uint64_t offset = block->address;
    block->address += segment->target;
    if (thread_local) {
        block->address = offset; /* lj_graph_place_tls adds the image's token */
        if (!block->content)
            return;
        offset += graph->tls_at;
    }
    uint8_t *working = segment->working ? (uint8_t *)(uintptr_t)segment->working + offset : NULL;
    uint64_t given = block->content ? block->input_size : 0;
    if (given)
        memcpy(working, (const void *)(uintptr_t)block->content, given);
    if (!zeroed && block->size > given)
        memset(working + given, 0, block->size - given);
    block->content = (uint64_t)(uintptr_t)working;
    block->state |= LJ_BLOCK_OWNED;
}

lj_status lj_graph_place(lj_graph *graph, int zeroed) {
    if (!graph->laid_out || graph->allocated)
        return lj_fail(&graph->fault, LJ_MISUSE, 0, 0, "the graph isn't ready to be placed");
    for (int i = 0; i < LJ_SEGMENTS; i++) {
        const lj_segment *segment = &graph->segments[i];
        if (segment->size && (!segment->working || segment->target & (segment->align - 1) ||
                              segment->target + segment->size < segment->target))
            return lj_fail(&graph->fault, LJ_MISUSE, 0, (uint64_t)i,
                           "segment %d has no memory, or is at %#llx, not at a multiple of %llu", i,
                           (unsigned long long)segment->target, (unsigned long long)segment->align);
    }
    /* From here on addresses are fixed, and the input isn't needed any more. */
    for (uint32_t i = 0; i < graph->section_count; i++) {
        const lj_link_section *section = &graph->sections[i];
        if (!section->linked)
            continue;
        int32_t last = section->last_block;
        for (int32_t b = section->first_block; b != LJ_NONE; b = graph->blocks[b].next) {
            lj_link_block *block = &graph->blocks[b];
            if (section->region != LJ_REGION_NONE) {
                place_block(graph, block, &graph->segments[lj_segment_of(section)],
                            section->role == LJ_ROLE_TLS, zeroed);
            } else if (!(block->state & LJ_BLOCK_ZERO_FILL)) {
                lj_status status = lj_graph_own_content(graph, (uint32_t)b);
                if (status) {
                    graph->memory_gone = LJ_MEMORY_FREED; /* the caller gives it back */
                    return status;
                }
            }
        }
        if (section->role == LJ_ROLE_EH_FRAME && section->region != LJ_REGION_NONE && !zeroed &&
            last != LJ_NONE)
            memset((uint8_t *)(uintptr_t)graph->blocks[last].content + graph->blocks[last].size, 0,
                   FRAMES_END);
    }
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        lj_link_symbol *symbol = &graph->symbols[i];
        if (symbol->place >= 0)
            symbol->address = graph->blocks[symbol->place].address + symbol->offset;
    }
    graph->tls_init = graph->tls_init_size ? graph->segments[LJ_RODATA].target + graph->tls_at : 0;
    lj_status status = lj_graph_place_tls(graph);
    if (status) {
        graph->memory_gone = LJ_MEMORY_FREED;
        return status;
    }
    for (uint32_t i = 0; i < graph->defined_count; i++)
        graph->defined_address[i] = graph->symbols[graph->defined[i]].address;
    graph->allocated = 1;
    return LJ_OK;
}

lj_status lj_graph_allocate(lj_graph *graph, lj_arena *arena) {
    if (graph->allocated)
        return lj_fail(&graph->fault, LJ_MISUSE, 0, 0, "the graph was allocated");
    lj_status status = graph->planned ? LJ_OK : lj_graph_plan(graph);
    if (!status && !graph->laid_out)
        status = lj_graph_layout(graph);
    if (status)
        return status;
    lj_linked *linked = &graph->linked;
    linked->arena = arena;
    for (int i = 0; i < LJ_SEGMENTS && !status; i++) {
        lj_segment *segment = &graph->segments[i];
        if (!segment->size)
            continue;
        status =
            lj_arena_alloc(arena, i % LJ_REGIONS, segment->size, segment->align, &linked->spans[i]);
        if (status)
            lj_arena_tell(arena, i % LJ_REGIONS, status, segment->size, &graph->fault);
        segment->target = linked->spans[i].target;
        segment->working = (uint64_t)(uintptr_t)linked->spans[i].working;
    }
    if (!status)
        status = lj_graph_reserve_tls(graph);
    if (!status)
        status = lj_graph_place(graph, 1);
    if (status)
        lj_linked_release(linked);
    return status;
}
