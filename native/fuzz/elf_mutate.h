/* Mutations that know what an object file is made of.
 *
 * libFuzzer's own change bytes anywhere, and most of an object is code, to which the reader is
 * blind. Half of the mutations here change what it reads: a field of the file's header, of a
 * section's, of a symbol or of a relocation, to a value that is near another such field's, at an
 * edge, or random. The other half are libFuzzer's.
 */
#ifndef LAZYJIT_FUZZ_ELF_MUTATE_H
#define LAZYJIT_FUZZ_ELF_MUTATE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

typedef struct field {
    uint16_t offset, size;
} field;

#define FIELD(type, name) {offsetof(type, name), sizeof(((type *)0)->name)}

static const field in_file[] = {
    FIELD(Elf64_Ehdr, e_type),      FIELD(Elf64_Ehdr, e_machine), FIELD(Elf64_Ehdr, e_shoff),
    FIELD(Elf64_Ehdr, e_shentsize), FIELD(Elf64_Ehdr, e_shnum),   FIELD(Elf64_Ehdr, e_shstrndx),
    FIELD(Elf64_Ehdr, e_flags),
};
static const field in_section[] = {
    FIELD(Elf64_Shdr, sh_name),    FIELD(Elf64_Shdr, sh_type),   FIELD(Elf64_Shdr, sh_flags),
    FIELD(Elf64_Shdr, sh_addr),    FIELD(Elf64_Shdr, sh_offset), FIELD(Elf64_Shdr, sh_size),
    FIELD(Elf64_Shdr, sh_link),    FIELD(Elf64_Shdr, sh_info),   FIELD(Elf64_Shdr, sh_addralign),
    FIELD(Elf64_Shdr, sh_entsize),
};
static const field in_symbol[] = {
    FIELD(Elf64_Sym, st_name),  FIELD(Elf64_Sym, st_info),  FIELD(Elf64_Sym, st_other),
    FIELD(Elf64_Sym, st_shndx), FIELD(Elf64_Sym, st_value), FIELD(Elf64_Sym, st_size),
};
static const field in_relocation[] = {
    {offsetof(Elf64_Rela, r_offset), 8},
    {offsetof(Elf64_Rela, r_info), 4},     /* the kind */
    {offsetof(Elf64_Rela, r_info) + 4, 4}, /* the symbol */
    {offsetof(Elf64_Rela, r_addend), 8},
};

static void change(uint8_t *at, uint16_t size, uint32_t *state) {
    static const uint64_t edges[] = {
        0,
        1,
        7,
        0x7f,
        0xff,
        0x7fff,
        0xff00,
        0xffff,
        0x7fffffff,
        0x80000000,
        0xfffffffe,
        0xffffffff,
        0xfffffffffffffff0,
        1ull << 62,
        1ull << 63,
    };
    uint64_t value = 0;
    memcpy(&value, at, size);
    switch (next_random(state) % 4) {
    case 0:
        value = edges[next_random(state) % (sizeof edges / sizeof *edges)];
        break;
    case 1:
        value += next_random(state) % 17 - 8u;
        break;
    case 2:
        value ^= UINT64_C(1) << next_random(state) % (8 * size);
        break;
    default:
        value = next_random(state) % 64;
    }
    memcpy(at, &value, size);
}

#define CHANGE_ONE(fields, at)                                                                     \
    do {                                                                                           \
        const field *one = &(fields)[next_random(state) % (sizeof(fields) / sizeof *(fields))];    \
        change((at) + one->offset, one->size, state);                                              \
    } while (0)

/* Changes one field; 0 when the data isn't enough of an object for that. */
static int change_a_field(uint8_t *data, size_t size, uint32_t *state) {
    Elf64_Ehdr file;
    if (size < sizeof file)
        return 0;
    memcpy(&file, data, sizeof file);
    uint64_t room = file.e_shoff < size ? (size - file.e_shoff) / sizeof(Elf64_Shdr) : 0;
    uint64_t count = file.e_shnum < room ? file.e_shnum : room;
    if (!count || next_random(state) % 8 == 0) {
        CHANGE_ONE(in_file, data);
        return 1;
    }
    uint8_t *at = data + file.e_shoff + next_random(state) % count * sizeof(Elf64_Shdr);
    Elf64_Shdr section;
    memcpy(&section, at, sizeof section);
    uint64_t entry = section.sh_type == SHT_SYMTAB ? sizeof(Elf64_Sym)
                     : section.sh_type == SHT_RELA ? sizeof(Elf64_Rela)
                                                   : 0;
    uint64_t inside = section.sh_offset < size ? size - section.sh_offset : 0;
    uint64_t entries = entry ? (section.sh_size < inside ? section.sh_size : inside) / entry : 0;
    if (!entries || next_random(state) % 3 == 0) {
        CHANGE_ONE(in_section, at);
        return 1;
    }
    at = data + section.sh_offset + next_random(state) % entries * entry;
    if (section.sh_type == SHT_SYMTAB)
        CHANGE_ONE(in_symbol, at);
    else
        CHANGE_ONE(in_relocation, at);
    return 1;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    uint32_t state = seed;
    int changes = 1 + (int)(next_random(&state) % 3);
    if (next_random(&state) % 2 || !change_a_field(data, size, &state))
        return LLVMFuzzerMutate(data, size, max_size);
    while (--changes)
        change_a_field(data, size, &state);
    return size;
}

#endif
