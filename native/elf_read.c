/* ELF relocatable objects, bytes to records.
 *
 * An object file is a header, a table of section headers, and bytes that they point to. Of
 * interest: allocatable sections (code and data), the one symbol table with its strings, RELA
 * and REL sections (each the relocations of one other section), and comdat groups. Nothing in the
 * file is trusted: every offset, count and index is checked against the file's size or the table's
 * length before use, in 64 bits with overflow in mind, and structures are copied out because a
 * member of an archive need not be aligned. Memory is taken once, in proportion to the counts that
 * the file proves by its size: sections may not overlap so much that their sizes add up to more
 * than the file.
 */
#include "elf_read.h"

enum { TYPE_CREL = 0x40000014, SYNTHETIC_SECTIONS = 5 };
static const char synthetic_names[] = LJ_SYNTHETIC_NAMES;

static int inside(const lj_elf *elf, uint64_t offset, uint64_t size) {
    return offset <= elf->size && size <= elf->size - offset;
}

static lj_status read_header(lj_elf *elf) {
    Elf64_Ehdr h;
    const uint8_t *data = elf->data;
    if (elf->size < EI_NIDENT || memcmp(data, ELFMAG, SELFMAG) != 0)
        return MALFORMED(elf, 0, "not an ELF file");
    if (data[EI_CLASS] != ELFCLASS64)
        return UNSUPPORTED(elf, EI_CLASS, "ELF class %u, 64-bit is needed", data[EI_CLASS]);
    if (data[EI_DATA] != ELFDATA2LSB)
        return UNSUPPORTED(elf, EI_DATA, "big-endian object");
    if (elf->size < sizeof h)
        return MALFORMED(elf, elf->size, "the file ends inside the ELF header");
    memcpy(&h, data, sizeof h);
    elf->graph->arch = lj_arch_of(h.e_machine);
    if (!elf->graph->arch)
        return UNSUPPORTED(elf, offsetof(Elf64_Ehdr, e_machine),
                           "machine %u, which lazyjit doesn't link", h.e_machine);
    if (h.e_type != ET_REL)
        return UNSUPPORTED(elf, offsetof(Elf64_Ehdr, e_type), "%s, not a relocatable object",
                           h.e_type == ET_EXEC   ? "an executable"
                           : h.e_type == ET_DYN  ? "a shared library"
                           : h.e_type == ET_CORE ? "a core file"
                                                 : "an ELF file of unknown type");
    if (data[EI_VERSION] != EV_CURRENT || h.e_version != EV_CURRENT)
        return UNSUPPORTED(elf, EI_VERSION, "ELF version %u", h.e_version);
    elf->table = h.e_shoff;
    if (h.e_shoff == 0)
        return h.e_shnum ? MALFORMED(elf, 0, "no section table, but %u sections", h.e_shnum) : 0;
    if (h.e_shentsize != sizeof(Elf64_Shdr))
        return MALFORMED(elf, offsetof(Elf64_Ehdr, e_shentsize), "section headers of %u bytes",
                         h.e_shentsize);
    if (!inside(elf, h.e_shoff, sizeof(Elf64_Shdr)))
        return MALFORMED(elf, h.e_shoff, "the section table lies outside of the file");
    /* Section 0 is a null section, whose fields hold what didn't fit into the header. */
    Elf64_Shdr first = lj_elf_header(elf, 0);
    uint64_t count = h.e_shnum ? h.e_shnum : first.sh_size;
    if (count == 0 || count > (elf->size - h.e_shoff) / sizeof(Elf64_Shdr) || count >= INT32_MAX)
        return MALFORMED(elf, h.e_shoff, "a table of %llu sections lies outside of the file",
                         (unsigned long long)count);
    elf->count = (uint32_t)count;
    elf->names = h.e_shstrndx == SHN_XINDEX ? first.sh_link : h.e_shstrndx;
    if (elf->names >= elf->count)
        return MALFORMED(elf, offsetof(Elf64_Ehdr, e_shstrndx), "section names in section %u of %u",
                         elf->names, elf->count);
    return LJ_OK;
}

int lj_elf_is_kept(const lj_elf *elf, const Elf64_Shdr *header) {
    if (header->sh_flags & SHF_EXCLUDE)
        return 0;
    if (!(header->sh_flags & SHF_ALLOC))
        return elf->flags & LJ_READ_NO_ALLOC && header->sh_type == SHT_PROGBITS && header->sh_size;
    switch (header->sh_type) {
    case SHT_NULL:
    case SHT_SYMTAB:
    case SHT_STRTAB:
    case SHT_RELA:
    case SHT_REL:
    case SHT_GROUP:
    case SHT_SYMTAB_SHNDX:
    case SHT_DYNAMIC:
    case SHT_HASH:
    case SHT_DYNSYM:
        return 0;
    }
    return 1;
}

