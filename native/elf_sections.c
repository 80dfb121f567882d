/* Sections of an object: which are linked, where they go, and which comdat groups are kept.
 *
 * A comdat group is a set of sections that many objects may carry and one is to give: C++'s inline
 * functions and templates. Within one object the first group of a signature is kept. Between
 * objects the session decides by name, so every symbol of a comdat is weak for it.
 */
#include "elf_read.h"

#include <stdlib.h>

/* A compressed section starts with its true size. Its content stays as it is: whoever wants it
 * decompresses it (lj_graph_set_content). Deflate gives at most 1,032 bytes for one. */
static lj_status read_compression(lj_elf *elf, const Elf64_Shdr *header, const char *name,
                                  lj_link_block *block) {
    Elf64_Chdr compression;
    if (header->sh_size < sizeof compression)
        return MALFORMED(elf, header->sh_offset, "section %s ends inside its header", name);
    memcpy(&compression, elf->data + header->sh_offset, sizeof compression);
    if (compression.ch_size > 1040 * header->sh_size || compression.ch_size > LJ_MAX_BLOCK)
        return MALFORMED(elf, header->sh_offset, "section %s claims to be %llu bytes", name,
                         (unsigned long long)compression.ch_size);
    block->size = compression.ch_size;
    block->input_size = 0;
    block->state |= LJ_BLOCK_COMPRESSED;
    elf->graph->compressed++;
    return LJ_OK;
}

/* What stands for the whole object in a section that isn't linked. */
static lj_status check_object(lj_elf *elf, const Elf64_Shdr *header, const char *name) {
    /* GCC's link-time optimization: two version numbers, then whether there is nothing else. */
    if (strncmp(name, ".gnu.lto_.lto.", 14) == 0 && header->sh_size > 4 &&
        header->sh_offset < elf->size - 4 && elf->data[header->sh_offset + 4])
        return UNSUPPORTED(elf, header->sh_offset,
                           "it has code for link-time optimization only (GCC's -flto): compile "
                           "it without, or with -ffat-lto-objects");
    if (strcmp(name, ".note.GNU-stack") == 0 && header->sh_flags & SHF_EXECINSTR)
        return UNSUPPORTED(elf, header->sh_offset,
                           "it wants an executable stack, as code does that takes addresses of "
                           "nested functions; no memory is writable and executable here");
    return LJ_OK;
}

static lj_status read_section(lj_elf *elf, uint32_t index) {
    lj_graph *graph = elf->graph;
    Elf64_Shdr header = lj_elf_header(elf, index);
    uint64_t at = elf->table + (uint64_t)index * sizeof header;
    lj_link_section *section = &graph->sections[index];
    section->region = LJ_REGION_NONE;
    section->flags = header.sh_flags;
    section->size = header.sh_size;
    section->type = header.sh_type;
    section->priority = 65535;
    section->first_block = section->last_block = LJ_NONE;
    if (header.sh_flags & SHF_LINK_ORDER && header.sh_link < elf->count)
        section->link = header.sh_link;
    if (header.sh_name < elf->names_size)
        section->name = (uint32_t)(elf->strtab_size + header.sh_name);
    else if (header.sh_name)
        return MALFORMED(elf, at, "the name of section %u lies outside of the names", index);
    else
        section->name = graph->synthetic_names + LJ_NAME_EMPTY;
    const char *name = graph->strings + section->name;
    if (index == 0 || section->comdat == LJ_COMDAT_DISCARDED || !lj_elf_is_kept(elf, &header))
        return elf->flags & LJ_READ_SCAN || header.sh_type != SHT_PROGBITS
                   ? LJ_OK
                   : check_object(elf, &header, name);
    /* Properties such as "made for CET" concern whole executables. */
    if (header.sh_type == SHT_NOTE && strcmp(name, ".note.gnu.property") == 0)
        return LJ_OK;
    if ((header.sh_flags & SHF_WRITE) && (header.sh_flags & SHF_EXECINSTR))
        return UNSUPPORTED(elf, at, "section %s is writable and executable", name);
    if ((header.sh_flags & SHF_TLS) && (header.sh_flags & SHF_EXECINSTR))
        return UNSUPPORTED(elf, at, "section %s is thread-local and executable", name);
    int allocated = (header.sh_flags & SHF_ALLOC) != 0;
    if (allocated && header.sh_flags & SHF_COMPRESSED)
        return UNSUPPORTED(elf, at, "section %s is allocatable and compressed", name);
    if (header.sh_addralign & (header.sh_addralign - 1))
        return MALFORMED(elf, at, "section %s has alignment %llu, not a power of two", name,
                         (unsigned long long)header.sh_addralign);
    if (header.sh_addralign > LJ_MAX_ALIGN)
        return UNSUPPORTED(elf, at, "section %s wants an alignment of more than 2 MiB", name);
    if (header.sh_size > LJ_MAX_BLOCK)
        return UNSUPPORTED(elf, at, "section %s is larger than 4 GiB", name);
    section->linked = 1;
    section->prot = (uint8_t)(LJ_PROT_READ | (header.sh_flags & SHF_WRITE ? LJ_PROT_WRITE : 0) |
                              (header.sh_flags & SHF_EXECINSTR ? LJ_PROT_EXEC : 0));
    lj_link_block block = {
        .size = header.sh_size,
        .align = header.sh_addralign ? (uint32_t)header.sh_addralign : 1,
        .state = header.sh_flags & SHF_GNU_RETAIN ? LJ_BLOCK_ROOT : 0,
    };
    if (header.sh_type == SHT_NOBITS) {
        block.state |= LJ_BLOCK_ZERO_FILL;
    } else {
        block.content = (uint64_t)(uintptr_t)(elf->data + header.sh_offset);
        block.input_size = (uint32_t)header.sh_size;
    }
    if (!allocated) {
        section->lifetime = LJ_LIFETIME_NO_ALLOC;
        if (header.sh_flags & SHF_COMPRESSED)
            TRY(read_compression(elf, &header, name, &block));
        lj_graph_append_block(graph, index, &block);
        return LJ_OK;
    }
    lj_section_give_role(section, name);
    if (lj_section_has_pointers(section)) {
        if (header.sh_size % 8 || header.sh_type == SHT_NOBITS)
            return MALFORMED(elf, at, "section %s isn't an array of pointers", name);
        graph->initializers++;
        block.state |= LJ_BLOCK_ROOT;
    }
    if (header.sh_type == SHT_NOBITS && section->role == LJ_ROLE_EH_FRAME)
        return MALFORMED(elf, at, "section %s has no content", name);
    lj_graph_append_block(graph, index, &block);
    return LJ_OK;
}

