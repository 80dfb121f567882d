/* Symbols and relocations of an object.
 *
 * A symbol's section number is its place, but for three reserved ones: undefined, absolute, and
 * common (a tentative definition of C, which gets a block of zeros here). Numbers that don't fit
 * into 16 bits stand in a table beside (SHN_XINDEX). A relocation is taken over as an edge after
 * checking that what it writes lies inside of its section, and that it suits its target:
 * thread-local relocations and thread-local symbols go together.
 */
#include "elf_read.h"

static lj_status place_common(lj_elf *elf, uint64_t number, const Elf64_Sym *in,
                              lj_link_symbol *out) {
    lj_graph *graph = elf->graph;
    uint64_t align = in->st_value ? in->st_value : 1;
    if (align & (align - 1) || align > LJ_MAX_ALIGN)
        return MALFORMED(elf, elf->symbols_at + number * sizeof *in,
                         "common symbol %llu has alignment %llu", (unsigned long long)number,
                         (unsigned long long)align);
    if (in->st_size > LJ_MAX_BLOCK)
        return UNSUPPORTED(elf, elf->symbols_at + number * sizeof *in,
                           "common symbol %llu is larger than 4 GiB", (unsigned long long)number);
    if (out->type == STT_TLS)
        return UNSUPPORTED(elf, elf->symbols_at + number * sizeof *in,
                           "common symbol %llu is thread-local", (unsigned long long)number);
    if (graph->section_count == elf->count)
        lj_graph_own_section(graph, LJ_NAME_COMMON, LJ_PROT_READ | LJ_PROT_WRITE, LJ_ROLE_COMMON);
    out->traits |= LJ_TRAIT_COMMON;
    out->linkage = LJ_LINKAGE_WEAK;
    out->place = (int32_t)lj_graph_append_block(graph, elf->count,
                                                &(lj_link_block){.size = in->st_size,
                                                                 .align = (uint32_t)align,
                                                                 .state = LJ_BLOCK_ZERO_FILL});
    return LJ_OK;
}

static lj_status place_in_section(lj_elf *elf, uint64_t number, const Elf64_Sym *in, uint32_t index,
                                  lj_link_symbol *out) {
    uint64_t at = elf->symbols_at + number * sizeof *in;
    if (index == 0 || index >= elf->count)
        return MALFORMED(elf, at, "symbol %llu is in section %u of %u", (unsigned long long)number,
                         index, elf->count);
    const lj_link_section *section = &elf->graph->sections[index];
    if (!section->linked) {
        /* What a discarded comdat defined comes from the one that was kept, here or elsewhere. */
        int elsewhere = section->comdat == LJ_COMDAT_DISCARDED && out->scope != LJ_SCOPE_LOCAL;
        out->place = elsewhere ? LJ_PLACE_EXTERNAL : LJ_PLACE_NOWHERE;
        out->linkage = LJ_LINKAGE_STRONG;
        return LJ_OK;
    }
    if (in->st_value > elf->graph->blocks[section->first_block].size)
        return MALFORMED(elf, at, "symbol %llu lies outside of its section",
                         (unsigned long long)number);
    out->place = section->first_block;
    out->offset = in->st_value;
    if (out->size > elf->graph->blocks[section->first_block].size - in->st_value)
        out->size = elf->graph->blocks[section->first_block].size - in->st_value;
    if (section->comdat && out->scope != LJ_SCOPE_LOCAL)
        out->linkage = LJ_LINKAGE_WEAK;
    if (section->role == LJ_ROLE_TLS)
        out->traits |= LJ_TRAIT_TLS;
    else if (out->type == STT_TLS)
        return MALFORMED(elf, at, "thread-local symbol %llu is in an ordinary section",
                         (unsigned long long)number);
    if (out->type == STT_GNU_IFUNC && section->region != LJ_TEXT)
        return MALFORMED(elf, at, "indirect function %llu isn't in code",
                         (unsigned long long)number);
    if (out->type == STT_NOTYPE && section->region == LJ_TEXT)
        out->traits |= LJ_TRAIT_CALLABLE;
    return LJ_OK;
}

