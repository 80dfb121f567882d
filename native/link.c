/* The stations of one object, and the end of it. link_graph.h has the tour. */
#include "atexit.h"
#include "frames.h"
#include "link_records.h"
#include "tls.h"
#include "tls_static.h"

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

static lj_graph *make(void) {
    lj_graph *graph = calloc(1, sizeof *graph);
    if (graph)
        graph->got_block = graph->plt_block = graph->got_section = graph->ifunc_block = UINT32_MAX;
    return graph;
}

lj_status lj_graph_new(const char *arch, lj_graph **out) {
    static const char names[] = LJ_SYNTHETIC_NAMES;
    lj_graph *graph = *out = make();
    if (!graph)
        return LJ_NO_MEMORY;
    graph->arch = lj_arch_named(arch);
    if (!graph->arch)
        return lj_fail(&graph->fault, LJ_MISUSE, 0, 0, "no linker for architecture %s", arch);
    lj_status status = lj_graph_reserve(graph, 1, 0, 1, 0);
    if (!status && !(graph->strings = lj_graph_take(graph, sizeof names)))
        status = LJ_NO_MEMORY;
    if (status)
        return status;
    memcpy(graph->strings, names, sizeof names);
    graph->strings_size = graph->strings_room = sizeof names;
    /* As in an object: section 0 and symbol 0 are nobody's. */
    graph->sections[graph->section_count++] =
        (lj_link_section){.region = LJ_REGION_NONE, .first_block = LJ_NONE, .last_block = LJ_NONE};
    graph->symbols[graph->symbol_count++] =
        (lj_link_symbol){.place = LJ_PLACE_ABSOLUTE, .next = LJ_NONE, .previous = LJ_NONE};
    return LJ_OK;
}

lj_status lj_graph_read(const uint8_t *data, uint64_t size, uint32_t flags, lj_graph **out) {
    lj_graph *graph = *out = make();
    return graph ? lj_elf_read(graph, data, size, flags) : LJ_NO_MEMORY;
}

lj_status lj_graph_scan(const uint8_t *data, uint64_t size, lj_graph **out) {
    lj_status status = lj_graph_read(data, size, LJ_READ_SCAN, out);
    return status ? status : lj_graph_list(*out);
}

lj_status lj_graph_plan(lj_graph *graph) {
    if (graph->planned)
        return lj_fail(&graph->fault, LJ_MISUSE, 0, 0, "the graph's slots are planned already");
    lj_status status = LJ_OK;
    if (graph->touched) {
        status = lj_graph_verify(graph);
        if (status)
            return status;
        lj_graph_mark_used(graph);
    }
    status = lj_graph_plan_ifuncs(graph);
    if (!status)
        status = lj_graph_plan_slots(graph);
    if (status)
        return status;
    graph->planned = 1;
    if (graph->touched || graph->own_names)
        graph->listed = 0;
    return lj_graph_list(graph);
}

lj_status lj_graph_load(const uint8_t *data, uint64_t size, lj_arena *arena, lj_graph **out) {
    lj_status status = lj_graph_read(data, size, 0, out);
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
        if (graph->indexed && symbol->place >= 0)
            lj_graph_unlist_symbol(graph, number);
        symbol->place = LJ_PLACE_EXTERNAL;
        symbol->linkage = LJ_LINKAGE_STRONG; /* as an external: it must be there */
        symbol->offset = symbol->address = 0;
        symbol->traits &= (uint8_t)~(LJ_TRAIT_COMMON | LJ_TRAIT_IFUNC | LJ_TRAIT_LIVE);
        if (graph->planned && symbol->traits & LJ_TRAIT_USED) {
            graph->external_weak[graph->external_count] = 0;
            graph->externals[graph->external_count++] = number;
        }
    }
    if (!graph->planned)
        graph->listed = 0;
    return LJ_OK;
}

static int has_frames(const lj_link_section *section) {
    return section->role == LJ_ROLE_EH_FRAME && section->region != LJ_REGION_NONE &&
           section->first_block != LJ_NONE;
}

