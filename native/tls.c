/* Images, threads' blocks, and the slow path of an access. tls.h has the design. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tls.h"
#include "arena.h"
#include "arena_place.h"
#include "atexit.h"
#include "tls_static.h"
#include "tls_thread.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The dynamic loader's, for its own modules. */
extern void *__tls_get_addr(void *);

/* Address space of one thread's block. Code adds offsets as signed 32-bit numbers. */
static const uint64_t block_size = UINT64_C(256) << 20;
static const uint64_t block_align = LJ_MAX_ALIGN; /* aligned offsets are aligned addresses */
static const uint64_t first_offset = 64; /* so that no variable has offset 0, as a NULL token */

/* A range of offsets: an image (serial > 0), a reservation, or a hole between them. */
typedef struct range {
    struct range *next; /* by offset */
    uint64_t offset, size;
    const void *init;
    uint64_t init_size;
    uint64_t serial; /* 0: reserved, not yet an image */
} range;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static range *ranges;
static lj_tls_thread *threads;
static pthread_key_t thread_end = PTHREAD_KEYS_MAX; /* until it is made: no thread has a value */
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

/* Read without the lock by the fast paths: the serial of the newest image. */
uint64_t lj_tls_serial;

/* Initial-exec (tls_thread.h): the fast path, and the descriptor's in assembly, read it with one
 * instruction. It takes 8 bytes of the static TLS surplus that every thread has for such libraries.
 */
__thread lj_tls_thread *lj_tls_self;

static void before_fork(void) {
    pthread_mutex_lock(&lock);
}
static void after_fork(void) {
    pthread_mutex_unlock(&lock);
}

/* In a child there is only the thread that forked; the others' blocks are nobody's. */
static void after_fork_in_child(void) {
    lj_tls_thread *thread = threads;
    threads = NULL;
    while (thread) {
        lj_tls_thread *next = thread->next;
        if (thread == lj_tls_self) {
            thread->next = NULL;
            threads = thread;
        } else {
            munmap(thread->base, block_size);
            free(thread);
        }
        thread = next;
    }
    pthread_mutex_unlock(&lock);
}

static void end_thread(void *value) {
    lj_tls_thread *thread = value;
    /* Other libraries' destructors may still use JIT'd variables: wait for the last round. */
    if (++thread->rounds < PTHREAD_DESTRUCTOR_ITERATIONS - 1 &&
        pthread_setspecific(thread_end, thread) == 0)
        return;
    pthread_mutex_lock(&lock);
    lj_tls_thread **link = &threads;
    while (*link && *link != thread)
        link = &(*link)->next;
    if (*link)
        *link = thread->next;
    pthread_mutex_unlock(&lock);
    lj_tls_self = NULL;
    munmap(thread->base, block_size);
    free(thread);
}

