/* The list of debug objects that a debugger reads (see plugin_gdb.h).
 *
 * Names, layout and meaning are GDB's, version 1 of its interface; LLDB follows it too. The
 * debugger reads all of this while the process stands still, so that a lock on our side is enough.
 * The lock is held across the call: GDB reads the descriptor at its breakpoint in there.
 *
 * Another library of the process (an LLVM with a JIT, say) may define the same two names. Each has
 * its own pair and GDB watches all of them, as long as each library calls its own: protected
 * visibility exports the names and binds our uses to ours.
 */
#include "plugin_gdb.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { NO_ACTION, REGISTER, UNREGISTER };

typedef struct jit_code_entry {
    struct jit_code_entry *next, *previous;
    const uint8_t *object;
    uint64_t size;
} jit_code_entry;

typedef struct jit_descriptor {
    uint32_t version;
    uint32_t action;
    jit_code_entry *relevant;
    jit_code_entry *first;
} jit_descriptor;

#define FOR_THE_DEBUGGER __attribute__((visibility("protected"), used))

void __jit_debug_register_code(void);

FOR_THE_DEBUGGER jit_descriptor __jit_debug_descriptor = {.version = 1};

FOR_THE_DEBUGGER __attribute__((noinline)) void __jit_debug_register_code(void) {
    /* A breakpoint goes here: the compiler must neither drop the call nor move stores past it. */
    __asm__ volatile("" ::: "memory");
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t count;

static void take(void) {
    pthread_mutex_lock(&lock);
}

static void give(void) {
    pthread_mutex_unlock(&lock);
}

/* A thread that is in here when another forks would leave the child a locked list. */
static void guard_fork(void) {
    pthread_atfork(take, give, give);
}

static void announce_locked(jit_code_entry *entry, uint32_t action) {
    __jit_debug_descriptor.relevant = entry;
    __jit_debug_descriptor.action = action;
    __jit_debug_register_code();
    __jit_debug_descriptor.action = NO_ACTION;
    __jit_debug_descriptor.relevant = NULL;
}

lj_status lj_gdb_register(const uint8_t *object, uint64_t size, void **out) {
    pthread_once(&once, guard_fork);
    jit_code_entry *entry = malloc(sizeof *entry + size);
    if (!entry)
        return LJ_NO_MEMORY;
    memcpy(entry + 1, object, size);
    *entry = (jit_code_entry){.object = (const uint8_t *)(entry + 1), .size = size};
    take();
    entry->next = __jit_debug_descriptor.first;
    if (entry->next)
        entry->next->previous = entry;
    __jit_debug_descriptor.first = entry;
    count++;
    announce_locked(entry, REGISTER);
    give();
    *out = entry;
    return LJ_OK;
}

void lj_gdb_deregister(void *handle) {
    jit_code_entry *entry = handle;
    if (!entry)
        return;
    take();
    if (entry->previous)
        entry->previous->next = entry->next;
    else
        __jit_debug_descriptor.first = entry->next;
    if (entry->next)
        entry->next->previous = entry->previous;
    count--;
    announce_locked(entry, UNREGISTER);
    give();
    free(entry);
}

uint64_t lj_gdb_count(void) {
    take();
    uint64_t now = count;
    give();
    return now;
}