static lj_status register_frames(lj_graph *graph) {
    lj_linked *linked = &graph->linked;
    uint32_t count = 0;
    for (uint32_t i = 0; i < graph->section_count; i++)
        count += has_frames(&graph->sections[i]);
    if (!count)
        return LJ_OK;
    linked->frames = malloc(count * sizeof *linked->frames);
    if (!linked->frames)
        return lj_fail(&graph->fault, LJ_NO_MEMORY, 0, 0, "registering eh-frames");
    const lj_segment *text = &graph->segments[LJ_TEXT];
    for (uint32_t i = 0; i < graph->section_count; i++) {
        if (!has_frames(&graph->sections[i]))
            continue;
        const lj_link_block *block = &graph->blocks[graph->sections[i].first_block];
        const lj_link_block *last = &graph->blocks[graph->sections[i].last_block];
        /* Layout has left room for the record of length zero behind the last block. */
        uint64_t size = last->address + last->size + 4 - block->address;
        lj_status status =
            lj_frames_check((const uint8_t *)(uintptr_t)block->content, size, block->address,
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

lj_status lj_graph_register(lj_graph *graph) {
    if (!graph->fixed || graph->linked.frames)
        return lj_fail(&graph->fault, LJ_MISUSE, 0, 0, "the graph isn't ready to be registered");
    lj_status status = register_frames(graph);
    return status ? status : lj_graph_register_tls(graph);
}

lj_status lj_graph_bind(lj_graph *graph, const uint64_t *addresses, uint32_t count) {
    if (!graph->allocated || graph->fixed)
        return lj_fail(&graph->fault, LJ_MISUSE, 0, 0, "the graph isn't ready to be fixed up");
    if (count != graph->external_count)
        return lj_fail(&graph->fault, LJ_MISUSE, 0, count, "%u addresses for %u externals", count,
                       graph->external_count);
    for (uint32_t i = 0; i < count; i++)
        graph->symbols[graph->externals[i]].address = addresses[i];
    return LJ_OK;
}

lj_status lj_graph_apply(lj_graph *graph) {
    if (!graph->allocated || graph->fixed)
        return lj_fail(&graph->fault, LJ_MISUSE, 0, 0, "the graph isn't ready to be fixed up");
    lj_status status = graph->touched ? lj_graph_verify(graph) : LJ_OK;
    if (status)
        return status;
    graph->fixed = 1;
    if (graph->plt_block != UINT32_MAX)
        graph->arch->write_plt((uint8_t *)(uintptr_t)graph->blocks[graph->plt_block].content,
                               graph->plt_entries);
    lj_graph_write_ifuncs(graph);
    return lj_graph_apply_edges(graph);
}

lj_status lj_graph_fix_up(lj_graph *graph, const uint64_t *addresses, uint32_t count) {
    lj_status status = lj_graph_bind(graph, addresses, count);
    if (!status)
        status = lj_graph_apply(graph);
    return status ? status : lj_graph_register(graph);
}

static void release_spans(lj_linked *linked, int from) {
    for (int i = from; i < LJ_SEGMENTS; i++) {
        if (linked->spans[i].size)
            lj_arena_free(linked->arena, i % LJ_REGIONS, linked->spans[i].target);
        linked->spans[i] = (lj_span){0};
    }
}

void lj_graph_finalize(lj_graph *graph, lj_linked *out) {
    release_spans(&graph->linked, LJ_REGIONS);
    *out = graph->linked;
    memset(&graph->linked, 0, sizeof graph->linked);
}

void lj_graph_free(lj_graph *graph) {
    if (!graph)
        return;
    free(graph->linked.frames);
    for (void *next, *chunk = graph->chunks; chunk; chunk = next) {
        memcpy(&next, chunk, sizeof next);
        free(chunk);
    }
    free(graph);
}

void lj_linked_forget(const lj_linked *linked) {
    for (int i = 0; i < LJ_SEGMENTS; i++)
        if (linked->spans[i].size)
            lj_atexit_forget(linked->spans[i].target, linked->spans[i].size);
}

void lj_linked_release(lj_linked *linked) {
    lj_linked_forget(linked);
    while (linked->frame_count)
        lj_frames_deregister(linked->frames[--linked->frame_count]);
    free(linked->frames);
    linked->frames = NULL;
    if (linked->tls_size)
        lj_tls_release(linked->tls_offset);
    linked->tls_size = 0;
    lj_tls_static_close(linked->tls_static);
    linked->tls_static = NULL;
    release_spans(linked, 0);
}
