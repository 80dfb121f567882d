/* The entry points of libllvmlite, and how LLVM is kept from ending the process.
 *
 * LLVM reports an error that it can't return (an inline assembly operand that does not exist, an
 * instruction that can't be selected, broken debug info that hides a broken body, ...) by printing
 * it to standard error and calling exit(1) or abort(). Its own remedy, a handler installed in C++,
 * is not among the functions that libllvmlite exports. But libllvmlite is a shared library, and
 * calls of libc from a shared library go through its own table of pointers (the slots that
 * R_X86_64_JUMP_SLOT and R_X86_64_GLOB_DAT relocations fill). lazyjit swaps the pointers of five
 * functions in that one table:
 *
 *   exit, abort, __assert_fail   inside a protected run, jump back to where the run began
 *   write                        inside a protected run, what goes to standard error is kept
 *   setlocale                    inside a protected run, ignored: llvmlite's printer sets the
 * locale of the whole process to "C" and back, which other threads see, and which two printing
 * threads get wrong
 *
 * Outside of a protected run, and so for every other user of llvmlite, each behaves as before.
 *
 * Jumping over LLVM's frames skips their destructors: the unit's context, its module and the target
 * machine are abandoned, and their memory leaks. LLVM's own CrashRecoveryContext, with which clang
 * runs its compiler in process, strikes the same bargain.
 */
#define _GNU_SOURCE
#undef NDEBUG /* with it, assert.h does not declare __assert_fail */
#include "llvm_private.h"

#include <assert.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <locale.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

lj_llvm_api lj_llvm;

static atomic_int bound;
static atomic_uint_fast64_t recoveries;

uint64_t lj_llvm_recoveries(void) {
    return atomic_load(&recoveries);
}

/* ---- protected runs ---- */

typedef struct protection {
    jmp_buf back;
    lj_llvm_run *run;
    struct protection *outer;
} protection;

static _Thread_local protection *innermost;

static void keep_words(lj_llvm_run *run, const char *words, size_t length) {
    size_t room = LJ_LLVM_WORDS - 1 - run->length;
    size_t taken = length < room ? length : room;
    memcpy(run->words + run->length, words, taken);
    run->length += taken;
    run->words[run->length] = '\0';
}

void lj_llvm_protect(lj_llvm_run *run, void (*body)(void *state), void *state) {
    run->gave_up = false;
    run->length = 0;
    run->words[0] = '\0';
    protection here = {.run = run, .outer = innermost};
    if (_setjmp(here.back) == 0) {
        innermost = &here;
        body(state);
    } else {
        run->gave_up = true;
        atomic_fetch_add(&recoveries, 1);
    }
    innermost = here.outer;
}

/* ---- what the slots of libllvmlite point to ---- */

static void (*libc_exit)(int) __attribute__((noreturn));
static void (*libc_abort)(void) __attribute__((noreturn));
static void (*libc_assert)(const char *, const char *, unsigned, const char *)
    __attribute__((noreturn));
static ssize_t (*libc_write)(int, const void *, size_t);
static char *(*libc_setlocale)(int, const char *);

static void hooked_exit(int code) {
    if (innermost)
        _longjmp(innermost->back, 1);
    libc_exit(code);
}

static void hooked_abort(void) {
    if (innermost)
        _longjmp(innermost->back, 1);
    libc_abort();
}

static void hooked_assert(const char *condition, const char *file, unsigned line,
                          const char *function) {
    if (!innermost)
        libc_assert(condition, file, line, function);
    char words[512];
    int length = snprintf(words, sizeof words, "assertion failed: %s (%s)", condition, function);
    keep_words(innermost->run, words,
               length < (int)sizeof words ? (size_t)length : sizeof words - 1);
    _longjmp(innermost->back, 1);
}

static ssize_t hooked_write(int fd, const void *bytes, size_t length) {
    if (!innermost || fd != STDERR_FILENO)
        return libc_write(fd, bytes, length);
    keep_words(innermost->run, bytes, length);
    return (ssize_t)length;
}

static char *hooked_setlocale(int category, const char *locale) {
    static char c_locale[] = "C";
    return innermost ? c_locale : libc_setlocale(category, locale);
}

static struct hook {
    const char *name;
    void *replacement;
    void *original; /* a pointer variable of the function's type */
    bool required;
    int placed;
} hooks[] = {
    {"exit", (void *)hooked_exit, &libc_exit, true, 0},
    {"abort", (void *)hooked_abort, &libc_abort, true, 0},
    {"__assert_fail", (void *)hooked_assert, &libc_assert, false, 0},
    {"write", (void *)hooked_write, &libc_write, true, 0},
    {"setlocale", (void *)hooked_setlocale, &libc_setlocale, false, 0},
};
enum { HOOKS = sizeof hooks / sizeof *hooks };

/* ---- placing them ---- */

typedef struct library {
    uintptr_t inside; /* an address in the library that is looked for */
    uintptr_t base;
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
        if (header->p_type == PT_LOAD && sought->inside - start < header->p_memsz)
            seen.found = true;
        else if (header->p_type == PT_DYNAMIC)
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

static int hook_relocations(const library *image, const ElfW(Rela) * relocations, size_t bytes,
                            const ElfW(Sym) * symbols, const char *strings) {
    for (size_t i = 0; i < bytes / sizeof *relocations; i++) {
        unsigned type = ELF64_R_TYPE(relocations[i].r_info);
        if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT)
            continue;
        const char *name = strings + symbols[ELF64_R_SYM(relocations[i].r_info)].st_name;
        for (struct hook *hook = hooks; hook < hooks + HOOKS; hook++) {
            if (strcmp(name, hook->name))
                continue;
            void **slot = (void **)(image->base + relocations[i].r_offset);
            int error = set_slot(image, slot, hook->replacement);
            if (error)
                return error;
            hook->placed++;
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

    /* What the slots would come to point to: this library's own view of libc. */
    libc_exit = exit;
    libc_abort = abort;
    libc_assert = __assert_fail;
    libc_write = write;
    libc_setlocale = setlocale;
    int error = hook_relocations(&image, relocations, relocation_bytes, symbols, strings);
    if (!error)
        error = hook_relocations(&image, jumps, jump_bytes, symbols, strings);
    if (error)
        return lj_fail(fault, LJ_SYSTEM, 0, (uint64_t)error, "mprotect: %s", strerror(error));
    for (const struct hook *hook = hooks; hook < hooks + HOOKS; hook++)
        if (hook->required && !hook->placed)
            return lj_fail(fault, LJ_SYSTEM, 0, ENOENT, "libllvmlite does not import %s",
                           hook->name);
    return LJ_OK;
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
