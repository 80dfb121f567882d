/* GOT and PLT of one object, and the lists of names that its user sees.
 *
 * A symbol out of 32-bit reach is addressed through a word in the global offset table, which is in
 * reach, and called through an entry of the procedure linkage table, which jumps where a GOT word
 * says. Which symbols will be out of reach is known only after layout and lookup, so a slot is set
 * aside for each that could be; fix-up decides which it uses. Each object has tables of its own:
 * nothing is shared that would outlive it.
 *
 * The words themselves are edges of the GOT's block, of the kinds that the architecture names for
 * them, and a PLT entry leads to its word by edges of the PLT's block: fix-up knows nothing special
 * about either.
 */
#include "link_graph.h"
#include "tls.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

lj_link_section *lj_graph_add_section(lj_graph *graph, int name, int region, int role) {
    lj_link_section *section = &graph->sections[graph->section_count++];
    *section = (lj_link_section){.flags = SHF_ALLOC,
                                 .name = graph->synthetic_names + (uint32_t)name,
                                 .region = region,
                                 .role = (uint16_t)role,
                                 .priority = 65535,
                                 .first_block = graph->block_count};
    return section;
}

typedef struct planner {
    lj_graph *graph;
    uint32_t got_edges; /* appended after the input's */
    uint32_t got_from;
    uint32_t got_based; /* something is relative to the GOT's start */
} planner;

static void add_got_edge(planner *plan, uint32_t word, uint32_t kind, uint32_t target) {
    plan->graph->edges[plan->got_from + plan->got_edges++] =
        (lj_link_edge){.offset = word * 8, .target = target, .kind = kind};
}

static uint32_t take_words(planner *plan, uint32_t count) {
    uint32_t word = plan->graph->got_words;
    plan->graph->got_words += count;
    return word;
}

static void need_got(planner *plan, uint32_t number) {
    lj_link_symbol *symbol = &plan->graph->symbols[number];
    if (symbol->got)
        return;
    uint32_t word = take_words(plan, 1);
    symbol->got = word + 1;
    add_got_edge(plan, word, plan->graph->arch->pointer, number);
}

static void need_pair(planner *plan, uint32_t *slot, uint32_t number) {
    if (*slot)
        return;
    uint32_t word = take_words(plan, 2);
    *slot = word + 1;
    add_got_edge(plan, word, plan->graph->arch->dtpmod, number);
    /* Local-dynamic code adds the offset itself. */
    if (number)
        add_got_edge(plan, word + 1, plan->graph->arch->dtpoff, number);
}

static void need_descriptor(planner *plan, uint32_t number) {
    lj_link_symbol *symbol = &plan->graph->symbols[number];
    if (symbol->tls_desc)
        return;
    uint32_t word = take_words(plan, 4);
    symbol->tls_desc = word + 1;
    add_got_edge(plan, word, plan->graph->arch->tlsdesc, number);
}

/* Whether the target may turn out to be anywhere in the address space. */
static int may_be_far(const lj_link_symbol *symbol) {
    return symbol->place < 0 || symbol->linkage == LJ_LINKAGE_WEAK;
}

static void plan_edge(planner *plan, const lj_link_edge *edge) {
    uint32_t need = lj_form_needs[lj_arch_kind(plan->graph->arch, edge->kind)->form];
    lj_link_symbol *target = &plan->graph->symbols[edge->target];
    if (need & LJ_NEED_PLT && may_be_far(target) && !target->plt) {
        need_got(plan, edge->target);
        target->plt = ++plan->graph->plt_entries;
    }
    if (need & LJ_NEED_BASE)
        plan->got_based = 1;
    if (need & LJ_NEED_GOT)
        need_got(plan, edge->target);
    if (need & LJ_NEED_PAIR)
        need_pair(plan, &target->tls_pair, edge->target);
    if (need & LJ_NEED_MODULE)
        need_pair(plan, &plan->graph->tls_module_pair, 0);
    if (need & LJ_NEED_DESC)
        need_descriptor(plan, edge->target);
}

static void add_got_block(planner *plan) {
    lj_graph *graph = plan->graph;
    lj_link_section *section = lj_graph_add_section(graph, LJ_NAME_GOT, LJ_RODATA, LJ_ROLE_GOT);
    section->block_count = 1;
    graph->got_block = graph->block_count;
    graph->got_section = graph->section_count - 1;
    graph->blocks[graph->block_count++] = (lj_link_block){.size = UINT64_C(8) * graph->got_words,
                                                          .align = 8,
                                                          .section = graph->section_count - 1,
                                                          .first_edge = plan->got_from,
                                                          .edge_count = plan->got_edges};
    graph->edge_count += plan->got_edges;
}

static void add_plt_block(lj_graph *graph) {
    lj_link_section *section = lj_graph_add_section(graph, LJ_NAME_PLT, LJ_TEXT, LJ_ROLE_PLT);
    section->block_count = 1;
    section->flags |= SHF_EXECINSTR;
    const lj_arch *arch = graph->arch;
    graph->plt_block = graph->block_count;
    graph->blocks[graph->block_count++] =
        (lj_link_block){.size = (uint64_t)arch->plt_entry_size * graph->plt_entries,
                        .align = 8,
                        .section = graph->section_count - 1,
                        .first_edge = graph->edge_count,
                        .edge_count = graph->plt_entries * arch->plt_edges};
    lj_link_edge *edges = graph->edges + graph->edge_count;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        uint32_t entry = graph->symbols[i].plt;
        if (entry)
            arch->plan_plt(edges + (uint64_t)(entry - 1) * arch->plt_edges,
                           (entry - 1) * arch->plt_entry_size, i);
    }
    graph->edge_count += graph->plt_entries * arch->plt_edges;
}

