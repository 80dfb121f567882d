/* Fix-up: what every edge computes, by the formulas of link_arch.h.
 *
 * Architectures say how a value is written and which values fit; here is which value it is. An
 * address that doesn't fit into a branch goes through the symbol's PLT entry, and code that loads
 * an address from the GOT may be changed to compute it (relaxation): both only now, when layout
 * and lookup have shown what is in reach.
 */
#include "link_graph.h"
#include "tls.h"
#include "tls_static.h"

#include <string.h>

static uint64_t page(uint64_t address) {
    return address & ~UINT64_C(0xfff);
}

/* The module and offset of a thread-local variable, JIT'd or of a host library. */
static int thread_local_pair(const lj_graph *graph, const lj_link_symbol *symbol,
                             lj_tls_index *pair) {
    if ((symbol->address & LJ_TLS_TAG_MASK) == LJ_TLS_STATIC_TAG) {
        if (graph->runs_here)
            return lj_tls_static_pair(symbol->address, pair);
        /* The only image that such a graph knows is its own: as an executable's, module 1. */
        pair->module = 1;
        pair->offset = symbol->address - graph->tls_token;
        return 1;
    }
    if ((symbol->address & LJ_TLS_TAG_MASK) == LJ_TLS_TAG) {
        pair->module = LJ_TLS_TAG;
        pair->offset = symbol->address & ~LJ_TLS_TAG_MASK;
        return 1;
    }
    return symbol->place == LJ_PLACE_EXTERNAL && symbol->address &&
           lj_tls_host_variable(graph->strings + symbol->name, &pair->module, &pair->offset);
}

/* The module of the object's own variables, to whose block local-dynamic code adds offsets; 0 when
 * it has none of its own but uses another's static ones. */
static uint64_t own_module(const lj_graph *graph) {
    const lj_tls_static *image = graph->linked.tls_static;
    if (!graph->tls_static)
        return LJ_TLS_TAG;
    if (!graph->runs_here)
        return 1;
    return image ? lj_tls_static_module(image) : 0;
}

static int fits(const lj_arch *arch, const lj_kind *kind, uint64_t value) {
    return kind->range < LJ_RANGE_FIELD ? lj_range_fits(kind->range, value)
                                        : arch->fits(kind, value);
}

static lj_status fail(const lj_fixing *at, const lj_link_edge *edge, lj_status status,
                      uint64_t value, const char *words) {
    return lj_bad_relocation(at->graph, status, at->block->section, edge, (int64_t)value, words);
}

/* DTPMOD, DTPOFF and DESCWORD. `*done`: the bytes are written. */
static lj_status thread_local_value(const lj_fixing *at, const lj_link_edge *edge,
                                    const lj_kind *kind, uint8_t *place, uint64_t *value,
                                    int *done) {
    lj_graph *graph = at->graph;
    lj_tls_index pair = {own_module(graph), 0};
    const lj_link_symbol *symbol = &graph->symbols[edge->target];
    /* Target 0 is the object's own module. */
    if (edge->target ? !thread_local_pair(graph, symbol, &pair) : !pair.module)
        return fail(at, edge, LJ_OBJ_RELOCATION, symbol->address,
                    "no thread-local variable of JIT'd code or of a library");
    if (kind->form == LJ_FORM_DESCWORD) {
        graph->arch->write_descriptor(&pair, place, at->block->address + edge->offset);
        *done = 1;
        return LJ_OK;
    }
    if (kind->form == LJ_FORM_DTPOFF && at->block->section != graph->got_section &&
        pair.module != own_module(graph))
        return fail(at, edge, LJ_OBJ_RELOCATION, symbol->address,
                    "local-dynamic access to a variable of another module");
    *value = kind->form == LJ_FORM_DTPMOD ? pair.module : pair.offset + (uint64_t)edge->addend;
    return LJ_OK;
}

/* TPOFF: TP, without the addend. */
static lj_status distance(const lj_fixing *at, const lj_link_edge *edge, uint64_t *value) {
    const lj_graph *graph = at->graph;
    const lj_link_symbol *symbol = &graph->symbols[edge->target];
    lj_tls_index pair;
    if ((symbol->address & LJ_TLS_TAG_MASK) == LJ_TLS_STATIC_TAG) {
        *value = (uint64_t)lj_tls_static_distance(symbol->address);
        return LJ_OK;
    }
    if (graph->runs_here && thread_local_pair(graph, symbol, &pair) && pair.module != LJ_TLS_TAG) {
        *value = (uint64_t)lj_tls_host_distance(&pair);
        if (*value)
            return LJ_OK;
    }
    return fail(at, edge, LJ_OBJ_RELOCATION, symbol->address,
                "the variable isn't in the threads' static block: its object doesn't itself use "
                "it this way, and this code should be compiled with -fPIC");
}

