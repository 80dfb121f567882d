/* Indirect functions: symbols that name not a function but a resolver that picks one.
 *
 * A dynamic loader calls the resolver when it relocates. Here the resolver may itself need code
 * that isn't ready when its object is linked, so it is called at the first use. The symbol stands
 * for an entry, its one address for everybody:
 *
 *   entry:  ff 25 disp32      jmp *slot(%rip)       at first to the next instruction
 *           4c 8d 1d disp32   lea slot(%rip), %r11
 *           ff 25 disp32      jmp *slot+16(%rip)    to lj_ifunc_resolve
 *   slot:   {where to jump, the resolver, lj_ifunc_resolve}: writable, hence in DATA
 *
 * Threads that race may call the resolver more than once; it gives the same answer.
 */
#include "link_x86_64.h"
#include "save_x86_64.h"

#include <elf.h>
#include <string.h>

enum { ENTRY_SIZE = 24, AFTER_JUMP = 6, SLOT_SIZE = 24 };

typedef struct ifunc_slot {
    uint64_t target, resolver, common;
} ifunc_slot;

/* r11 points to the slot; all arguments are kept, and the call goes on. */
void lj_ifunc_resolve(void) __attribute__((visibility("hidden")));

__attribute__((visibility("hidden"), used)) uint64_t lj_ifunc_bind(ifunc_slot *slot) {
    uint64_t (*resolver)(void);
    memcpy(&resolver, &slot->resolver, sizeof resolver);
    uint64_t target = resolver();
    __atomic_store_n(&slot->target, target, __ATOMIC_RELEASE);
    return target;
}

/* clang-format off */
__asm__(
    "    .text\n"
    "    .p2align 4\n"
    "    .globl lj_ifunc_resolve\n"
    "    .hidden lj_ifunc_resolve\n"
    "    .type lj_ifunc_resolve, @function\n"
    "lj_ifunc_resolve:\n"
    "    .cfi_startproc\n"
    "    endbr64\n"
    LJ_SAVE_ALL
    "    mov %r11, %rdi\n"
    LJ_CALL("lj_ifunc_bind")
    LJ_RESULT_IN_R11
    LJ_RESTORE
    "    jmp *%r11\n"
    "    .cfi_endproc\n"
    "    .size lj_ifunc_resolve, .-lj_ifunc_resolve\n");
/* clang-format on */

static uint32_t add_symbol(lj_graph *graph, int32_t place, uint64_t offset) {
    graph->symbols[graph->symbol_count] = (lj_link_symbol){
        .place = place, .offset = offset, .name = graph->synthetic_names + LJ_NAME_EMPTY};
    return graph->symbol_count++;
}

static void add_block(lj_graph *graph, lj_link_section *section, uint64_t size, uint32_t edges) {
    section->block_count = 1;
    graph->blocks[graph->block_count++] =
        (lj_link_block){.size = size,
                        .align = 8,
                        .section = (uint32_t)(section - graph->sections),
                        .first_edge = graph->edge_count,
                        .edge_count = edges};
    graph->edge_count += edges;
}

void lj_graph_plan_ifuncs(lj_graph *graph) {
    uint32_t named = graph->symbol_count;
    for (uint32_t i = 0; i < named; i++)
        graph->ifuncs += graph->symbols[i].place >= 0 && graph->symbols[i].traits & LJ_TRAIT_IFUNC;
    if (!graph->ifuncs)
        return;
    uint32_t entries = graph->ifunc_block = graph->block_count, slots = entries + 1;
    lj_link_edge *edge = graph->edges + graph->edge_count;
    lj_link_section *section = lj_graph_add_section(graph, LJ_NAME_IFUNC, LJ_TEXT, LJ_ROLE_IFUNC);
    section->flags |= SHF_EXECINSTR;
    add_block(graph, section, (uint64_t)ENTRY_SIZE * graph->ifuncs, 3 * graph->ifuncs);
    section = lj_graph_add_section(graph, LJ_NAME_IFUNC_SLOTS, LJ_DATA, LJ_ROLE_IFUNC);
    section->flags |= SHF_WRITE;
    add_block(graph, section, (uint64_t)SLOT_SIZE * graph->ifuncs, 2 * graph->ifuncs);
    uint32_t slot_symbol = add_symbol(graph, (int32_t)slots, 0);
    lj_link_edge *slot_edge = edge + 3 * (uint64_t)graph->ifuncs;
    for (uint32_t i = 0, number = 0; i < named; i++) {
        lj_link_symbol *symbol = &graph->symbols[i];
        if (symbol->place < 0 || !(symbol->traits & LJ_TRAIT_IFUNC))
            continue;
        uint32_t resolver = add_symbol(graph, symbol->place, symbol->offset);
        uint32_t entry = number * ENTRY_SIZE, slot = number * SLOT_SIZE;
        symbol->place = (int32_t)entries;
        symbol->offset = entry;
        static const uint32_t displacements[3][2] = {{2, 0}, {9, 0}, {15, 16}};
        for (int k = 0; k < 3; k++)
            *edge++ = (lj_link_edge){.offset = entry + displacements[k][0],
                                     .target = slot_symbol,
                                     .kind = LJ_X86_64_PC32,
                                     .addend = (int64_t)slot + displacements[k][1] - 4};
        *slot_edge++ =
            (lj_link_edge){.offset = slot, .target = i, .kind = LJ_X86_64_64, .addend = AFTER_JUMP};
        *slot_edge++ = (lj_link_edge){.offset = slot + 8, .target = resolver, .kind = LJ_X86_64_64};
        number++;
    }
}

void lj_graph_write_ifuncs(lj_graph *graph) {
    static const uint8_t entry[ENTRY_SIZE] = {
        0xff, 0x25, 0,    0,    0,    0,    /* jmp *slot(%rip) */
        0x4c, 0x8d, 0x1d, 0,    0,    0, 0, /* lea slot(%rip), %r11 */
        0xff, 0x25, 0,    0,    0,    0,    /* jmp *slot+16(%rip) */
        0xcc, 0xcc, 0xcc, 0xcc, 0xcc,       /* int3 */
    };
    for (uint32_t i = 0; i < graph->ifuncs; i++) {
        uint8_t *entries = (uint8_t *)(uintptr_t)graph->blocks[graph->ifunc_block].content;
        uint8_t *slots = (uint8_t *)(uintptr_t)graph->blocks[graph->ifunc_block + 1].content;
        void (*const common)(void) = lj_ifunc_resolve;
        memcpy(entries + (uint64_t)i * ENTRY_SIZE, entry, sizeof entry);
        memcpy(slots + (uint64_t)i * SLOT_SIZE + 16, &common, sizeof common);
    }
}
