/* Unwind information, record by record, so that a function's goes when the function goes.
 *
 * `.eh_frame` is a row of records. Each starts with its length; then a word that is 0 in a CIE
 * (what many functions share: the personality routine, for one), and in an FDE (one function) the
 * distance back to its CIE; then, in an FDE, the function's address. In an object the whole section
 * is one block, which refers to every function and so would keep all of them alive. Here each
 * record becomes a block:
 *
 *   FDE --NegDelta32--> CIE      the distance, which changes when records between them go
 *   FDE ------PC32----> function as the object has it; likewise to exception tables, and from the
 *                                CIE to its personality routine
 *   function --KeepAlive--> FDE  so that it lives exactly if its function does
 *
 * Tables that were made by hand may have blocks of single records already, and edges from an FDE to
 * its CIE: these stay as they are, and only the function's own edge is missing.
 */
#include "link_records.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTH = 4, ID_AT = 4, BEGIN_AT = 8 };

typedef struct record {
    uint32_t start, size, block, symbol; /* symbol: of a CIE, 0: none yet */
    uint32_t cie; /* record number; NO_CIE in a CIE, OWN_CIE when an edge of its own leads there */
} record;

enum { OWN_CIE = UINT32_MAX - 1, NO_CIE };

typedef struct splitter {
    lj_graph *graph;
    uint32_t section, block;
    const uint8_t *bytes;
    uint32_t size;
    record *records;
    uint32_t count;
    lj_link_edge *edges; /* of the whole block, in the order of their offsets */
    uint32_t edge_count;
} splitter;

static uint32_t word(const splitter *s, uint32_t at) {
    uint32_t value;
    memcpy(&value, s->bytes + at, sizeof value);
    return value;
}

static lj_status malformed(const splitter *s, uint32_t at, const char *words) {
    return lj_fail(&s->graph->fault, LJ_OBJ_MALFORMED, at, 0, ".eh_frame+0x%x: %s", at, words);
}

