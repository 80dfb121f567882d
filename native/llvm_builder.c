/* Pass builders, and the callbacks that llvmlite forgets to free.
 *
 * LLVMPY_CreatePassBuilder allocates the builder's instrumentation callbacks, more than a kilobyte,
 * and LLVMPY_DisposePassBuilder frees the builder alone. A session that comes and goes for days
 * would grow by that much with every unit. So while a builder is made, libllvmlite's `operator new`
 * (llvm_protect.c aims it here) notes the first two things that it is asked for: in llvmlite 0.50
 * these are the callbacks and the builder. If the second is the builder that is returned, the first
 * is freed with it. Otherwise llvmlite has changed, and nothing but the builder is freed.
 */
#define _GNU_SOURCE
#include "llvm_private.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What a thread that makes a builder is given. Not on the stack: LLVM may give up in between, and
 * the run be left by a jump. */
static _Thread_local __attribute__((tls_model("initial-exec"))) struct {
    void *made[2];
    int room; /* how many more are to be noted */
} notes;

/* C++'s own operators, as this process has them: a sanitizer's, say. */
static void *(*real_new)(size_t);
static void (*real_delete)(void *);
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void find(void *function, size_t size, const char *name) {
    void *found = dlsym(RTLD_DEFAULT, name);
    if (!found) {
        void *library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);
        found = library ? dlsym(library, name) : NULL;
    }
    memcpy(function, &found, size);
}

static void find_both(void) {
    find(&real_new, sizeof real_new, "_Znwm");
    find(&real_delete, sizeof real_delete, "_ZdlPv");
    if (!real_new || !real_delete) { /* libstdc++'s are these */
        real_new = malloc;
        real_delete = free;
    }
}

void *lj_llvm_operator_new(size_t size) {
    pthread_once(&once, find_both);
    void *made = real_new(size ? size : 1);
    if (!made)
        lj_llvm_no_memory();
    if (notes.room)
        notes.made[2 - notes.room--] = made;
    return made;
}

lj_llvm_builder lj_llvm_builder_new(void *machine, void *tuning) {
    notes.room = 2;
    lj_llvm_builder builder = {.builder = lj_llvm.CreatePassBuilder(machine, tuning)};
    if (!notes.room && notes.made[1] == builder.builder)
        builder.callbacks = notes.made[0];
    notes.room = 0;
    return builder;
}

void lj_llvm_builder_dispose(lj_llvm_builder builder) {
    lj_llvm.DisposePassBuilder(builder.builder);
    if (builder.callbacks)
        real_delete(builder.callbacks);
}