static void prepare(void) {
    pthread_key_create(&thread_end, end_thread);
    pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

/* Images newer than the thread's last look get their initial data; the rest is zero already. */
static void initialize_locked(lj_tls_thread *thread) {
    for (const range *image = ranges; image; image = image->next)
        if (image->serial > thread->serial && image->init_size)
            memcpy(thread->base + image->offset, image->init, image->init_size);
    thread->serial = lj_tls_serial;
}

/* What isn't in use is zero in every block: whole pages are given back, the rest is cleared. Nobody
 * destroys what was there. */
static void wipe_locked(const range *image) {
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t start = image->offset, end = start + image->size;
    uint64_t first = (start + page - 1) & -page, last = end & -page;
    for (lj_tls_thread *thread = threads; thread; thread = thread->next) {
        if (thread->serial < image->serial)
            continue;
        lj_atexit_forget((uint64_t)thread->base + start, end - start);
        if (first >= last) {
            memset(thread->base + start, 0, end - start);
            continue;
        }
        memset(thread->base + start, 0, first - start);
        memset(thread->base + last, 0, end - last);
        if (madvise(thread->base + first, last - first, MADV_DONTNEED) != 0)
            memset(thread->base + first, 0, last - first);
    }
}

static lj_tls_thread *new_thread(void) {
    pthread_once(&prepared, prepare);
    lj_tls_thread *thread = calloc(1, sizeof *thread);
    uint64_t base;
    if (!thread || lj_arena_reserve(block_size, block_align, 0, &base, NULL) ||
        mprotect((void *)base, block_size, PROT_READ | PROT_WRITE) ||
        pthread_setspecific(thread_end, thread) != 0) {
        fputs("lazyjit: no memory for a thread's JIT'd variables\n", stderr);
        abort();
    }
    thread->base = (uint8_t *)base;
    return thread;
}

static uint8_t *block_slowly(void) {
    lj_tls_thread *thread = lj_tls_self;
    int is_new = !thread;
    if (is_new)
        thread = new_thread();
    pthread_mutex_lock(&lock);
    if (is_new) {
        thread->next = threads;
        threads = thread;
    }
    initialize_locked(thread);
    pthread_mutex_unlock(&lock);
    lj_tls_self = thread;
    return thread->base;
}

uint8_t *lj_tls_block(void) {
    lj_tls_thread *thread = lj_tls_self;
    if (thread && thread->serial == __atomic_load_n(&lj_tls_serial, __ATOMIC_ACQUIRE))
        return thread->base;
    return block_slowly();
}

void *lj_tls_get_addr(const lj_tls_index *index) {
    if (index->module == LJ_TLS_TAG)
        return lj_tls_block() + index->offset;
    return __tls_get_addr((void *)(uintptr_t)index);
}

void *lj_tls_address(uint64_t token) {
    lj_tls_index pair;
    if ((token & LJ_TLS_TAG_MASK) == LJ_TLS_STATIC_TAG)
        return lj_tls_static_pair(token, &pair) ? lj_tls_at_distance(lj_tls_static_distance(token))
                                                : NULL;
    if ((token & LJ_TLS_TAG_MASK) != LJ_TLS_TAG || (token & ~LJ_TLS_TAG_MASK) >= block_size)
        return NULL;
    return lj_tls_block() + (token & ~LJ_TLS_TAG_MASK);
}

lj_status lj_tls_reserve(uint64_t size, uint64_t align, uint64_t *offset, lj_fault *fault) {
    pthread_once(&prepared, prepare);
    if (thread_end == PTHREAD_KEYS_MAX)
        return lj_fail(fault, LJ_SYSTEM, 0, EAGAIN,
                       "no thread-specific key is left for thread-local variables");
    range *entry = calloc(1, sizeof *entry);
    if (!entry)
        return lj_fail(fault, LJ_NO_MEMORY, 0, 0, "thread-local variables");
    lj_status status = LJ_ARENA_FULL;
    pthread_mutex_lock(&lock);
    uint64_t at = first_offset;
    /* First fit. */
    for (range **link = &ranges;; link = &(*link)->next) {
        at = (at + align - 1) & -align;
        uint64_t end = *link ? (*link)->offset : block_size;
        if (at <= end && size <= end - at) {
            *entry = (range){.next = *link, .offset = at, .size = size};
            *link = entry;
            *offset = at;
            status = LJ_OK;
            break;
        }
        if (!*link)
            break;
        at = (*link)->offset + (*link)->size;
    }
    pthread_mutex_unlock(&lock);
    if (!status)
        return LJ_OK;
    free(entry);
    return lj_fail(fault, status, 0, size, "%llu bytes of thread-local variables",
                   (unsigned long long)size);
}

static range **find_locked(uint64_t offset) {
    range **link = &ranges;
    while (*link && (*link)->offset != offset)
        link = &(*link)->next;
    return link;
}

void lj_tls_release(uint64_t offset) {
    pthread_mutex_lock(&lock);
    range **link = find_locked(offset), *entry = *link;
    if (entry) {
        if (entry->serial)
            wipe_locked(entry);
        *link = entry->next;
    }
    pthread_mutex_unlock(&lock);
    free(entry);
}

lj_status lj_tls_register(uint64_t offset, const void *init, uint64_t init_size) {
    pthread_mutex_lock(&lock);
    range *entry = *find_locked(offset);
    if (entry) {
        entry->init = init;
        entry->init_size = init_size;
        entry->serial = lj_tls_serial + 1;
        __atomic_store_n(&lj_tls_serial, entry->serial, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&lock);
    return entry ? LJ_OK : LJ_MISUSE;
}
