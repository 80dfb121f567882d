/* The stations of one object, and the end of it. link_graph.h has the tour. */
#include "frames.h"
#include "link_graph.h"
#include "tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

lj_status lj_bad_relocation(lj_graph *graph, lj_status status, uint32_t section,
                            const lj_link_edge *edge, int64_t value, const char *words) {
    graph->bad = (lj_bad_edge){.offset = edge->offset,
                               .value = value,
                               .kind = edge->kind,
                               .symbol = edge->target,
                               .section = section};
    return lj_fail(&graph->fault, status, edge->offset, edge->kind, "%s", words);
}

static lj_status read_into_new(const uint8_t *data, uint64_t size, int with_edges, lj_graph **out) {
    lj_graph *graph = *out = calloc(1, sizeof *graph);
    if (!graph)
        return LJ_NO_MEMORY;
    graph->got_block = graph->plt_block = graph->got_section = graph->ifunc_block = UINT32_MAX;
    lj_status status = lj_elf_read(graph, data, size, with_edges);
    if (status)
        return status;
    lj_graph_plan_ifuncs(graph);
    lj_graph_plan_slots(graph);
    return lj_graph_list_symbols(graph, size);
}

lj_status lj_graph_read(const uint8_t *data, uint64_t size, lj_graph **out) {
    return read_into_new(data, size, 1, out);
}

lj_status lj_graph_scan(const uint8_t *data, uint64_t size, lj_graph **out) {
    return read_into_new(data, size, 0, out);
}

lj_status lj_graph_load(const uint8_t *data, uint64_t size, lj_arena *arena, lj_graph **out) {
    lj_status status = lj_graph_read(data, size, out);
    return status ? status : lj_graph_allocate(*out, arena);
}

lj_status lj_graph_make_external(lj_graph *graph, const uint32_t *positions, uint32_t count) {
    if (graph->fixed)
        return lj_fail(&graph->fault, LJ_MISUSE, 0, 0, "the graph is fixed up already");
    for (uint32_t i = 0; i < count; i++) {
        if (positions[i] >= graph->defined_count)
            return lj_fail(&graph->fault, LJ_MISUSE, 0, positions[i], "no such definition");
        uint32_t number = graph->defined[positions[i]];
        lj_link_symbol *symbol = &graph->symbols[number];
        if (symbol->place == LJ_PLACE_EXTERNAL)
            continue;
        if (symbol->linkage != LJ_LINKAGE_WEAK)
            return lj_fail(&graph->fault, LJ_MISUSE, 0, positions[i],
                           "a strong definition can't become external");
        symbol->place = LJ_PLACE_EXTERNAL;
        symbol->offset = symbol->address = 0;
        if (symbol->traits & LJ_TRAIT_USED) {
            graph->external_weak[graph->external_count] = 0;
            graph->externals[graph->external_count++] = number;
        }
    }
    return LJ_OK;
}

static lj_status register_frames(lj_graph *graph) {
    lj_linked *linked = &graph->linked;
    uint32_t count = 0;
    for (uint32_t i = 0; i < graph->section_count; i++)
        count += graph->sections[i].role == LJ_ROLE_EH_FRAME &&
                 graph->sections[i].region != LJ_REGION_NONE;
    if (!count)
        return LJ_OK;
    linked->frames = malloc(count * sizeof *linked->frames);
    if (!linked->frames)
        return lj_fail(&graph->fault, LJ_NO_MEMORY, 0, 0, "registering eh-frames");
    const lj_span *text = &linked->spans[LJ_TEXT];
    for (uint32_t i = 0; i < graph->section_count; i++) {
        const lj_link_section *section = &graph->sections[i];
        if (section->role != LJ_ROLE_EH_FRAME || section->region == LJ_REGION_NONE)
            continue;
        const lj_link_block *block = &graph->blocks[section->first_block];
        lj_status status =
            lj_frames_check((const uint8_t *)(uintptr_t)block->content, block->size, block->address,
                            text->target, text->target + text->size, &graph->fault);
        if (status)
            return status;
        status = lj_frames_register(block->address);
        if (status)
            return lj_fail(&graph->fault, status, 0, 0, "no unwinder to register eh-frames with");
        linked->frames[linked->frame_count++] = block->address;
    }
    return LJ_OK;
}

static lj_status register_tls(lj_graph *graph) {
    lj_linked *linked = &graph->linked;
    if (!linked->tls_size)
        return LJ_OK;
    lj_status status = lj_tls_register(linked->tls_offset, (const void *)(uintptr_t)graph->tls_init,
                                       graph->tls_init_size);
    return status ? lj_fail(&graph->fault, status, 0, 0, "registering a TLS image") : LJ_OK;
}

static void bind_externals(lj_graph *graph, const uint64_t *addresses) {
    for (uint32_t i = 0; i < graph->external_count; i++)
        graph->symbols[graph->externals[i]].address = addresses[i];
}

lj_status lj_graph_fix_up(lj_graph *graph, const uint64_t *addresses, uint32_t count) {
    if (!graph->allocated || graph->fixed || graph->fault.status)
        return lj_fail(&graph->fault, LJ_MISUSE, 0, 0, "the graph isn't ready to be fixed up");
    if (count != graph->external_count)
        return lj_fail(&graph->fault, LJ_MISUSE, 0, count, "%u addresses for %u externals", count,
                       graph->external_count);
    graph->fixed = 1;
    bind_externals(graph, addresses);
    if (graph->plt_block != UINT32_MAX)
        graph->arch->write_plt((uint8_t *)(uintptr_t)graph->blocks[graph->plt_block].content,
                               graph->plt_entries);
    lj_graph_write_ifuncs(graph);
    lj_status status = lj_graph_apply_edges(graph);
    if (status)
        return status;
    status = register_frames(graph);
    return status ? status : register_tls(graph);
}

void lj_graph_finalize(lj_graph *graph, lj_linked *out) {
    *out = graph->linked;
    memset(&graph->linked, 0, sizeof graph->linked);
}

void lj_graph_free(lj_graph *graph) {
    if (!graph)
        return;
    free(graph->linked.frames);
    free(graph->names);
    free(graph->slab);
    free(graph);
}

void lj_linked_release(lj_linked *linked) {
    while (linked->frame_count)
        lj_frames_deregister(linked->frames[--linked->frame_count]);
    free(linked->frames);
    linked->frames = NULL;
    if (linked->tls_size)
        lj_tls_release(linked->tls_offset);
    linked->tls_size = 0;
    for (int region = 0; region < LJ_REGIONS; region++) {
        if (linked->spans[region].size)
            lj_arena_free(linked->arena, region, linked->spans[region].target);
        linked->spans[region] = (lj_span){0};
    }
}
