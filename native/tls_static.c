/* Libraries of nothing but a thread-local segment. tls_static.h has the reason. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tls_static.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* The dynamic loader's. */
extern void *__tls_get_addr(void *);

struct lj_tls_static {
    lj_tls_static *next;
    void *library;
    const uint8_t *init; /* in the mapped library: what new threads get */
    uint64_t init_size, size;
    uint64_t module;
    int64_t distance; /* of its first byte from the thread pointer: negative */
    int file;
    int is_free; /* nobody uses it: it waits until those below are gone */
};

/* Of the list; nothing else is locked under it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static lj_tls_static *images;
static uint64_t serial;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

/* Only one thread at a time takes room or gives it back, or else an image might get its room below
 * one that is about to go. */
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

/* The loader has a lock too, taken under this one; but a library's constructor that links code
 * holds it when it comes here. After a second it goes on without: at worst a hole is left. */
static int lock_order(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    return pthread_mutex_timedlock(&order, &until) == 0;
}
static void unlock_order(int locked) {
    if (locked)
        pthread_mutex_unlock(&order);
}

static void before_fork(void) {
    pthread_mutex_lock(&lock);
}
static void after_fork(void) {
    pthread_mutex_unlock(&lock);
}
static void after_fork_in_child(void) {
    pthread_mutex_unlock(&lock);
    pthread_mutex_init(&order, NULL); /* its holder isn't here */
}
static void prepare(void) {
    pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

enum { LOAD, DYNAMIC, TLS, STACK, PHDRS };
enum { PAGE = 4096 };
/* Images follow each other without gaps when all have this alignment and multiples of it as sizes:
 * where the loader leaves a gap, it never takes back what was given out before. */
enum { GRAIN = 64 };

/* The library's file; the image follows. */
typedef struct library_file {
    Elf64_Ehdr header;
    Elf64_Phdr segments[PHDRS];
    Elf64_Sym symbols[1];
    uint32_t hash[4]; /* one empty bucket */
    Elf64_Rela relocation;
    Elf64_Dyn dynamic[10];
    uint64_t distance; /* what the relocation is about */
    uint64_t serial;   /* shows that the library found is this one */
    char strings[8];
} library_file;

static uint64_t image_at(uint64_t align) {
    return (sizeof(library_file) + align - 1) & -align;
}

static void fill_segments(library_file *file, uint64_t init_size, uint64_t size, uint64_t align) {
    uint64_t at = image_at(align), total = at + init_size;
    file->segments[LOAD] = (Elf64_Phdr){.p_type = PT_LOAD,
                                        .p_flags = PF_R | PF_W,
                                        .p_filesz = total,
                                        .p_memsz = total,
                                        .p_align = PAGE};
    uint64_t dynamic = offsetof(library_file, dynamic);
    file->segments[DYNAMIC] = (Elf64_Phdr){.p_type = PT_DYNAMIC,
                                           .p_flags = PF_R | PF_W,
                                           .p_offset = dynamic,
                                           .p_vaddr = dynamic,
                                           .p_filesz = sizeof file->dynamic,
                                           .p_memsz = sizeof file->dynamic,
                                           .p_align = 8};
    file->segments[TLS] = (Elf64_Phdr){.p_type = PT_TLS,
                                       .p_flags = PF_R,
                                       .p_offset = at,
                                       .p_vaddr = at,
                                       .p_filesz = init_size,
                                       .p_memsz = size,
                                       .p_align = align};
    /* Without this one the loader makes every stack executable. */
    file->segments[STACK] =
        (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W, .p_align = 16};
}

static void fill_file(library_file *file) {
    file->header = (Elf64_Ehdr){.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
                                            ELFDATA2LSB, EV_CURRENT, ELFOSABI_NONE},
                                .e_type = ET_DYN,
                                .e_machine = EM_X86_64,
                                .e_version = EV_CURRENT,
                                .e_phoff = offsetof(library_file, segments),
                                .e_ehsize = sizeof(Elf64_Ehdr),
                                .e_phentsize = sizeof(Elf64_Phdr),
                                .e_phnum = PHDRS,
                                .e_shentsize = sizeof(Elf64_Shdr)};
    file->hash[0] = file->hash[1] = 1;
    /* Symbol 0 in a relocation of this kind: the module itself. */
    file->relocation = (Elf64_Rela){.r_offset = offsetof(library_file, distance),
                                    .r_info = ELF64_R_INFO(0, R_X86_64_TPOFF64)};
    const uint64_t entries[][2] = {
        {DT_HASH, offsetof(library_file, hash)},
        {DT_SYMTAB, offsetof(library_file, symbols)},
        {DT_SYMENT, sizeof(Elf64_Sym)},
        {DT_STRTAB, offsetof(library_file, strings)},
        {DT_STRSZ, sizeof file->strings},
        {DT_RELA, offsetof(library_file, relocation)},
        {DT_RELASZ, sizeof file->relocation},
        {DT_RELAENT, sizeof file->relocation},
        {DT_FLAGS, DF_STATIC_TLS},
        {DT_NULL, 0},
    };
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
        file->dynamic[i] =
            (Elf64_Dyn){.d_tag = (int64_t)entries[i][0], .d_un.d_val = entries[i][1]};
}

