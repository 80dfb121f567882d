/* x86-64 for the linker: PLT entries, and instructions that get better when their target is in
 * reach.
 *
 * Compilers mark a load from the GOT that a linker may shorten (GOTPCRELX); the psABI lists the
 * changes. Each keeps the instruction's length:
 *   48 8b 05 rel32   mov x@GOTPCREL(%rip), %rax   ->   48 8d 05 rel32   lea x(%rip), %rax
 *   ff 15 rel32      call *x@GOTPCREL(%rip)       ->   67 e8 rel32      addr32 call x
 *   ff 25 rel32      jmp *x@GOTPCREL(%rip)        ->   e9 rel32 90      jmp x; nop
 */
#include "link_x86_64.h"
#include "link_graph.h"
#include "tls.h"

#include <elf.h>
#include <string.h>

#ifndef SHN_X86_64_LCOMMON
#define SHN_X86_64_LCOMMON 0xff02
#endif

#define LJ_KIND(number, name, bytes, range, form)                                                  \
    [number] = {"R_X86_64_" #name, bytes, LJ_RANGE_##range, LJ_FORM_##form},
static const lj_kind kinds[LJ_X86_64_KIND_COUNT] = {LJ_X86_64_KINDS(LJ_KIND)};
#undef LJ_KIND

/* Old assemblers mark calls and jumps as PC32. Before a displacement of data there is a ModRM byte
 * with mod 0 and rm 5, never e8 (call) or e9 (jmp). */
static uint32_t better_kind(uint32_t kind, const uint8_t *content, uint64_t offset) {
    return kind == LJ_X86_64_PC32 && offset && (content[offset - 1] & 0xfe) == 0xe8
               ? LJ_X86_64_PLT32
               : kind;
}

static int64_t addend(const lj_kind *kind, const uint8_t *place) {
    uint64_t value = 0;
    memcpy(&value, place, kind->bytes < 8 ? kind->bytes : 8);
    int unused = 64 - 8 * (kind->bytes < 8 ? kind->bytes : 8);
    if (unused == 64)
        return 0;
    return (int64_t)(value << unused) >> unused;
}

enum { PLT_ENTRY_SIZE = 8 };

static void write_plt(uint8_t *bytes, uint32_t entries) {
    static const uint8_t entry[PLT_ENTRY_SIZE] = {
        0xff, 0x25, 0, 0, 0, 0, /* jmp *word(%rip) */
        0xcc, 0xcc,             /* int3; int3 */
    };
    for (uint32_t i = 0; i < entries; i++)
        memcpy(bytes + (uint64_t)i * PLT_ENTRY_SIZE, entry, sizeof entry);
}

static void plan_plt(lj_link_edge *edges, uint32_t offset, uint32_t symbol) {
    edges[0] = (lj_link_edge){
        .addend = -4, .offset = offset + 2, .target = symbol, .kind = LJ_X86_64_GOTPCREL};
}

static const lj_kind *relax(const lj_fixing *fixing, const lj_link_edge *edge, uint64_t symbol,
                            uint64_t *value, uint32_t *offset) {
    uint8_t *content = (uint8_t *)(uintptr_t)fixing->block->content;
    uint32_t at = edge->offset;
    uint64_t direct = symbol + (uint64_t)edge->addend - (fixing->block->address + at);
    /* Another addend means that the instruction goes on after the displacement. */
    if (edge->addend != -4 || at < 2 || !lj_range_fits(LJ_RANGE_S32, direct))
        return NULL;
    uint8_t opcode = content[at - 2], modrm = content[at - 1];
    if (opcode == 0x8b && (modrm & 0xc7) == 0x05) {
        content[at - 2] = 0x8d; /* lea */
    } else if (edge->kind == LJ_X86_64_GOTPCRELX && opcode == 0xff && modrm == 0x15) {
        content[at - 2] = 0x67; /* addr32: a prefix without effect */
        content[at - 1] = 0xe8; /* call rel32 */
    } else if (edge->kind == LJ_X86_64_GOTPCRELX && opcode == 0xff && modrm == 0x25 &&
               lj_range_fits(LJ_RANGE_S32, direct + 1)) {
        content[at - 2] = 0xe9; /* jmp rel32 */
        content[at + 3] = 0x90; /* nop */
        *offset = at - 1;
        direct += 1; /* the displacement now ends one byte earlier */
    } else {
        return NULL;
    }
    *value = direct;
    return &kinds[LJ_X86_64_PC32];
}

static void write_descriptor(const lj_tls_index *pair, uint8_t *words, uint64_t address) {
    int own = pair->module == LJ_TLS_TAG;
    uint64_t values[4] = {
        (uint64_t)(uintptr_t)(own ? lj_tlsdesc_own : lj_tlsdesc_host),
        own ? pair->offset : address + 16,
        pair->module,
        pair->offset,
    };
    memcpy(words, values, sizeof values);
}

const lj_arch lj_arch_x86_64 = {
    .name = "x86_64",
    .prefix = "R_X86_64_",
    .machine = EM_X86_64,
    .large_common = SHN_X86_64_LCOMMON,
    .kinds = kinds,
    .kind_count = LJ_X86_64_KIND_COUNT,
    .pointer = LJ_X86_64_64,
    .dtpmod = LJ_X86_64_DTPMOD64,
    .dtpoff = LJ_X86_64_DTPOFF64,
    .tlsdesc = LJ_X86_64_TLSDESC,
    .tpoff = LJ_X86_64_TPOFF64,
    .is_host = 1,
    .better_kind = better_kind,
    .addend = addend,
    .relax = relax,
    .plt_entry_size = PLT_ENTRY_SIZE,
    .plt_edges = 1,
    .write_plt = write_plt,
    .plan_plt = plan_plt,
    .ifunc_entry_size = LJ_X86_64_IFUNC_SIZE,
    .ifunc_edges = LJ_X86_64_IFUNC_EDGES,
    .ifunc_resume = LJ_X86_64_IFUNC_RESUME,
    .write_ifunc = lj_x86_64_write_ifunc,
    .plan_ifunc = lj_x86_64_plan_ifunc,
    .ifunc_resolve = lj_x86_64_ifunc_resolve,
    .write_descriptor = write_descriptor,
};