/* The last record that starts at `at` or before. */
static uint32_t record_at(const splitter *s, uint64_t at) {
    uint32_t low = 0, high = s->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (s->records[middle].start <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static int writes(const splitter *s, uint32_t edge) {
    return lj_arch_kind(s->graph->arch, s->edges[edge].kind)->bytes > 0;
}

/* Finds the records, up to one of length zero, where unwinders stop. */
static lj_status find_records(splitter *s) {
    uint32_t at = 0, edge = 0;
    while (s->size - at >= LENGTH) {
        uint32_t length = word(s, at);
        if (!length)
            break;
        if (length == UINT32_MAX)
            return malformed(s, at, "a record of the 64-bit format");
        if (length < 4 || length > s->size - at - LENGTH)
            return malformed(s, at, "a record that lies outside of the section");
        record *fresh = &s->records[s->count];
        *fresh = (record){.start = at, .size = LENGTH + length, .cie = NO_CIE};
        uint32_t back = word(s, at + ID_AT);
        s->count++;
        while (edge < s->edge_count && (s->edges[edge].gone || s->edges[edge].offset < at + ID_AT))
            edge++;
        if (edge < s->edge_count && s->edges[edge].offset == at + ID_AT && writes(s, edge)) {
            fresh->cie = OWN_CIE;
        } else if (back) {
            if (back > at + ID_AT)
                return malformed(s, at, "an FDE whose CIE lies outside of the section");
            uint32_t cie = record_at(s, at + ID_AT - back);
            if (s->records[cie].start != at + ID_AT - back || s->records[cie].cie != NO_CIE ||
                cie == s->count - 1)
                return malformed(s, at, "an FDE without a CIE");
            fresh->cie = cie;
        }
        at += LENGTH + length;
    }
    return LJ_OK;
}

static int by_offset(const void *a, const void *b) {
    const lj_link_edge *one = a, *other = b;
    return (one->offset > other->offset) - (one->offset < other->offset);
}

static void sort_edges(lj_link_edge *edges, uint32_t count) {
    for (uint32_t i = 1; i < count; i++)
        if (edges[i].offset < edges[i - 1].offset) {
            qsort(edges, count, sizeof *edges, by_offset);
            return;
        }
}

/* Every record gets a block in place of the one of all. There is room for the blocks. */
static void make_blocks(splitter *s) {
    lj_graph *graph = s->graph;
    lj_link_section *section = &graph->sections[s->section];
    const lj_link_block whole = graph->blocks[s->block];
    uint32_t align = 4;
    for (uint32_t i = 0; i < s->count; i++)
        if (s->records[i].size % 4)
            align = 1;
    for (uint32_t i = 0; i < s->count; i++) {
        record *r = &s->records[i];
        r->block = i ? graph->block_count++ : s->block;
        lj_link_block *block = &graph->blocks[r->block];
        *block = whole;
        block->content += r->start;
        block->size = block->input_size = r->size;
        block->first_edge = block->edge_count = block->edge_room = 0;
        if (i) {
            block->align = align;
            block->align_offset = 0;
            block->first_symbol = LJ_NONE;
            graph->blocks[s->records[i - 1].block].next = (int32_t)r->block;
        }
    }
    uint32_t last = s->records[s->count - 1].block;
    graph->blocks[last].next = whole.next;
    if (section->last_block == (int32_t)s->block)
        section->last_block = (int32_t)last;
    section->block_count += s->count - 1;
}

static void move_symbols(splitter *s) {
    lj_graph *graph = s->graph;
    int32_t next;
    for (int32_t i = graph->blocks[s->block].first_symbol; i != LJ_NONE; i = next) {
        lj_link_symbol *symbol = &graph->symbols[i];
        next = symbol->next;
        const record *r = &s->records[record_at(s, symbol->offset)];
        if (r->block != s->block) {
            lj_graph_unlist_symbol(graph, (uint32_t)i);
            symbol->place = (int32_t)r->block;
            lj_graph_enlist_symbol(graph, (uint32_t)i);
        }
        symbol->offset -= r->start;
        if (symbol->offset > r->size)
            symbol->offset = r->size; /* behind the record of length zero */
        if (symbol->size > r->size - symbol->offset)
            symbol->size = r->size - symbol->offset;
    }
}

/* A function's FDE lives with it. One without a function's edge is of code that was discarded, and
 * says so by the address 0; whatever else it may be, it stays. */
static lj_status tie_to_function(splitter *s, const record *r) {
    lj_graph *graph = s->graph;
    lj_link_block *block = &graph->blocks[r->block];
    for (uint32_t i = 0; i < block->edge_count; i++) {
        const lj_link_edge *edge = &graph->edges[block->first_edge + i];
        if (edge->offset != BEGIN_AT || edge->gone)
            continue;
        int32_t place = graph->symbols[edge->target].place;
        return place >= 0 && place != (int32_t)r->block
                   ? lj_graph_keep_with(graph, (uint32_t)place, r->block)
                   : LJ_OK;
    }
    if (r->size >= BEGIN_AT + 4 && word(s, r->start + BEGIN_AT))
        block->state |= LJ_BLOCK_ROOT;
    return LJ_OK;
}

/* Runs of edges for every record, with those to the CIEs. */
static lj_status share_edges(splitter *s) {
    lj_graph *graph = s->graph;
    const lj_link_edge *edges = s->edges;
    uint32_t count = s->edge_count;
    for (uint32_t i = 0, at = 0; i < s->count; i++) {
        record *r = &s->records[i];
        lj_link_block *block = &graph->blocks[r->block];
        block->first_edge = graph->edge_count;
        if (r->cie < OWN_CIE) {
            record *cie = &s->records[r->cie];
            if (!cie->symbol)
                cie->symbol =
                    lj_graph_append_symbol(graph, &(lj_link_symbol){.place = (int32_t)cie->block,
                                                                    .name = graph->synthetic_names,
                                                                    .scope = LJ_SCOPE_LOCAL,
                                                                    .traits = LJ_TRAIT_USED});
            graph->edges[graph->edge_count++] =
                (lj_link_edge){.offset = ID_AT, .target = cie->symbol, .kind = LJ_KIND_NegDelta32};
        }
        for (; at < count && edges[at].offset - r->start < r->size; at++) {
            if (edges[at].gone)
                continue;
            uint32_t bytes = lj_arch_kind(graph->arch, edges[at].kind)->bytes;
            uint32_t offset = edges[at].offset - r->start;
            if (bytes > r->size - offset)
                return malformed(s, edges[at].offset, "a relocation beyond its record");
            lj_link_edge *edge = &graph->edges[graph->edge_count++];
            *edge = edges[at];
            edge->offset = offset;
        }
        block->edge_count = block->edge_room = graph->edge_count - block->first_edge;
    }
    return LJ_OK;
}

static lj_status split(lj_graph *graph, uint32_t section, uint32_t number) {
    const lj_link_block *block = &graph->blocks[number];
    if (block->state & LJ_BLOCK_ZERO_FILL || !block->input_size)
        return LJ_OK;
    splitter s = {.graph = graph,
                  .section = section,
                  .block = number,
                  .bytes = (const uint8_t *)(uintptr_t)block->content,
                  .size = block->input_size};
    uint32_t count = s.edge_count = block->edge_count;
    uint64_t most = s.size / 8 + 1; /* length and id */
    s.records = malloc(most * sizeof *s.records);
    s.edges = malloc(count * sizeof *s.edges + 1);
    lj_status status = LJ_OK;
    if (s.records && s.edges) {
        if (count)
            memcpy(s.edges, graph->edges + block->first_edge, count * sizeof *s.edges);
        sort_edges(s.edges, count);
        status = find_records(&s);
    } else {
        status = lj_fail(&graph->fault, LJ_NO_MEMORY, 0, 0, "splitting eh-frames");
    }
    if (!status && s.count)
        status = lj_graph_reserve(graph, 0, s.count, s.count, (uint64_t)count + s.count);
    if (!status && s.count) {
        make_blocks(&s);
        move_symbols(&s);
        status = share_edges(&s);
        for (uint32_t i = 0; i < s.count && !status; i++)
            if (s.records[i].cie != NO_CIE)
                status = tie_to_function(&s, &s.records[i]);
    }
    free(s.records);
    free(s.edges);
    return status;
}

lj_status lj_graph_relate(lj_graph *graph) {
    if (graph->related)
        return LJ_OK;
    if (graph->planned)
        return lj_fail(&graph->fault, LJ_MISUSE, 0, 0, "slots are planned: too late to split");
    graph->related = 1;
    lj_status status = LJ_OK;
    for (uint32_t i = 1; i < graph->section_count && !status; i++) {
        const lj_link_section *section = &graph->sections[i];
        if (!section->linked || section->region == LJ_REGION_NONE)
            continue;
        if (section->role == LJ_ROLE_EH_FRAME) {
            lj_graph_index(graph);
            for (int32_t b = section->first_block, next; b != LJ_NONE && !status; b = next) {
                next = graph->blocks[b].next;
                status = split(graph, i, (uint32_t)b);
            }
        } else if (section->link && section->link < graph->section_count) {
            const lj_link_section *owner = &graph->sections[section->link];
            if (owner->linked && owner->first_block != LJ_NONE && section->first_block != LJ_NONE)
                status = lj_graph_keep_with(graph, (uint32_t)owner->first_block,
                                            (uint32_t)section->first_block);
        }
    }
    return status;
}
