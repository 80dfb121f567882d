/* GOT and PLT of one object.
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
 *
 * Who has the graph in hand may add edges after planning: until layout, which plans again for what
 * came since. Slots keep their numbers then; the two blocks grow, and their runs of edges move.
 * From layout on sizes are fixed, and an edge without the slot that it needs is refused.
 */
#include "link_graph.h"

#include <string.h>

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

static void need_distance(planner *plan, uint32_t number) {
    lj_link_symbol *symbol = &plan->graph->symbols[number];
    if (symbol->tls_word)
        return;
    uint32_t word = take_words(plan, 1);
    symbol->tls_word = word + 1;
    add_got_edge(plan, word, plan->graph->arch->tpoff, number);
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
    if (need & LJ_NEED_DISTANCE)
        need_distance(plan, edge->target);
    /* One image holds all of the object's variables. */
    if (need & LJ_NEED_STATIC && target->place >= 0)
        plan->graph->tls_static = 1;
}

/* What an edge needs and its target doesn't have; LJ_NEED_STATIC for a graph that doesn't. */
static uint32_t lacks(const lj_graph *graph, const lj_link_edge *edge) {
    uint32_t need = lj_form_needs[lj_arch_kind(graph->arch, edge->kind)->form];
    const lj_link_symbol *target = &graph->symbols[edge->target];
    uint32_t has =
        (target->plt || !may_be_far(target) ? LJ_NEED_PLT : 0) | (target->got ? LJ_NEED_GOT : 0) |
        (target->tls_pair ? LJ_NEED_PAIR : 0) | (target->tls_desc ? LJ_NEED_DESC : 0) |
        (target->tls_word ? LJ_NEED_DISTANCE : 0) | (graph->tls_module_pair ? LJ_NEED_MODULE : 0) |
        (graph->got_block != UINT32_MAX ? LJ_NEED_BASE : 0) |
        (graph->tls_static || target->place < 0 ? LJ_NEED_STATIC : 0);
    return need & LJ_NEED_SLOTS & ~has;
}

const char *lj_edge_without_slot(const lj_graph *graph, const lj_link_edge *edge) {
    uint32_t lacking = lacks(graph, edge) & ~(uint32_t)(LJ_NEED_PLT | LJ_NEED_STATIC);
    if (!lacking)
        return NULL; /* a branch may be in reach; fix-up says when it isn't */
    return lacking & LJ_NEED_BASE ? "there is no GOT, and layout has fixed that: add such edges in "
                                    "pre-prune or post-prune passes"
                                  : "its target has no such GOT entry, and layout has fixed these: "
                                    "add such edges in pre-prune or post-prune passes";
}

int lj_graph_lacks_slots(const lj_graph *graph) {
    for (uint32_t i = 0; i < graph->block_count; i++) {
        const lj_link_edge *edge = graph->edges + graph->blocks[i].first_edge;
        for (uint32_t k = 0; k < graph->blocks[i].edge_count; k++)
            if (lacks(graph, &edge[k]))
                return 1;
    }
    return 0;
}

static void set_run(lj_link_block *block, uint64_t size, uint32_t first_edge, uint32_t count) {
    block->size = size;
    block->first_edge = first_edge;
    block->edge_count = block->edge_room = count;
}

static void add_got_block(lj_graph *graph) {
    uint32_t section = graph->section_count;
    lj_graph_own_section(graph, LJ_NAME_GOT, LJ_PROT_READ, LJ_ROLE_GOT);
    graph->got_section = section;
    graph->got_block = lj_graph_append_block(graph, section, &(lj_link_block){.align = 8});
}

static void set_got_words(planner *plan) {
    lj_graph *graph = plan->graph;
    if (graph->got_block == UINT32_MAX)
        add_got_block(plan->graph);
    set_run(&graph->blocks[graph->got_block], UINT64_C(8) * graph->got_words, plan->got_from,
            plan->got_edges);
    graph->edge_count += plan->got_edges;
}

/* The entries of all symbols, also of those that had theirs already. */
static void set_plt_entries(lj_graph *graph) {
    const lj_arch *arch = graph->arch;
    uint32_t count = graph->plt_entries * arch->plt_edges;
    if (graph->plt_block == UINT32_MAX) {
        uint32_t section = graph->section_count;
        lj_graph_own_section(graph, LJ_NAME_PLT, LJ_PROT_READ | LJ_PROT_EXEC, LJ_ROLE_PLT);
        graph->plt_block = lj_graph_append_block(graph, section, &(lj_link_block){.align = 8});
    }
    set_run(&graph->blocks[graph->plt_block], (uint64_t)arch->plt_entry_size * graph->plt_entries,
            graph->edge_count, count);
    lj_link_edge *edges = graph->edges + graph->edge_count;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        uint32_t entry = graph->symbols[i].plt;
        if (entry)
            arch->plan_plt(edges + (uint64_t)(entry - 1) * arch->plt_edges,
                           (entry - 1) * arch->plt_entry_size, i);
    }
    graph->edge_count += count;
}

lj_status lj_graph_plan_slots(lj_graph *graph) {
    uint64_t edges = 0;
    for (uint32_t i = 0; i < graph->block_count; i++)
        edges += graph->blocks[i].edge_count;
    /* An edge leads to a word and a PLT entry, or to a pair of words, at most. */
    uint32_t each = graph->arch->plt_edges + 1 < 2 ? 2 : graph->arch->plt_edges + 1;
    lj_status status = lj_graph_reserve(graph, 2, 2, 0, each * edges + 2);
    if (status)
        return status;
    planner plan = {.graph = graph, .got_from = graph->edge_count};
    uint32_t words = graph->got_words, entries = graph->plt_entries;
    if (graph->got_block != UINT32_MAX) { /* again: what it had comes first */
        const lj_link_block *got = &graph->blocks[graph->got_block];
        memcpy(graph->edges + plan.got_from, graph->edges + got->first_edge,
               got->edge_count * sizeof *graph->edges);
        plan.got_edges = got->edge_count;
    }
    for (uint32_t i = 0; i < graph->block_count; i++) {
        const lj_link_edge *edge = graph->edges + graph->blocks[i].first_edge;
        for (uint32_t k = 0; k < graph->blocks[i].edge_count; k++)
            plan_edge(&plan, &edge[k]);
    }
    /* What others are relative to is a place, even when no word is needed. */
    if (plan.got_based && !graph->got_words)
        graph->got_words = 1;
    if (graph->got_words > words)
        set_got_words(&plan);
    if (graph->plt_entries > entries)
        set_plt_entries(graph);
    return LJ_OK;
}
