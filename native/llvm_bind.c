/* The entry points of libllvmlite, and the place where its calls of libc are caught.
 *
 * A shared library calls another one's functions through pointers in its own data, which the loader
 * fills as R_X86_64_JUMP_SLOT and R_X86_64_GLOB_DAT relocations ask. Swapping such a pointer
 * changes what that one library calls, and nothing else in the process. What is swapped, and why,
 * is told in llvm_protect.c.
 */
#define _GNU_SOURCE
#include "llvm_private.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

lj_llvm_api lj_llvm;

static atomic_int bound;

typedef struct library {
    uintptr_t inside; /* an address in the library that is looked for */
    uintptr_t base;
    uintptr_t code_start, code_end;
    uintptr_t relro_start, relro_end; /* read-only once relocated */
    const ElfW(Dyn) * dynamic;
    bool found;
} library;

static int find_library(struct dl_phdr_info *info, size_t size, void *data) {
    library *sought = data;
    library seen = {.inside = sought->inside, .base = info->dlpi_addr};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD && sought->inside - start < header->p_memsz) {
            seen.found = true; /* `inside` is a function: this is the code */
            seen.code_start = start;
            seen.code_end = start + header->p_memsz;
        } else if (header->p_type == PT_DYNAMIC)
            seen.dynamic = (const ElfW(Dyn) *)start;
        else if (header->p_type == PT_GNU_RELRO) {
            uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
            seen.relro_start = start & ~(page - 1);
            seen.relro_end = (start + header->p_memsz) & ~(page - 1);
        }
    }
    if (seen.found)
        *sought = seen;
    return seen.found;
}

/* Points one slot elsewhere. Another thread may be calling through it: the store is atomic. */
static int set_slot(const library *image, void **slot, void *target) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    void *start = (void *)((uintptr_t)slot & ~(page - 1));
    bool sealed = (uintptr_t)slot >= image->relro_start && (uintptr_t)slot < image->relro_end;
    if (sealed && mprotect(start, page, PROT_READ | PROT_WRITE))
        return errno;
    __atomic_store_n(slot, target, __ATOMIC_RELEASE);
    if (sealed && mprotect(start, page, PROT_READ))
        return errno;
    return 0;
}

static int hook_relocations(const library *image, bool *placed, const ElfW(Rela) * relocations,
                            size_t bytes, const ElfW(Sym) * symbols, const char *strings) {
    for (size_t i = 0; i < bytes / sizeof *relocations; i++) {
        unsigned type = ELF64_R_TYPE(relocations[i].r_info);
        if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT)
            continue;
        const char *name = strings + symbols[ELF64_R_SYM(relocations[i].r_info)].st_name;
        for (int at = 0; at < LJ_LLVM_HOOKS; at++) {
            if (strcmp(name, lj_llvm_hooks[at].name))
                continue;
            void **slot = (void **)(image->base + relocations[i].r_offset);
            int error = set_slot(image, slot, lj_llvm_hooks[at].replacement);
            if (error)
                return error;
            placed[at] = true;
        }
    }
    return 0;
}

static lj_status place_hooks(const void *inside_library, lj_fault *fault) {
    library image = {.inside = (uintptr_t)inside_library};
    dl_iterate_phdr(find_library, &image);
    if (!image.found || !image.dynamic)
        return lj_fail(fault, LJ_SYSTEM, 0, ENOENT, "libllvmlite is not a loaded shared library");

    const ElfW(Rela) *relocations = NULL, *jumps = NULL;
    size_t relocation_bytes = 0, jump_bytes = 0;
    const ElfW(Sym) *symbols = NULL;
    const char *strings = NULL;
    /* The loader has turned the addresses in the dynamic section into absolute ones. */
    for (const ElfW(Dyn) *entry = image.dynamic; entry->d_tag != DT_NULL; entry++) {
        switch (entry->d_tag) {
        case DT_RELA:
            relocations = (const void *)entry->d_un.d_ptr;
            break;
        case DT_RELASZ:
            relocation_bytes = entry->d_un.d_val;
            break;
        case DT_JMPREL:
            jumps = (const void *)entry->d_un.d_ptr;
            break;
        case DT_PLTRELSZ:
            jump_bytes = entry->d_un.d_val;
            break;
        case DT_SYMTAB:
            symbols = (const void *)entry->d_un.d_ptr;
            break;
        case DT_STRTAB:
            strings = (const void *)entry->d_un.d_ptr;
            break;
        }
    }
    if (!symbols || !strings)
        return lj_fail(fault, LJ_SYSTEM, 0, ENOENT, "libllvmlite has no dynamic symbols");

    bool placed[LJ_LLVM_HOOKS] = {false};
    int error = hook_relocations(&image, placed, relocations, relocation_bytes, symbols, strings);
    if (!error)
        error = hook_relocations(&image, placed, jumps, jump_bytes, symbols, strings);
    if (error)
        return lj_fail(fault, LJ_SYSTEM, 0, (uint64_t)error, "mprotect: %s", strerror(error));
    for (int at = 0; at < LJ_LLVM_HOOKS; at++)
        if (lj_llvm_hooks[at].required && !placed[at])
            return lj_fail(fault, LJ_SYSTEM, 0, ENOENT, "libllvmlite does not import %s",
                           lj_llvm_hooks[at].name);
    return lj_llvm_catch_faults(image.code_start, image.code_end, fault);
}

/* ---- binding ---- */

lj_status lj_llvm_bind(const lj_llvm_entries *entries, lj_fault *fault) {
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
    void *const *addresses = (void *const *)entries;
    for (size_t i = 0; i < sizeof *entries / sizeof *addresses; i++)
        if (!addresses[i])
            return lj_fail(fault, LJ_MISUSE, 0, i, "entry point %zu is NULL", i);

    lj_status status = LJ_OK;
    pthread_mutex_lock(&once);
    if (!atomic_load(&bound)) {
        memcpy(&lj_llvm, entries, sizeof lj_llvm);
        status = place_hooks(entries->ContextCreate, fault);
        if (!status)
            atomic_store(&bound, 1);
    }
    pthread_mutex_unlock(&once);
    return status;
}

lj_status lj_llvm_ready(lj_fault *fault) {
    if (atomic_load_explicit(&bound, memory_order_acquire))
        return LJ_OK;
    return lj_fail(fault, LJ_MISUSE, 0, 0, "LLVM is not bound yet");
}
