/* LLVM, as lazyjit uses it: one unit of IR in, the bytes of one object out, without the GIL.
 *
 * lazyjit does not link against LLVM. llvmlite carries a whole LLVM in one shared library that
 * exports C functions only; `lazyjit/codegen/binding.py` hands their addresses over once, as the
 * struct below. From then on a unit costs one call from Python: parse in a fresh context,
 * verify, optimize, emit. Contexts are never shared, and a target machine belongs to a thread, so
 * any number of threads compile at once.
 *
 *   llvm_bind.c     the entry points
 *   llvm_protect.c  what keeps LLVM from ending the process
 *   llvm_machine.c  target configurations, and each thread's machines
 *   llvm_read.c     text and bitcode to modules
 *   llvm_compile.c  the way of one unit
 *   llvm_print.c    bitcode to text
 *
 * LLVM's references are opaque pointers, `void *` here.
 */
#ifndef LAZYJIT_LLVM_H
#define LAZYJIT_LLVM_H

#include "status.h"

/* cffi: begin */
/* Addresses of libllvmlite's functions: LLVMPY_<Name>, in this order. Python fills the struct by
 * the names of its fields. */
typedef struct lj_llvm_entries {
    void *ContextCreate;
    void *ContextDispose;
    void *ParseAssembly;
    void *ParseBitcode;
    void *VerifyModule;
    void *DisposeModule;
    void *PrintModuleToString;
    void *DisposeString;
    void *GetDataLayout;
    void *SetDataLayout;
    void *GetTarget;
    void *SetTarget;
    void *GetTripleParts;
    void *GetTargetFromTriple;
    void *CreateTargetMachine;
    void *DisposeTargetMachine;
    void *CreateTargetMachineData;
    void *CopyStringRepOfTargetData;
    void *DisposeTargetData;
    void *TargetMachineEmitToMemory;
    void *GetBufferStart;
    void *GetBufferSize;
    void *DisposeMemoryBuffer;
    void *CreatePipelineTuningOptions;
    void *DisposePipelineTuningOptions;
    void *PTOSetLoopInterleaving;
    void *PTOSetLoopVectorization;
    void *PTOSetSLPVectorization;
    void *PTOSetLoopUnrolling;
    void *CreatePassBuilder;
    void *DisposePassBuilder;
    void *buildPerModuleDefaultPipeline;
    void *RunNewModulePassManager;
    void *DisposeNewModulePassManger; /* llvmlite's spelling */
} lj_llvm_entries;

/* Takes the entry points and hooks the library's ways to end the process. The first call counts;
 * later ones return OK. MISUSE when an entry is NULL, SYSTEM when the hooks can't be placed. */
lj_status lj_llvm_bind(const lj_llvm_entries *entries, lj_fault *fault);

typedef struct lj_llvm_options {
    int32_t opt_level;     /* 0..3, LLVM's default pipeline at that level */
    int32_t codegen_level; /* 0..3 */
    int32_t loop_vectorize;
    int32_t slp_vectorize;
    int32_t loop_unroll; /* and interleaving, as clang ties them */
    int32_t verify;      /* run the verifier on every unit */
    const char *triple;
    const char *cpu;
    const char *features;
    const char *relocation_model; /* "pic", "static", "dynamicnopic" */
    const char *code_model;       /* "small", "medium", "large", "kernel" */
} lj_llvm_options;

typedef struct lj_llvm_config lj_llvm_config;

/* A target configuration: options that LLVM is known to accept. Immutable; any thread may use it.
 * LLVM_TARGET when there is no such target, CPU or feature. */
lj_status lj_llvm_config_new(const lj_llvm_options *options, lj_llvm_config **out, lj_fault *fault);
/* The caller guarantees that no compilation uses it any more. */
void lj_llvm_config_free(lj_llvm_config *config);
/* The data layout that code of this configuration has. Lives as long as the configuration. */
const char *lj_llvm_config_layout(const lj_llvm_config *config);

enum { LJ_EMIT_OBJECT, LJ_EMIT_ASSEMBLY };

typedef struct lj_object {
    const uint8_t *data; /* in a buffer of LLVM's, NULL when there is none */
    uint64_t size;
    uint64_t parse_ns;    /* parsing and verifying */
    uint64_t optimize_ns; /* 0 when no pipeline ran */
    uint64_t emit_ns;     /* and freeing the module and its context */
    char *warnings;       /* what LLVM had to say on the side, or NULL */
    void *buffer;         /* LLVM's reference */
} lj_object;

/* Compiles one unit: `text` is IR, with a NUL at text[length], or bitcode (told by its magic).
 *
 * LLVM_PARSE (fault.line is the line in `text`, fault.value the column), LLVM_VERIFY, LLVM_TARGET
 * (a module for another architecture), LLVM_EMIT (whatever LLVM gives up on later, in its words).
 * On failure `out` is empty. Any thread; the GIL is not needed. */
lj_status lj_llvm_compile(const lj_llvm_config *config, const char *text, size_t length, int kind,
                          lj_object *out, lj_fault *fault);
/* Frees what the object holds and empties it. An empty one is fine. */
void lj_object_free(lj_object *object);

/* Text of a bitcode (or textual) module, in a context of its own. `*text` is to be freed with
 * lj_llvm_text_free. LLVM_PARSE when LLVM can't read it. Any thread. */
lj_status lj_llvm_print(const char *module, size_t length, char **text, size_t *text_length,
                        lj_fault *fault);
void lj_llvm_text_free(char *text);

/* How often LLVM gave up for good: each time leaks the memory of one unit. */
uint64_t lj_llvm_recoveries(void);
/* The process is about to end: waits for compilations that are under way, ten seconds at most; any
 * that would begin later waits as long, and gives up. Any thread, any number of times. */
void lj_llvm_rest(void);
/* Target machines alive, over all threads. */
uint64_t lj_llvm_machines(void);
/* cffi: end */

#endif
