/* Indirect functions: symbols that name not a function but a resolver that picks one.
 *
 * A dynamic loader calls the resolver when it relocates. Here the resolver may itself need code
 * that isn't ready when its object is linked, so it is called at the first use. The symbol stands
 * for an entry, its one address for everybody:
 *
 *   entry:  jump where the slot says; at first, that is the next instruction
 *           take the slot's address, and go to the architecture's ifunc_resolve
 *   slot:   {where to jump, the resolver, ifunc_resolve}: writable, hence in DATA
 *
 * Threads that race may call the resolver more than once; it gives the same answer.
 */
#include "link_records.h"

#include <elf.h>
#include <string.h>

enum { SLOT_SIZE = 24 };

typedef struct ifunc_slot {
    uint64_t target, resolver, common;
} ifunc_slot;

__attribute__((visibility("hidden"), used)) uint64_t lj_ifunc_bind(ifunc_slot *slot) {
    uint64_t (*resolver)(void);
    memcpy(&resolver, &slot->resolver, sizeof resolver);
    uint64_t target = resolver();
    __atomic_store_n(&slot->target, target, __ATOMIC_RELEASE);
    return target;
}

static uint32_t add_symbol(lj_graph *graph, int32_t place, uint64_t offset) {
    return lj_graph_append_symbol(
        graph, &(lj_link_symbol){.place = place,
                                 .offset = offset,
                                 .name = graph->synthetic_names + LJ_NAME_EMPTY});
}

static uint32_t add_block(lj_graph *graph, int name, int prot, uint64_t size, uint32_t edges) {
    uint32_t section = graph->section_count;
    lj_graph_own_section(graph, name, prot, LJ_ROLE_IFUNC);
    graph->edge_count += edges;
    return lj_graph_append_block(graph, section,
                                 &(lj_link_block){.size = size,
                                                  .align = 8,
                                                  .first_edge = graph->edge_count - edges,
                                                  .edge_count = edges,
                                                  .edge_room = edges});
}

lj_status lj_graph_plan_ifuncs(lj_graph *graph) {
    uint32_t named = graph->symbol_count;
    for (uint32_t i = 0; i < named; i++)
        graph->ifuncs += graph->symbols[i].place >= 0 && graph->symbols[i].traits & LJ_TRAIT_IFUNC;
    if (!graph->ifuncs)
        return LJ_OK;
    const lj_arch *arch = graph->arch;
    uint32_t size = arch->ifunc_entry_size, count = arch->ifunc_edges;
    uint64_t total = graph->ifuncs;
    if (total * size > UINT32_MAX / 2)
        return lj_fail(&graph->fault, LJ_OBJ_UNSUPPORTED, 0, 0, "%u indirect functions",
                       graph->ifuncs);
    lj_status status = lj_graph_reserve(graph, 2, 2, total + 1, (count + 2) * total);
    if (status)
        return status;
    lj_link_edge *edge = graph->edges + graph->edge_count;
    uint32_t entries = graph->ifunc_block = add_block(
        graph, LJ_NAME_IFUNC, LJ_PROT_READ | LJ_PROT_EXEC, size * total, count * graph->ifuncs);
    lj_link_edge *slot_edge = graph->edges + graph->edge_count;
    uint32_t slots = add_block(graph, LJ_NAME_IFUNC_SLOTS, LJ_PROT_READ | LJ_PROT_WRITE,
                               SLOT_SIZE * total, 2 * graph->ifuncs);
    uint32_t slot_symbol = add_symbol(graph, (int32_t)slots, 0);
    graph->indexed = 0;
    for (uint32_t i = 0, number = 0; i < named; i++) {
        lj_link_symbol *symbol = &graph->symbols[i];
        if (symbol->place < 0 || !(symbol->traits & LJ_TRAIT_IFUNC))
            continue;
        uint32_t resolver = add_symbol(graph, symbol->place, symbol->offset);
        uint32_t entry = number * size, slot = number * SLOT_SIZE;
        symbol->place = (int32_t)entries;
        symbol->offset = entry;
        symbol->size = size;
        arch->plan_ifunc(edge, entry, slot, slot_symbol);
        edge += count;
        *slot_edge++ = (lj_link_edge){
            .offset = slot, .target = i, .kind = arch->pointer, .addend = arch->ifunc_resume};
        *slot_edge++ =
            (lj_link_edge){.offset = slot + 8, .target = resolver, .kind = arch->pointer};
        number++;
    }
    return LJ_OK;
}

void lj_graph_write_ifuncs(lj_graph *graph) {
    if (!graph->ifuncs)
        return;
    uint8_t *entries = (uint8_t *)(uintptr_t)graph->blocks[graph->ifunc_block].content;
    uint8_t *slots = (uint8_t *)(uintptr_t)graph->blocks[graph->ifunc_block + 1].content;
    for (uint32_t i = 0; i < graph->ifuncs; i++) {
        graph->arch->write_ifunc(entries + (uint64_t)i * graph->arch->ifunc_entry_size);
        memcpy(slots + (uint64_t)i * SLOT_SIZE + 16, &graph->arch->ifunc_resolve,
               sizeof graph->arch->ifunc_resolve);
    }
}
