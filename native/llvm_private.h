/* What the llvm_*.c files share: typed entry points, protected runs, a thread's machine. */
#ifndef LAZYJIT_LLVM_PRIVATE_H
#define LAZYJIT_LLVM_PRIVATE_H

#include "llvm.h"

#include <stdbool.h>

/* The signatures behind lj_llvm_entries, field by field. */
typedef struct lj_llvm_api {
    void *(*ContextCreate)(void);
    void (*ContextDispose)(void *context);
    void *(*ParseAssembly)(void *context, const char *text, const char **message);
    void *(*ParseBitcode)(void *context, const char *bytes, size_t length, char **message);
    int (*VerifyModule)(void *module, char **message);
    void (*DisposeModule)(void *module);
    void (*PrintModuleToString)(void *module, const char **text);
    void (*DisposeString)(const char *text);
    void (*GetDataLayout)(void *module, const char **layout);
    void (*SetDataLayout)(void *module, const char *layout);
    void (*GetTarget)(void *module, const char **triple);
    void (*SetTarget)(void *module, const char *triple);
    void (*GetTripleParts)(const char *triple, const char **arch, const char **vendor,
                           const char **os, const char **environment);
    void *(*GetTargetFromTriple)(const char *triple, const char **message);
    void *(*CreateTargetMachine)(void *target, const char *triple, const char *cpu,
                                 const char *features, int level, const char *relocation_model,
                                 const char *code_model, int print_mc, int jit, const char *abi);
    void (*DisposeTargetMachine)(void *machine);
    void *(*CreateTargetMachineData)(void *machine);
    void (*CopyStringRepOfTargetData)(void *data, char **text);
    void (*DisposeTargetData)(void *data);
    void *(*TargetMachineEmitToMemory)(void *machine, void *module, int object,
                                       const char **message);
    const void *(*GetBufferStart)(void *buffer);
    size_t (*GetBufferSize)(void *buffer);
    void (*DisposeMemoryBuffer)(void *buffer);
    void *(*CreatePipelineTuningOptions)(void);
    void (*DisposePipelineTuningOptions)(void *tuning);
    void (*PTOSetLoopInterleaving)(void *tuning, bool value);
    void (*PTOSetLoopVectorization)(void *tuning, bool value);
    void (*PTOSetSLPVectorization)(void *tuning, bool value);
    void (*PTOSetLoopUnrolling)(void *tuning, bool value);
    void *(*CreatePassBuilder)(void *machine, void *tuning);
    void (*DisposePassBuilder)(void *builder);
    void *(*buildPerModuleDefaultPipeline)(void *builder, int level);
    void (*RunNewModulePassManager)(void *passes, void *module, void *builder);
    void (*DisposeNewModulePassManger)(void *passes);
} lj_llvm_api;

_Static_assert(sizeof(lj_llvm_api) == sizeof(lj_llvm_entries), "one signature for each entry");

/* Valid once lj_llvm_bind has returned OK. */
extern lj_llvm_api lj_llvm;

/* Whether lj_llvm_bind has succeeded; else fills `fault`. */
lj_status lj_llvm_ready(lj_fault *fault);

enum { LJ_LLVM_WORDS = 4096 };

/* One run of LLVM under protection, and what LLVM wrote to standard error meanwhile. */
typedef struct lj_llvm_run {
    bool gave_up; /* LLVM called exit or abort; what it had in hand is lost */
    size_t length;
    char words[LJ_LLVM_WORDS];
} lj_llvm_run;

/* Calls body(state). When LLVM means to end the process in there, or crashes, or uses more than
 * `cpu_seconds` (0: no limit), the run ends, with run->gave_up set: everything that LLVM had
 * allocated is abandoned, never touched again. */
void lj_llvm_protect(lj_llvm_run *run, unsigned cpu_seconds, void (*body)(void *state),
                     void *state);

/* Around each protected run; when the process is ending, none may begin (llvm_rest.c). */
bool lj_llvm_run_begins(void);
void lj_llvm_run_ends(void);

/* How long LLVM may take to read a module: thousands of times what a sound one takes, for bitcode;
 * no limit for text. */
unsigned lj_llvm_reading_limit(const char *bytes, size_t length);

/* Functions of other libraries that libllvmlite is to call by these replacements. */
typedef struct lj_llvm_hook {
    const char *name;
    void *replacement;
    bool required; /* LLVM is not to be trusted without it */
} lj_llvm_hook;

enum { LJ_LLVM_HOOKS = 8 };
extern const lj_llvm_hook lj_llvm_hooks[LJ_LLVM_HOOKS];

/* LLVM asks for more memory than there is: ends the protected run, or else the process. */
void lj_llvm_no_memory(void);

/* A pass builder, and its callbacks, NULL when they can't be told (llvm_builder.c). */
typedef struct lj_llvm_builder {
    void *builder;
    void *callbacks;
} lj_llvm_builder;

lj_llvm_builder lj_llvm_builder_new(void *machine, void *tuning);
void lj_llvm_builder_dispose(lj_llvm_builder builder);
/* libllvmlite's `operator new`. */
void *lj_llvm_operator_new(size_t size);

/* From now on a fault in [start, end), LLVM's code, ends the protected run that it happens in. */
lj_status lj_llvm_catch_faults(uintptr_t start, uintptr_t end, lj_fault *fault);

bool lj_llvm_is_bitcode(const char *bytes, size_t length);

/* Reads a module, text or bitcode by its magic. NULL with *status and the fault set when LLVM
 * can't. */
void *lj_llvm_read(void *context, const char *bytes, size_t length, lj_fault *fault,
                   lj_status *status);

struct lj_llvm_config {
    uint64_t id; /* never reused */
    lj_llvm_options options;
    char *layout;
    char *arch; /* LLVM's name of the triple's architecture */
};

/* This thread's machine for the configuration, made at need, kept until the thread ends or others
 * push it out. NULL when LLVM makes none. */
void *lj_llvm_machine(const lj_llvm_config *config);
/* Forgets this thread's machine: LLVM gave up while it was in use. */
void lj_llvm_machine_abandon(const lj_llvm_config *config);

#endif
