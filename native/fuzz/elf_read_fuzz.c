/* libFuzzer target: object files through reader, layout and fix-up.
 *
 * External names get address 0 or, by a byte of the input, one in reach or far away, so that
 * relaxation, PLT use and overflow are all visited. Nothing is executed; eh-frames are checked and
 * registered for real.
 *
 *   clang-22 -g -O1 -fsanitize=fuzzer,address,undefined -Inative native/fuzz/elf_read_fuzz.c \
 *       native/{elf_*,link_*,link,frames,tls*,arena*,status}.c -lpthread -ldl -o /tmp/elf_read_fuzz
 *   /tmp/elf_read_fuzz -max_len=65536 CORPUS_OF_OBJECTS/
 */
#include "link_graph.h"
#include "tls.h"

#include <stdlib.h>
#include <string.h>

static lj_arena *arena;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!arena && lj_arena_new(UINT64_C(96) << 20, 0, &arena, NULL))
        abort();
    lj_graph *graph;
    /* A copy of the exact size, at an odd address now and then, as in an archive. */
    size_t shift = size ? data[size - 1] & 1 : 0;
    uint8_t *copy = malloc(size + shift);
    if (!copy)
        abort();
    if (size)
        memcpy(copy + shift, data, size);
    lj_status status = lj_graph_scan(copy + shift, size, &graph);
    lj_graph_free(graph);
    status = lj_graph_load(copy + shift, size, arena, &graph);
    free(copy);
    if (!graph)
        abort();
    if (!status) {
        for (uint32_t i = 0; i < graph->defined_count && size > 64; i++)
            if ((data[64 + i % (size - 64)] & 7) == 1)
                lj_graph_make_external(graph, &i, 1);
        graph->fault.status = LJ_OK; /* a strong definition was refused */
        uint64_t *addresses = calloc((size_t)graph->external_count + 1, sizeof *addresses);
        uint64_t near, end;
        lj_arena_bounds(arena, &near, &end);
        for (uint32_t i = 0; addresses && i < graph->external_count; i++) {
            const uint64_t choices[4] = {0, near, UINT64_C(0x123456789a), LJ_TLS_TAG | 128};
            addresses[i] = choices[(data[i % size] >> 2) & 3];
        }
        if (addresses)
            status = lj_graph_fix_up(graph, addresses, graph->external_count);
        free(addresses);
        if (!status && graph->linked.tls_size)
            (void)*(volatile uint8_t *)lj_tls_address(LJ_TLS_TAG | graph->linked.tls_offset);
    }
    lj_linked_release(&graph->linked);
    lj_graph_free(graph);
    lj_arena_statistics left;
    lj_arena_statistics_get(arena, &left);
    if (left.spans[LJ_TEXT] + left.spans[LJ_RODATA] + left.spans[LJ_DATA])
        abort();
    return 0;
}