static int write_all(int file, const uint8_t *bytes, uint64_t size) {
    while (size) {
        ssize_t done = write(file, bytes, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return 0;
        bytes += done;
        size -= (uint64_t)done;
    }
    return 1;
}

/* The bytes of the library, in a file in memory that image->file names. */
static lj_status make_file(lj_tls_static *image, const void *init, uint64_t size, uint64_t align,
                           uint64_t number, lj_fault *fault) {
    uint64_t at = image_at(align), total = at + image->init_size;
    uint8_t *bytes = calloc(1, total);
    if (!bytes)
        return lj_fail(fault, LJ_NO_MEMORY, 0, total, "a static thread-local image");
    library_file *file = (library_file *)bytes;
    fill_file(file);
    fill_segments(file, image->init_size, size, align);
    file->serial = number;
    if (image->init_size)
        memcpy(bytes + at, init, image->init_size);
    image->file = memfd_create("lazyjit-tls", MFD_CLOEXEC);
    int ok = image->file >= 0 && write_all(image->file, bytes, total);
    int error = errno;
    free(bytes);
    return ok ? LJ_OK
              : lj_fail(fault, LJ_SYSTEM, 0, (uint64_t)error, "a file in memory: %s",
                        strerror(error));
}

static lj_status open_file(lj_tls_static *image, uint64_t size, uint64_t align, uint64_t number,
                           lj_fault *fault) {
    char path[64];
    /* The loader knows libraries by their paths, so the file stays open: its number is its name. */
    snprintf(path, sizeof path, "/proc/self/fd/%d", image->file);
    if (access(path, R_OK) != 0)
        return lj_fail(fault, LJ_SYSTEM, 0, (uint64_t)errno, "%s can't be opened: is /proc there?",
                       path);
    image->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!image->library)
        return lj_fail(fault, LJ_STATIC_TLS_FULL, 0, size,
                       "%llu bytes of thread-local variables aligned to %llu; "
                       "GLIBC_TUNABLES=glibc.rtld.optional_static_tls gives more (%s)",
                       (unsigned long long)size, (unsigned long long)align, dlerror());
    struct link_map *map = NULL;
    size_t module = 0;
    const library_file *mapped = NULL;
    if (dlinfo(image->library, RTLD_DI_LINKMAP, &map) == 0)
        mapped = (const library_file *)map->l_addr;
    if (!mapped || dlinfo(image->library, RTLD_DI_TLS_MODID, &module) != 0 ||
        mapped->serial != number)
        return lj_fail(fault, LJ_SYSTEM, 0, 0, "the loader opened another library than %s", path);
    image->module = module;
    image->distance = (int64_t)mapped->distance;
    image->init = (const uint8_t *)mapped + image_at(align);
    return LJ_OK;
}

static void dispose(lj_tls_static *image) {
    if (image->library)
        dlclose(image->library);
    if (image->file >= 0)
        close(image->file);
    free(image);
}