static lj_status fix_edge(const lj_fixing *at, const lj_link_edge *edge) {
    lj_graph *graph = at->graph;
    const lj_arch *arch = graph->arch;
    const lj_kind *kind = lj_arch_kind(arch, edge->kind);
    const lj_link_symbol *symbol = &graph->symbols[edge->target];
    uint8_t *content = (uint8_t *)(uintptr_t)at->block->content;
    uint32_t offset = edge->offset;
    uint64_t S = symbol->address, A = (uint64_t)edge->addend, P = at->block->address + offset;
    uint64_t GOT = at->got, value = 0;
    /* Meant only where the form has planned them. */
    uint64_t G = UINT64_C(8) * (symbol->got - 1), M = GOT + UINT64_C(8) * (symbol->tls_pair - 1),
             D = GOT + UINT64_C(8) * (symbol->tls_desc - 1),
             TPW = GOT + UINT64_C(8) * (symbol->tls_word - 1);

    switch (kind->form) {
    case LJ_FORM_NOTHING:
        return LJ_OK;
    case LJ_FORM_ABS:
        value = S + A;
        break;
    case LJ_FORM_PC:
        value = S + A - P;
        break;
    case LJ_FORM_BACK:
        value = P - S + A;
        break;
    case LJ_FORM_PAGE:
        value = page(S + A) - page(P);
        break;
    case LJ_FORM_BRANCH:
        value = S + A - P;
        if (symbol->plt && !fits(arch, kind, value))
            value = at->plt + (uint64_t)arch->plt_entry_size * (symbol->plt - 1) + A - P;
        break;
    case LJ_FORM_SIZE:
        value = symbol->size + A;
        break;
    case LJ_FORM_GOTPC:
        value = GOT + A - P;
        break;
    case LJ_FORM_GOTREX:
        if (arch->relax) {
            const lj_kind *relaxed = arch->relax(at, edge, S, &value, &offset);
            if (relaxed) {
                kind = relaxed;
                break;
            }
        }
        /* fall through */
    case LJ_FORM_GOTREL:
        value = G + GOT + A - P;
        break;
    case LJ_FORM_GOTPAGE:
        value = page(G + GOT + A) - page(P);
        break;
    case LJ_FORM_GOTABS:
        value = G + GOT + A;
        break;
    case LJ_FORM_GOTINPAGE:
        value = G + GOT + A - page(GOT);
        break;
    case LJ_FORM_GOTENT:
        value = G + A;
        break;
    case LJ_FORM_GOTOFF:
    case LJ_FORM_PLTOFF:
        value = S + A - GOT;
        break;
    case LJ_FORM_TLSGD:
        value = M + A - P;
        break;
    case LJ_FORM_TLSGDPAGE:
        value = page(M + A) - page(P);
        break;
    case LJ_FORM_TLSGDABS:
        value = M + A;
        break;
    case LJ_FORM_TLSLD:
        value = GOT + UINT64_C(8) * (graph->tls_module_pair - 1) + A - P;
        break;
    case LJ_FORM_DESC:
        value = D + A - P;
        break;
    case LJ_FORM_DESCPAGE:
        value = page(D + A) - page(P);
        break;
    case LJ_FORM_DESCABS:
        value = D + A;
        break;
    case LJ_FORM_TPOFF: {
        lj_status status = distance(at, edge, &value);
        if (status)
            return status;
        value += A;
        break;
    }
    case LJ_FORM_TPREL:
        value = TPW + A - P;
        break;
    case LJ_FORM_TPPAGE:
        value = page(TPW + A) - page(P);
        break;
    case LJ_FORM_TPABS:
        value = TPW + A;
        break;
    case LJ_FORM_DTPMOD:
    case LJ_FORM_DTPOFF:
    case LJ_FORM_DESCWORD: {
        int done = 0;
        lj_status status = thread_local_value(at, edge, kind, content + offset, &value, &done);
        if (status || done)
            return status;
        break;
    }
    default:
        return fail(at, edge, LJ_OBJ_RELOCATION, 0, "can't be applied");
    }
    lj_status status = LJ_OK;
    if (kind->range >= LJ_RANGE_FIELD)
        status = arch->write(kind, content + offset, value);
    else if (lj_range_fits(kind->range, value))
        memcpy(content + offset, &value, kind->bytes); /* little-endian, as the target */
    else
        status = LJ_LINK_OVERFLOW;
    return status ? fail(at, edge, status, value,
                         status == LJ_OBJ_RELOCATION
                             ? "the instruction there isn't one that this kind relocates"
                             : "")
                  : LJ_OK;
}

lj_status lj_graph_apply_own_edges(lj_graph *graph, const lj_link_block *block) {
    lj_fixing at = {.graph = graph, .block = block};
    const lj_link_edge *edges = graph->edges + block->first_edge;
    for (uint32_t k = 0; k < block->edge_count; k++) {
        if (graph->symbols[edges[k].target].place == LJ_PLACE_EXTERNAL)
            continue;
        lj_status status = fix_edge(&at, &edges[k]);
        if (status)
            return status;
    }
    return LJ_OK;
}

lj_status lj_graph_apply_edges(lj_graph *graph) {
    lj_fixing at = {.graph = graph};
    if (graph->got_block != UINT32_MAX)
        at.got = graph->blocks[graph->got_block].address;
    if (graph->plt_block != UINT32_MAX)
        at.plt = graph->blocks[graph->plt_block].address;
    for (uint32_t i = 0; i < graph->block_count; i++) {
        at.block = &graph->blocks[i];
        const lj_link_edge *edges = graph->edges + at.block->first_edge;
        for (uint32_t k = 0; k < at.block->edge_count; k++) {
            lj_status status = fix_edge(&at, &edges[k]);
            if (status)
                return status;
        }
    }
    return LJ_OK;
}