static lj_status read_symbol(lj_elf *elf, uint64_t number, lj_link_symbol *out) {
    lj_graph *graph = elf->graph;
    Elf64_Sym in = lj_elf_symbol(elf, number);
    uint64_t at = elf->symbols_at + number * sizeof in;
    int binding = ELF64_ST_BIND(in.st_info);
    int visibility = ELF64_ST_VISIBILITY(in.st_other);
    *out = (lj_link_symbol){
        .size = in.st_size, .type = ELF64_ST_TYPE(in.st_info), .place = LJ_PLACE_NOWHERE};
    if (in.st_name < elf->strtab_size)
        out->name = in.st_name;
    else if (in.st_name)
        return MALFORMED(elf, at, "the name of symbol %llu lies outside of the names",
                         (unsigned long long)number);
    else
        out->name = graph->synthetic_names + LJ_NAME_EMPTY;
    if (binding > STB_WEAK && binding != STB_GNU_UNIQUE)
        return UNSUPPORTED(elf, at, "symbol %llu has binding %d", (unsigned long long)number,
                           binding);
    /* A unique symbol is what vague linkage gives for data: as weak here as any other. */
    out->linkage =
        binding == STB_WEAK || binding == STB_GNU_UNIQUE ? LJ_LINKAGE_WEAK : LJ_LINKAGE_STRONG;
    int local = binding == STB_LOCAL || !graph->strings[out->name]; /* nobody could ask for it */
    out->scope = local                                                    ? LJ_SCOPE_LOCAL
                 : visibility == STV_HIDDEN || visibility == STV_INTERNAL ? LJ_SCOPE_HIDDEN
                                                                          : LJ_SCOPE_DEFAULT;
    if (out->type == STT_FUNC || out->type == STT_GNU_IFUNC)
        out->traits |= LJ_TRAIT_CALLABLE;
    if (out->type == STT_GNU_IFUNC)
        out->traits |= LJ_TRAIT_IFUNC;
    if (out->type == STT_TLS)
        out->traits |= LJ_TRAIT_TLS;
    if (out->type == STT_SECTION)
        out->traits |= LJ_TRAIT_SECTION;
    if (out->type == STT_FILE)
        return LJ_OK;
    switch (in.st_shndx) {
    case SHN_UNDEF:
        if (number == 0)
            out->place = LJ_PLACE_ABSOLUTE;
        else if (binding != STB_LOCAL && graph->strings[out->name])
            out->place = LJ_PLACE_EXTERNAL;
        return LJ_OK;
    case SHN_ABS:
        out->place = LJ_PLACE_ABSOLUTE;
        out->offset = out->address = in.st_value;
        return LJ_OK;
    case SHN_COMMON:
        return place_common(elf, number, &in, out);
    case SHN_XINDEX:
        if (!elf->shndx)
            return MALFORMED(elf, at, "symbol %llu needs a table of section indexes",
                             (unsigned long long)number);
        return place_in_section(elf, number, &in, lj_elf_word(elf, elf->shndx_at + 4 * number),
                                out);
    }
    if (in.st_shndx >= SHN_LORESERVE && in.st_shndx == graph->arch->large_common)
        return place_common(elf, number, &in, out);
    if (in.st_shndx >= SHN_LORESERVE)
        return UNSUPPORTED(elf, at, "symbol %llu is in reserved section %#x",
                           (unsigned long long)number, in.st_shndx);
    return place_in_section(elf, number, &in, in.st_shndx, out);
}

lj_status lj_elf_read_symbols(lj_elf *elf) {
    for (uint64_t i = 0; i < elf->symbols; i++)
        TRY(read_symbol(elf, i, &elf->graph->symbols[i]));
    elf->graph->symbol_count = elf->graph->input_symbols = (uint32_t)elf->symbols;
    return LJ_OK;
}