void lj_graph_plan_slots(lj_graph *graph) {
    planner plan = {.graph = graph, .got_from = graph->edge_count};
    for (uint32_t i = 0; i < plan.got_from; i++)
        plan_edge(&plan, &graph->edges[i]);
    if (graph->got_words || plan.got_based)
        add_got_block(&plan);
    if (graph->plt_entries)
        add_plt_block(graph);
}

/* lazyjit.symbols.SymbolFlags */
enum { EXPORTED = 1, WEAK = 2, COMMON = 4, CALLABLE = 8, ABSOLUTE = 16 };

static uint8_t flags_of(const lj_link_symbol *symbol) {
    return (uint8_t)((symbol->scope == LJ_SCOPE_DEFAULT ? EXPORTED : 0) |
                     (symbol->traits & LJ_TRAIT_COMMON     ? COMMON | WEAK
                      : symbol->linkage == LJ_LINKAGE_WEAK ? WEAK
                                                           : 0) |
                     (symbol->traits & LJ_TRAIT_CALLABLE ? CALLABLE : 0) |
                     (symbol->place == LJ_PLACE_ABSOLUTE ? ABSOLUTE : 0));
}

static char *append_name(const lj_graph *graph, uint32_t symbol, char *at) {
    const char *name = graph->strings + graph->symbols[symbol].name;
    size_t size = strlen(name) + 1;
    memcpy(at, name, size);
    return at + size;
}

/* `__start_x` and `__stop_x` stand for the bounds of the section x, when its name can be part of an
 * identifier: programs collect tables so. Only a section that the object has once has bounds. */
static int bind_to_bounds(lj_graph *graph, lj_link_symbol *symbol, const char *name) {
    int stop = strncmp(name, "__stop_", 7) == 0;
    if (!stop && strncmp(name, "__start_", 8) != 0)
        return 0;
    const lj_link_section *found = NULL;
    for (uint32_t i = 0; i < graph->section_count; i++) {
        const lj_link_section *section = &graph->sections[i];
        if (section->region == LJ_REGION_NONE || !section->block_count ||
            strcmp(graph->strings + section->name, name + (stop ? 7 : 8)) != 0)
            continue;
        if (found)
            return 0;
        found = section;
    }
    if (!found || found->role == LJ_ROLE_TLS)
        return 0;
    symbol->place = (int32_t)found->first_block;
    symbol->offset = stop ? graph->blocks[found->first_block].size : 0;
    symbol->scope = LJ_SCOPE_LOCAL;
    return 1;
}

/* Names that stand for something of this object, not for a symbol that could be looked up. */
static int bind_to_own(lj_graph *graph, lj_link_symbol *symbol, const char *name) {
    if (*name != '_')
        return 0;
    /* The assembler's name for the GOT's start, whenever code is relative to it. */
    if (graph->got_block != UINT32_MAX && strcmp(name, "_GLOBAL_OFFSET_TABLE_") == 0) {
        symbol->place = (int32_t)graph->got_block;
    } else if (symbol->traits & LJ_TRAIT_TLS && strcmp(name, "_TLS_MODULE_BASE_") == 0) {
        /* Local-dynamic code with descriptors adds offsets to the start of the thread's block. */
        symbol->place = LJ_PLACE_ABSOLUTE;
        symbol->address = symbol->offset = LJ_TLS_TAG;
    } else {
        return bind_to_bounds(graph, symbol, name);
    }
    symbol->scope = LJ_SCOPE_LOCAL;
    return 1;
}

lj_status lj_graph_list_symbols(lj_graph *graph, uint64_t input_size) {
    uint64_t bytes = 0;
    for (uint32_t i = 1; i < graph->symbol_count; i++) {
        lj_link_symbol *symbol = &graph->symbols[i];
        const char *name = graph->strings + symbol->name;
        if (symbol->place == LJ_PLACE_EXTERNAL && (symbol->traits & LJ_TRAIT_USED)) {
            if (bind_to_own(graph, symbol, name))
                continue;
            graph->external_weak[graph->external_count] = symbol->linkage == LJ_LINKAGE_WEAK;
            graph->externals[graph->external_count++] = i;
        } else if (symbol->scope != LJ_SCOPE_LOCAL && *name &&
                   (symbol->place >= 0 || symbol->place == LJ_PLACE_ABSOLUTE)) {
            graph->defined_flags[graph->defined_count] = flags_of(symbol);
            graph->defined[graph->defined_count++] = i;
        } else {
            continue;
        }
        bytes += strlen(name) + 1;
        /* Names may share their endings, but not so that they dwarf the file. */
        if (bytes > 16 * input_size)
            return lj_fail(&graph->fault, LJ_OBJ_MALFORMED, 0, 0,
                           "symbols share one long name many times over");
    }
    char *at = graph->names = malloc(bytes + 1);
    if (!at)
        return lj_fail(&graph->fault, LJ_NO_MEMORY, 0, 0, "names of the link graph");
    graph->names_size = bytes;
    for (uint32_t i = 0; i < graph->external_count; i++)
        at = append_name(graph, graph->externals[i], at);
    for (uint32_t i = 0; i < graph->defined_count; i++)
        at = append_name(graph, graph->defined[i], at);
    return LJ_OK;
}
