/* Relocations of debug sections: S + A, or S + A - P, by the ABI's kinds. */
#include "plugin_elf.h"

#include <elf.h>
#include <string.h>

/* Bytes that a kind writes, and whether P is taken off. 0: not one of these. */
static unsigned width(uint32_t kind, int *relative) {
    *relative = 0;
    switch (kind) {
    case R_X86_64_PC32:
    case R_X86_64_PLT32:
        *relative = 1;
        return 4;
    case R_X86_64_PC64:
        *relative = 1;
        return 8;
    case R_X86_64_32:
    case R_X86_64_32S:
    case R_X86_64_DTPOFF32:
        return 4;
    case R_X86_64_64:
    case R_X86_64_DTPOFF64:
        return 8;
    default:
        return 0;
    }
}

static Elf64_Rela row(const uint8_t *rela, uint64_t i) {
    Elf64_Rela out;
    memcpy(&out, rela + i * sizeof out, sizeof out);
    return out;
}

lj_status lj_elf_apply(uint8_t *content, uint64_t size, const uint8_t *rela, uint64_t count,
                       const uint64_t *symbols, uint64_t symbol_count, uint64_t address,
                       int *applied, lj_fault *fault) {
    int relative;
    *applied = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint32_t kind = ELF64_R_TYPE(row(rela, i).r_info);
        if (kind != R_X86_64_NONE && !width(kind, &relative))
            return LJ_OK;
    }
    for (uint64_t i = 0; i < count; i++) {
        Elf64_Rela each = row(rela, i);
        uint64_t symbol = ELF64_R_SYM(each.r_info);
        unsigned bytes = width(ELF64_R_TYPE(each.r_info), &relative);
        if (symbol >= symbol_count)
            return lj_fail(fault, LJ_OBJ_MALFORMED, 0, symbol,
                           "a relocation of a symbol that doesn't exist");
        if (!bytes)
            continue;
        if (size < bytes || each.r_offset > size - bytes)
            return lj_fail(fault, LJ_OBJ_MALFORMED, 0, each.r_offset,
                           "a relocation outside of its section");
        uint64_t value = symbols[symbol] + (uint64_t)each.r_addend; /* S + A */
        if (relative)
            value -= address + each.r_offset; /* - P */
        memcpy(content + each.r_offset, &value, bytes);
    }
    *applied = 1;
    return LJ_OK;
}

void lj_graph_symbol_addresses(const lj_graph *graph, uint64_t *out) {
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        out[i] = graph->symbols[i].place == LJ_PLACE_NOWHERE ? 0 : graph->symbols[i].address;
}