static lj_status read_edges(lj_elf *elf, uint32_t index, const Elf64_Shdr *header) {
    lj_graph *graph = elf->graph;
    uint32_t section_number = header->sh_info;
    const lj_link_section *section = &graph->sections[section_number];
    lj_link_block *block = &graph->blocks[section->first_block];
    uint64_t each = lj_elf_relocation_size(header), count = header->sh_size / each;
    if (!count)
        return LJ_OK;
    if (header->sh_link != elf->symtab)
        return MALFORMED(elf, header->sh_offset,
                         "relocation section %u refers to section %u for "
                         "symbols",
                         index, header->sh_link);
    if (block->edge_room)
        return UNSUPPORTED(elf, header->sh_offset, "two relocation sections for section %u",
                           section_number);
    const uint8_t *content = (const uint8_t *)(uintptr_t)block->content;
    /* What is compressed has its bytes later, and no addends in them. */
    int compressed = (block->state & LJ_BLOCK_COMPRESSED) != 0;
    uint64_t size = compressed ? block->size : block->input_size;
    if (compressed && header->sh_type == SHT_REL)
        return UNSUPPORTED(elf, header->sh_offset, "a compressed section with REL relocations");
    block->first_edge = graph->edge_count;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = header->sh_offset + i * each;
        Elf64_Rela in = {0};
        memcpy(&in, elf->data + at, each);
        uint32_t kind = (uint32_t)ELF64_R_TYPE(in.r_info), target = ELF64_R_SYM(in.r_info);
        if (kind == 0) /* NONE, everywhere */
            continue;
        if (target >= elf->symbols)
            return MALFORMED(elf, at, "relocation %llu of section %u refers to symbol %u of %llu",
                             (unsigned long long)i, section_number, target,
                             (unsigned long long)elf->symbols);
        lj_link_edge *edge = &graph->edges[graph->edge_count];
        *edge = (lj_link_edge){
            .addend = in.r_addend, .offset = (uint32_t)in.r_offset, .target = target, .kind = kind};
        lj_link_symbol *symbol = &graph->symbols[target];
        /* Unwind and debug information of a discarded function: start 0 means "none". */
        if (symbol->place == LJ_PLACE_NOWHERE &&
            (section->role == LJ_ROLE_EH_FRAME || section->region == LJ_REGION_NONE))
            continue;
        const char *words = kind >= LJ_KIND_OWN ? "unknown relocation"
                                                : lj_edge_objection(graph, section_number, edge);
        if (words)
            return lj_bad_relocation(graph, LJ_OBJ_RELOCATION, section_number, edge, 0, words);
        const lj_kind *row = lj_arch_kind(graph->arch, kind);
        if (in.r_offset > size || row->bytes > size - in.r_offset)
            return MALFORMED(elf, at, "relocation %llu lies outside of section %u",
                             (unsigned long long)i, section_number);
        if (header->sh_type == SHT_REL)
            edge->addend = graph->arch->addend(row, content + in.r_offset);
        if (section->region == LJ_TEXT && graph->arch->better_kind)
            edge->kind = graph->arch->better_kind(kind, content, in.r_offset);
        if (section->region != LJ_REGION_NONE)
            symbol->traits |= LJ_TRAIT_USED;
        graph->edge_count++;
    }
    block->edge_count = graph->edge_count - block->first_edge;
    block->edge_room = block->edge_count;
    return LJ_OK;
}

lj_status lj_elf_read_relocations(lj_elf *elf) {
    for (uint32_t i = 1; i < elf->count; i++) {
        Elf64_Shdr header = lj_elf_header(elf, i);
        if (lj_elf_relocation_size(&header) && header.sh_info < elf->count &&
            elf->graph->sections[header.sh_info].linked)
            TRY(read_edges(elf, i, &header));
    }
    return LJ_OK;
}