lj_status lj_tls_static_open(const void *init, uint64_t init_size, uint64_t size, uint64_t align,
                             lj_tls_static **out, lj_fault *fault) {
    pthread_once(&prepared, prepare);
    align = align < GRAIN ? GRAIN : align;
    size = (size + align - 1) & -align;
    if (align > PAGE || size > UINT32_MAX)
        return lj_fail(fault, LJ_STATIC_TLS_FULL, 0, size,
                       "%llu bytes of thread-local variables aligned to %llu",
                       (unsigned long long)size, (unsigned long long)align);
    lj_tls_static *image = calloc(1, sizeof *image);
    if (!image)
        return lj_fail(fault, LJ_NO_MEMORY, 0, 0, "a static thread-local image");
    image->size = size;
    image->init_size = init_size;
    image->file = -1;
    uint64_t number = __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED);
    lj_status status = make_file(image, init, size, align, number, fault);
    int locked = lock_order();
    if (!status)
        status = open_file(image, size, align, number, fault);
    if (!status) {
        pthread_mutex_lock(&lock);
        image->next = images;
        images = image;
        pthread_mutex_unlock(&lock);
    } else {
        dispose(image);
    }
    unlock_order(locked);
    if (status)
        return status;
    *out = image;
    return LJ_OK;
}

/* Takes the lowest image off the list, if nobody uses it any more. */
static lj_tls_static *take_last(void) {
    pthread_mutex_lock(&lock);
    lj_tls_static **last = &images;
    for (lj_tls_static **link = &images; *link; link = &(*link)->next)
        if ((*link)->distance < (*last)->distance)
            last = link;
    lj_tls_static *image = *last;
    if (image && image->is_free)
        *last = image->next;
    else
        image = NULL;
    pthread_mutex_unlock(&lock);
    return image;
}

void lj_tls_static_close(lj_tls_static *image) {
    if (!image)
        return;
    pthread_mutex_lock(&lock);
    image->is_free = 1;
    pthread_mutex_unlock(&lock);
    if (!lock_order())
        return; /* whoever comes next does it */
    /* The loader gives out room downwards, and forgets about holes that are left above. */
    for (lj_tls_static *last; (last = take_last());)
        dispose(last);
    unlock_order(1);
}

int64_t lj_tls_static_distance(uint64_t token) {
    return (int64_t)(token << 16) >> 16;
}

uint64_t lj_tls_static_token(const lj_tls_static *image) {
    return LJ_TLS_STATIC_TAG | ((uint64_t)image->distance & ~LJ_TLS_TAG_MASK);
}

uint64_t lj_tls_static_module(const lj_tls_static *image) {
    return image->module;
}

int lj_tls_static_is(const lj_tls_static *image, const void *init, uint64_t init_size) {
    return init_size == image->init_size &&
           (!init_size || memcmp(image->init, init, init_size) == 0);
}

int lj_tls_static_pair(uint64_t token, lj_tls_index *pair) {
    int64_t distance = lj_tls_static_distance(token);
    int inside = 0;
    pair->module = 0;
    pthread_mutex_lock(&lock);
    for (const lj_tls_static *image = images; image && !inside; image = image->next) {
        uint64_t offset = (uint64_t)(distance - image->distance);
        /* One past the end is an image's too, unless the next one starts there. */
        if (image->is_free || offset > image->size)
            continue;
        *pair = (lj_tls_index){image->module, offset};
        inside = offset < image->size;
    }
    pthread_mutex_unlock(&lock);
    return pair->module != 0;
}

void *lj_tls_at_distance(int64_t distance) {
    uint8_t *pointer;
    __asm__("mov %%fs:0, %0" : "=r"(pointer));
    return pointer + distance;
}

/* -- variables of the process's own libraries -- */

static int64_t distance_here(const lj_tls_index *pair) {
    lj_tls_index copy = *pair;
    return (int64_t)((uintptr_t)__tls_get_addr(&copy) - (uintptr_t)lj_tls_at_distance(0));
}

typedef struct question {
    const lj_tls_index *pair;
    int64_t answer;
} question;

static void *ask_elsewhere(void *data) {
    question *asked = data;
    asked->answer = distance_here(asked->pair);
    return NULL;
}

int64_t lj_tls_host_distance(const lj_tls_index *pair) {
    /* The loader doesn't say which libraries it has put into the static block. A variable is there
     * when it lies at the same small distance in two threads: this one, and one made to look. */
    enum { FARTHEST = 1 << 20 };
    int64_t here = distance_here(pair);
    if (here >= 0 || here < -FARTHEST)
        return 0;
    question asked = {.pair = pair};
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before); /* the new thread takes no signal of the program's */
    int made = pthread_create(&thread, NULL, ask_elsewhere, &asked) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!made)
        return 0;
    pthread_join(thread, NULL);
    return asked.answer == here ? here : 0;
}
