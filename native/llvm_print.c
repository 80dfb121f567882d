/* Bitcode to text: how IR in binary form reaches the text indexer.
 *
 * The module is read in a context of its own and printed once. llvmlite's printer switches the
 * process's locale while it prints; the hook on setlocale (llvm_protect.c) leaves it alone, because
 * LLVM 22 formats numbers without the locale.
 */
#include "llvm_private.h"

#include <string.h>

typedef struct printing {
    const char *bytes;
    size_t length;
    const char *text;
    lj_fault *fault;
    lj_status status;
} printing;

static void print_module(void *data) {
    printing *state = data;
    void *context = lj_llvm.ContextCreate();
    void *module = lj_llvm_read(context, state->bytes, state->length, state->fault, &state->status);
    if (module) {
        lj_llvm.PrintModuleToString(module, &state->text);
        lj_llvm.DisposeModule(module);
    }
    lj_llvm.ContextDispose(context);
}

lj_status lj_llvm_print(const char *module, size_t length, char **text, size_t *text_length,
                        lj_fault *fault) {
    lj_status status = lj_llvm_ready(fault);
    if (status)
        return status;
    printing state = {.bytes = module, .length = length, .fault = fault};
    lj_llvm_run run;
    lj_llvm_protect(&run, lj_llvm_reading_limit(module, length), print_module, &state);
    if (run.gave_up)
        return lj_fail(fault, LJ_LLVM_PARSE, 0, 0, "%s", run.words);
    if (state.status)
        return state.status;
    *text = (char *)state.text;
    *text_length = strlen(state.text);
    return LJ_OK;
}

void lj_llvm_text_free(char *text) {
    if (text)
        lj_llvm.DisposeString(text);
}
