/* Pass builders, and the callbacks that llvmlite forgets to free.
 *
 * LLVMPY_CreatePassBuilder allocates the builder's instrumentation callbacks, more than a kilobyte,
 * and LLVMPY_DisposePassBuilder frees the builder alone. A session that comes and goes for days
 * would grow by that much with every unit. So while a builder is made, libllvmlite's `operator new`
 * (llvm_protect.c aims it here) notes the first two things that it is asked for: in llvmlite 0.50
 * these are the callbacks and the builder. If the second is the builder that is returned, the first
 * is freed with it. Otherwise llvmlite has changed, and nothing but the builder is freed.
 */
#include "llvm_private.h"

#include <stdlib.h>

/* What a thread that makes a builder is given. Not on the stack: LLVM may give up in between, and
 * the run be left by a jump. */
static _Thread_local __attribute__((tls_model("initial-exec"))) struct {
    void *made[2];
    int room; /* how many more are to be noted */
} notes;

void *lj_llvm_operator_new(size_t size) {
    void *made = malloc(size ? size : 1);
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
    free(builder.callbacks);
}