uint64_t lj_elf_relocation_size(const Elf64_Shdr *header) {
    return header->sh_type == SHT_RELA  ? sizeof(Elf64_Rela)
           : header->sh_type == SHT_REL ? sizeof(Elf64_Rel)
                                        : 0;
}

static lj_status check_strings(lj_elf *elf, uint32_t index, const char *what, uint64_t *size) {
    Elf64_Shdr header = lj_elf_header(elf, index);
    /* Section 0 is no section, whatever its header says: nobody has checked its bounds. */
    if (!index || header.sh_type != SHT_STRTAB)
        return MALFORMED(elf, 0, "%s in section %u, which isn't a string table", what, index);
    if (header.sh_size && elf->data[header.sh_offset + header.sh_size - 1] != 0)
        return MALFORMED(elf, header.sh_offset, "%s don't end with a zero byte", what);
    *size = header.sh_size;
    return LJ_OK;
}

/* Walks the section table once: bounds, the tables' places, and the counts for the slab. */
static lj_status survey(lj_elf *elf) {
    uint64_t bytes = 0;
    for (uint32_t i = 1; i < elf->count; i++) {
        Elf64_Shdr header = lj_elf_header(elf, i);
        uint64_t at = elf->table + (uint64_t)i * sizeof header;
        if (header.sh_type == SHT_NULL)
            continue;
        if (header.sh_type != SHT_NOBITS) {
            if (!inside(elf, header.sh_offset, header.sh_size))
                return MALFORMED(elf, at, "section %u lies outside of the file", i);
            /* No overflow: each size is at most the file's, and there are fewer than 2^31. */
            bytes += header.sh_size;
            if (bytes > elf->size)
                return MALFORMED(elf, at, "the sections' sizes add up to more than the file");
        }
        switch (header.sh_type) {
        case SHT_SYMTAB:
            if (elf->symtab)
                return UNSUPPORTED(elf, at, "two symbol tables");
            if (header.sh_entsize != sizeof(Elf64_Sym) || header.sh_size % sizeof(Elf64_Sym))
                return MALFORMED(elf, at, "symbols of %llu bytes",
                                 (unsigned long long)header.sh_entsize);
            if (header.sh_link >= elf->count)
                return MALFORMED(elf, at, "symbol names in section %u of %u", header.sh_link,
                                 elf->count);
            elf->symtab = i;
            elf->strtab = header.sh_link;
            elf->symbols_at = header.sh_offset;
            elf->symbols = header.sh_size / sizeof(Elf64_Sym);
            break;
        case SHT_SYMTAB_SHNDX:
            if (elf->shndx)
                return UNSUPPORTED(elf, at, "two tables of section indexes");
            elf->shndx = i;
            elf->shndx_at = header.sh_offset;
            break;
        case SHT_GROUP:
            elf->groups++;
            break;
        case SHT_RELA:
        case SHT_REL: {
            uint64_t each = lj_elf_relocation_size(&header);
            if (header.sh_entsize != each || header.sh_size % each)
                return MALFORMED(elf, at, "relocations of %llu bytes",
                                 (unsigned long long)header.sh_entsize);
            if (header.sh_info >= elf->count)
                return MALFORMED(elf, at, "relocations of section %u of %u", header.sh_info,
                                 elf->count);
            Elf64_Shdr target = lj_elf_header(elf, header.sh_info);
            if (!lj_elf_is_kept(elf, &target))
                break;
            if (header.sh_type == SHT_REL && !elf->graph->arch->addend)
                return UNSUPPORTED(elf, at, "section %u holds relocations without addends (REL)",
                                   i);
            elf->relocations += header.sh_size / each;
            break;
        }
        case TYPE_CREL:
            if (header.sh_info < elf->count) {
                Elf64_Shdr place = lj_elf_header(elf, header.sh_info);
                if (lj_elf_is_kept(elf, &place))
                    return UNSUPPORTED(elf, at, "section %u holds packed relocations (CREL)", i);
            }
            break;
        }
    }
    for (uint64_t i = 0; i < elf->symbols; i++)
        elf->ifuncs += ELF64_ST_TYPE(lj_elf_symbol(elf, i).st_info) == STT_GNU_IFUNC;
    if (elf->ifuncs && !elf->graph->arch->ifunc_entry_size)
        return UNSUPPORTED(elf, elf->symbols_at, "indirect functions on %s",
                           elf->graph->arch->name);
    if (elf->symbols >= INT32_MAX / 2 || elf->relocations >= INT32_MAX / 4)
        return UNSUPPORTED(elf, 0, "more symbols or relocations than 31 bits count");
    if (elf->names)
        TRY(check_strings(elf, elf->names, "section names", &elf->names_size));
    if (elf->symtab)
        TRY(check_strings(elf, elf->strtab, "symbol names", &elf->strtab_size));
    if (elf->shndx) {
        Elf64_Shdr header = lj_elf_header(elf, elf->shndx);
        if (header.sh_link != elf->symtab || header.sh_size / 4 < elf->symbols)
            return MALFORMED(elf, header.sh_offset,
                             "the table of section indexes doesn't fit the "
                             "symbol table");
    }
    return LJ_OK;
}

