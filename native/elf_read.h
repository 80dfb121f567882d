/* What the pieces of the object reader share: the file, and where its tables are.
 *
 *   elf_read.c      header, section table, one allocation for everything; runs the others
 *   elf_sections.c  comdat groups, sections, blocks
 *   elf_symbols.c   symbols, relocations
 */
#ifndef LAZYJIT_ELF_READ_H
#define LAZYJIT_ELF_READ_H

#include "link_graph.h"

#include <elf.h>
#include <string.h>

typedef struct lj_elf {
    lj_graph *graph;
    const uint8_t *data;
    uint64_t size;
    uint64_t table; /* file offset of the section headers */
    uint32_t count; /* of sections */
    uint32_t names; /* section of section names, or 0 */
    uint64_t names_size;
    uint32_t symtab;      /* or 0 */
    uint32_t shndx;       /* the extended indexes of symtab, or 0 */
    uint64_t symbols_at;  /* file offset */
    uint64_t symbols;     /* count */
    uint64_t shndx_at;    /* file offset */
    uint64_t strtab_size; /* of symbol names: they come first in the graph's strings */
    uint32_t strtab;
    uint64_t ifuncs;      /* symbols that name a function's resolver */
    uint32_t groups;      /* comdat or other group sections */
    uint64_t relocations; /* count, of linked sections */
    uint32_t flags;       /* LJ_READ_* */
} lj_elf;

#define MALFORMED(elf, offset, ...)                                                                \
    lj_fail(&(elf)->graph->fault, LJ_OBJ_MALFORMED, offset, 0, __VA_ARGS__)
#define UNSUPPORTED(elf, offset, ...)                                                              \
    lj_fail(&(elf)->graph->fault, LJ_OBJ_UNSUPPORTED, offset, 0, __VA_ARGS__)
#define TRY(call)                                                                                  \
    do {                                                                                           \
        lj_status try_status = (call);                                                             \
        if (try_status)                                                                            \
            return try_status;                                                                     \
    } while (0)

/* Structures are copied out: an archive's members are aligned to two bytes. The caller has
 * checked the index. */
static inline Elf64_Shdr lj_elf_header(const lj_elf *elf, uint32_t index) {
    Elf64_Shdr header;
    memcpy(&header, elf->data + elf->table + (uint64_t)index * sizeof header, sizeof header);
    return header;
}

static inline Elf64_Sym lj_elf_symbol(const lj_elf *elf, uint64_t index) {
    Elf64_Sym symbol;
    memcpy(&symbol, elf->data + elf->symbols_at + index * sizeof symbol, sizeof symbol);
    return symbol;
}

static inline uint32_t lj_elf_word(const lj_elf *elf, uint64_t offset) {
    uint32_t word;
    memcpy(&word, elf->data + offset, sizeof word);
    return word;
}

/* Whether a section is taken over, by type and flags alone. */
int lj_elf_is_kept(const lj_elf *elf, const Elf64_Shdr *header);
/* The content of a relocation section: size of an entry, or 0 when it isn't one that is read. */
uint64_t lj_elf_relocation_size(const Elf64_Shdr *header);
lj_status lj_elf_read_sections(lj_elf *elf);
lj_status lj_elf_read_symbols(lj_elf *elf);
lj_status lj_elf_read_relocations(lj_elf *elf);

#endif
