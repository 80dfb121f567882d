/* libFuzzer target: object files through the reader and every station.
 *
 * Twice: straight into an arena, as most links go; then station by station, pruned, split and
 * edited as the last byte of the ELF identification says, into memory of the target's own at
 * pretended addresses, with the graph verified before each station. External names get address 0
 * or, by a byte of the input, one in reach or far away, so that relaxation, PLT use and overflow
 * are visited. Nothing is executed; on the straight way eh-frames are checked and registered for
 * real.
 *
 *   scripts/fuzz 60 elf_read
 */
#include "elf_mutate.h"
#include "link_records.h"
#include "tls.h"

#include <stdlib.h>
#include <string.h>

static lj_arena *arena;

static void bind(lj_graph *graph, const uint8_t *data, size_t size, lj_status *status) {
    uint64_t *addresses = calloc((size_t)graph->external_count + 1, sizeof *addresses);
    uint64_t near, end;
    lj_arena_bounds(arena, &near, &end);
    if (!addresses)
        abort();
    for (uint32_t i = 0; i < graph->external_count; i++) {
        const uint64_t choices[4] = {0, near, UINT64_C(0x123456789a), LJ_TLS_TAG | 128};
        addresses[i] = choices[(data[i % size] >> 2) & 3];
    }
    *status = lj_graph_bind(graph, addresses, graph->external_count);
    free(addresses);
}

static void lose_some(lj_graph *graph, const uint8_t *data, size_t size) {
    for (uint32_t i = 0; i < graph->defined_count && size > 64; i++)
        if ((data[64 + i % (size - 64)] & 7) == 1)
            lj_graph_make_external(graph, &i, 1);
}

static void straight(const uint8_t *copy, const uint8_t *data, size_t size) {
    lj_graph *graph;
    lj_status status = lj_graph_load(copy, size, arena, &graph);
    if (!graph)
        abort();
    if (!status) {
        lose_some(graph, data, size);
        bind(graph, data, size, &status);
    }
    if (!status)
        status = lj_graph_apply(graph);
    if (!status)
        status = lj_graph_register(graph);
    if (!status && graph->linked.tls_size)
        (void)*(volatile uint8_t *)lj_tls_address(LJ_TLS_TAG | graph->linked.tls_offset);
    lj_linked_release(&graph->linked);
    lj_graph_free(graph);
}

/* Edits that a pass might make, all of which must keep the invariants or be refused. */
static void edit(lj_graph *graph, const uint8_t *data, size_t size) {
    for (uint32_t i = 0; i < graph->block_count && i < 64; i++) {
        uint8_t choice = data[(64 + i) % size];
        uint32_t number, block = choice % (graph->block_count + 1);
        lj_link_edge edge = {.kind = LJ_KIND_Pointer64, .offset = choice, .target = choice};
        if (choice & 1)
            lj_graph_split_block(graph, i, choice, &number);
        if (choice & 2)
            lj_graph_move_block(graph, i, choice % (graph->section_count + 1));
        if (choice & 4)
            lj_graph_add_edge(graph, block, &edge, &number);
        if (choice & 8)
            lj_graph_remove_edge(graph, block, choice % 7);
        if ((choice & 0xf0) == 0x50)
            lj_graph_merge_sections(graph, choice % (graph->section_count + 1), i, choice & 1);
        if ((choice & 0xf0) == 0xa0)
            lj_graph_own_content(graph, i);
    }
}

static void by_stations(const uint8_t *copy, const uint8_t *data, size_t size, uint8_t way) {
    lj_graph *graph;
    lj_status status = lj_graph_read(copy, size, way & 1 ? LJ_READ_NO_ALLOC : 0, &graph);
    if (!graph)
        abort();
    uint8_t *memory[LJ_SEGMENTS] = {0};
    /* Malformed names and placements of symbols are for `verify` to find, at the next station. */
    graph->touched = 1;
    if (!status) {
        status = lj_graph_list(graph);
        if (!status)
            lose_some(graph, data, size);
    }
    if (!status && way & 2)
        edit(graph, data, size);
    if (!status && way & 4) {
        if (way & 8)
            lj_graph_mark_exported(graph);
        for (uint32_t i = 1; i < graph->symbol_count; i++)
            if ((data[i % size] & 15) == 3)
                graph->symbols[i].traits |= LJ_TRAIT_LIVE;
        status = lj_graph_prune(graph);
    } else if (!status) {
        status = lj_graph_relate(graph);
    }
    if (!status)
        status = lj_graph_plan(graph);
    if (!status)
        status = lj_graph_layout(graph);
    uint64_t total = 0;
    for (int i = 0; !status && i < LJ_SEGMENTS; i++) {
        total += graph->segments[i].size;
        if (total > UINT64_C(64) << 20)
            status = LJ_ARENA_FULL;
    }
    for (int i = 0; !status && i < LJ_SEGMENTS; i++) {
        lj_segment *segment = &graph->segments[i];
        segment->target = UINT64_C(0x10000000) * (uint64_t)(i + 1);
        if (segment->size && !(memory[i] = malloc(segment->size)))
            abort();
        segment->working = (uint64_t)(uintptr_t)memory[i];
    }
    if (!status)
        status = lj_graph_place(graph, 0);
    if (!status && lj_graph_verify(graph))
        abort(); /* the linker's own doing */
    if (!status)
        bind(graph, data, size, &status);
    if (!status)
        status = lj_graph_apply(graph);
    lj_linked_release(&graph->linked);
    lj_graph_free(graph);
    for (int i = 0; i < LJ_SEGMENTS; i++)
        free(memory[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!arena && lj_arena_new(UINT64_C(96) << 20, 0, &arena, NULL))
        abort();
    /* A copy of the exact size, at an odd address now and then, as in an archive. */
    size_t shift = size ? data[size - 1] & 1 : 0;
    uint8_t *copy = malloc(size + shift);
    if (!copy)
        abort();
    if (size)
        memcpy(copy + shift, data, size);
    lj_graph *graph;
    lj_graph_scan(copy + shift, size, &graph);
    lj_graph_free(graph);
    straight(copy + shift, data, size);
    by_stations(copy + shift, data, size, (size > 15 ? data[15] : 0) ^ 0x0d);
    free(copy);
    lj_arena_statistics left;
    lj_arena_statistics_get(arena, &left);
    if (left.spans[LJ_TEXT] + left.spans[LJ_RODATA] + left.spans[LJ_DATA])
        abort();
    return 0;
}