static void *take(uint8_t **cursor, uint64_t count, uint64_t size) {
    void *array = *cursor;
    *cursor += (count * size + 15) & ~UINT64_C(15);
    return array;
}

/* One allocation for all arrays: every count is at most the file's size / 16, so that the sums stay
 * far from 64 bits. An edge can lead to a TLS pair (two edges) or to a PLT entry with a GOT word
 * (two edges), so there is room for three of each; what isn't touched costs no memory. */
static lj_status take_slab(lj_elf *elf) {
    lj_graph *graph = elf->graph;
    uint64_t sections = (uint64_t)elf->count + SYNTHETIC_SECTIONS;
    uint64_t blocks = sections + elf->symbols; /* each symbol may be a common one */
    uint64_t of_plt = elf->graph->arch->plt_edges + 1, of_ifunc = elf->graph->arch->ifunc_edges + 2;
    uint64_t edges = (of_plt > 2 ? of_plt + 1 : 3) * elf->relocations + 2 + of_ifunc * elf->ifuncs;
    uint64_t symbols = elf->symbols + elf->ifuncs + 1;
    uint64_t strings = elf->strtab_size + elf->names_size + sizeof synthetic_names;
    if (strings > UINT32_MAX)
        return UNSUPPORTED(elf, 0, "more than 4 GiB of names");
    uint64_t total = sections * sizeof(lj_link_section) + blocks * sizeof(lj_link_block) +
                     symbols * (sizeof(lj_link_symbol) + 4 + 4 + 1 + 1 + 8) +
                     edges * sizeof(lj_link_edge) + strings + UINT64_C(16) * 16;
    uint8_t *cursor = lj_graph_take(graph, total);
    if (!cursor)
        return LJ_NO_MEMORY;
    graph->section_room = (uint32_t)sections;
    graph->block_room = (uint32_t)blocks;
    graph->symbol_room = graph->list_room = (uint32_t)symbols;
    graph->edge_room = (uint32_t)edges;
    graph->sections = take(&cursor, sections, sizeof(lj_link_section));
    graph->blocks = take(&cursor, blocks, sizeof(lj_link_block));
    graph->symbols = take(&cursor, symbols, sizeof(lj_link_symbol));
    graph->edges = take(&cursor, edges, sizeof(lj_link_edge));
    graph->externals = take(&cursor, symbols, 4);
    graph->defined = take(&cursor, symbols, 4);
    graph->external_weak = take(&cursor, symbols, 1);
    graph->defined_flags = take(&cursor, symbols, 1);
    graph->defined_address = take(&cursor, symbols, 8);
    graph->strings = take(&cursor, strings, 1);
    graph->strings_size = graph->strings_room = strings;
    graph->synthetic_names = (uint32_t)(elf->strtab_size + elf->names_size);
    /* [symbol names][section names][synthetic names]: each ends with a zero byte. */
    if (elf->strtab_size)
        memcpy(graph->strings, elf->data + lj_elf_header(elf, elf->strtab).sh_offset,
               elf->strtab_size);
    if (elf->names_size)
        memcpy(graph->strings + elf->strtab_size,
               elf->data + lj_elf_header(elf, elf->names).sh_offset, elf->names_size);
    memcpy(graph->strings + graph->synthetic_names, synthetic_names, sizeof synthetic_names);
    return LJ_OK;
}

lj_status lj_elf_read(lj_graph *graph, const uint8_t *data, uint64_t size, uint32_t flags) {
    lj_elf elf = {.graph = graph, .data = data, .size = size, .flags = flags};
    graph->input_size = size;
    TRY(read_header(&elf));
    TRY(survey(&elf));
    TRY(take_slab(&elf));
    TRY(lj_elf_read_sections(&elf));
    TRY(lj_elf_read_symbols(&elf));
    return flags & LJ_READ_SCAN ? LJ_OK : lj_elf_read_relocations(&elf);
}