/* A group's content: a word of flags, then its members' section numbers. */
static lj_status read_group(lj_elf *elf, uint32_t index, uint8_t *seen) {
    lj_graph *graph = elf->graph;
    Elf64_Shdr header = lj_elf_header(elf, index);
    uint64_t at = elf->table + (uint64_t)index * sizeof header;
    if (header.sh_size < 4 || header.sh_size % 4)
        return MALFORMED(elf, at, "group section %u of %llu bytes", index,
                         (unsigned long long)header.sh_size);
    if (!elf->symtab || header.sh_link != elf->symtab || header.sh_info >= elf->symbols)
        return MALFORMED(elf, at, "group section %u has no signature", index);
    if (!(lj_elf_word(elf, header.sh_offset) & GRP_COMDAT))
        return LJ_OK;
    /* One name is one global symbol in an object, so signatures are compared by number. */
    int discarded = seen[header.sh_info];
    seen[header.sh_info] = 1;
    for (uint64_t i = 4; i < header.sh_size; i += 4) {
        uint32_t member = lj_elf_word(elf, header.sh_offset + i);
        if (member == 0 || member >= elf->count)
            return MALFORMED(elf, header.sh_offset + i, "group section %u has member %u of %u",
                             index, member, elf->count);
        if (graph->sections[member].group)
            return MALFORMED(elf, header.sh_offset + i, "section %u is in two groups", member);
        graph->sections[member].group = index;
        graph->sections[member].comdat = discarded ? LJ_COMDAT_DISCARDED : LJ_COMDAT_KEPT;
    }
    return LJ_OK;
}

static lj_status read_groups(lj_elf *elf) {
    uint8_t *seen = calloc(elf->symbols + 1, 1);
    if (!seen)
        return lj_fail(&elf->graph->fault, LJ_NO_MEMORY, 0, 0, "reading comdat groups");
    lj_status status = LJ_OK;
    for (uint32_t i = 1; i < elf->count && !status; i++)
        if (lj_elf_header(elf, i).sh_type == SHT_GROUP)
            status = read_group(elf, i, seen);
    free(seen);
    return status;
}

lj_status lj_elf_read_sections(lj_elf *elf) {
    memset(elf->graph->sections, 0, elf->count * sizeof(lj_link_section));
    if (elf->groups)
        TRY(read_groups(elf));
    for (uint32_t i = 0; i < elf->count; i++)
        TRY(read_section(elf, i));
    elf->graph->section_count = elf->count;
    return LJ_OK;
}
