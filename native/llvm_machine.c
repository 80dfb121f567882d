/* Target configurations, and each thread's target machines.
 *
 * A target machine is LLVM's knowledge of one CPU under one set of options. Making one costs a good
 * part of a millisecond with its first use, and two threads must not use one at once, so each
 * thread keeps the few that it used last. A configuration has a number of its own that is never
 * reused: a thread finds its machine by it, and a machine whose configuration is gone is pushed out
 * in time, or freed when its thread ends.
 */
#include "llvm_private.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 4 };

typedef struct machines {
    struct {
        uint64_t id;
        void *machine;
    } slots[KEPT]; /* the latest first */
} machines;

static _Thread_local machines *mine;
static pthread_key_t at_thread_exit = PTHREAD_KEYS_MAX; /* until made: no thread has a value */
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static atomic_uint_fast64_t next_id = 1, alive;

uint64_t lj_llvm_machines(void) {
    return atomic_load(&alive);
}

static void dispose(void *machine) {
    lj_llvm.DisposeTargetMachine(machine);
    atomic_fetch_sub(&alive, 1);
}

static void free_machines(void *data) {
    machines *kept = data;
    for (int i = 0; i < KEPT && kept->slots[i].machine; i++)
        dispose(kept->slots[i].machine);
    free(kept);
    mine = NULL;
}

static void make_key(void) {
    pthread_key_create(&at_thread_exit, free_machines);
}

static void *make_machine(const lj_llvm_options *options) {
    const char *message = NULL;
    void *target = lj_llvm.GetTargetFromTriple(options->triple, &message);
    if (!target) {
        lj_llvm.DisposeString(message);
        return NULL;
    }
    void *machine = lj_llvm.CreateTargetMachine(
        target, options->triple, options->cpu, options->features, options->codegen_level,
        options->relocation_model, options->code_model, /*print_mc=*/0, /*jit=*/1, /*abi=*/"");
    if (machine)
        atomic_fetch_add(&alive, 1);
    return machine;
}

void *lj_llvm_machine(const lj_llvm_config *config) {
    if (!mine) {
        pthread_once(&key_once, make_key);
        mine = calloc(1, sizeof *mine);
        if (!mine)
            return NULL;
        pthread_setspecific(at_thread_exit, mine);
    }
    int at = 0;
    while (at < KEPT && mine->slots[at].machine && mine->slots[at].id != config->id)
        at++;
    void *machine = at < KEPT && mine->slots[at].machine ? mine->slots[at].machine
                                                         : make_machine(&config->options);
    if (!machine)
        return NULL;
    if (at == KEPT)
        dispose(mine->slots[--at].machine);
    memmove(&mine->slots[1], &mine->slots[0], (size_t)at * sizeof mine->slots[0]);
    mine->slots[0].id = config->id;
    mine->slots[0].machine = machine;
    return machine;
}

void lj_llvm_machine_abandon(const lj_llvm_config *config) {
    for (int at = 0; mine && at < KEPT; at++) {
        if (!mine->slots[at].machine || mine->slots[at].id != config->id)
            continue;
        memmove(&mine->slots[at], &mine->slots[at + 1],
                (size_t)(KEPT - 1 - at) * sizeof mine->slots[0]);
        mine->slots[KEPT - 1].machine = NULL;
        atomic_fetch_sub(&alive, 1);
        return;
    }
}

/* ---- configurations ---- */

typedef struct probe {
    lj_llvm_config *config;
    const char *message; /* LLVM's, when there is no target */
    bool made;
} probe;

static void probe_target(void *data) {
    probe *state = data;
    lj_llvm_config *config = state->config;
    if (!lj_llvm.GetTargetFromTriple(config->options.triple, &state->message))
        return;
    void *machine = lj_llvm_machine(config);
    if (!machine)
        return;
    void *layout = lj_llvm.CreateTargetMachineData(machine);
    lj_llvm.CopyStringRepOfTargetData(layout, &config->layout);
    lj_llvm.DisposeTargetData(layout);

    const char *arch, *vendor, *os, *environment;
    lj_llvm.GetTripleParts(config->options.triple, &arch, &vendor, &os, &environment);
    config->arch = (char *)arch;
    lj_llvm.DisposeString(vendor);
    lj_llvm.DisposeString(os);
    lj_llvm.DisposeString(environment);
    state->made = true;
}

static bool copy_options(lj_llvm_options *to, const lj_llvm_options *from) {
    *to = *from;
    to->triple = strdup(from->triple);
    to->cpu = strdup(from->cpu);
    to->features = strdup(from->features);
    to->relocation_model = strdup(from->relocation_model);
    to->code_model = strdup(from->code_model);
    return to->triple && to->cpu && to->features && to->relocation_model && to->code_model;
}

lj_status lj_llvm_config_new(const lj_llvm_options *options, lj_llvm_config **out,
                             lj_fault *fault) {
    lj_status status = lj_llvm_ready(fault);
    if (status)
        return status;
    if (options->opt_level < 0 || options->opt_level > 3 || options->codegen_level < 0 ||
        options->codegen_level > 3)
        return lj_fail(fault, LJ_MISUSE, 0, 0, "optimization levels are 0 to 3");
    lj_llvm_config *config = calloc(1, sizeof *config);
    if (!config)
        return lj_fail(fault, LJ_NO_MEMORY, 0, 0, "a target configuration");
    if (!copy_options(&config->options, options)) {
        lj_llvm_config_free(config);
        return lj_fail(fault, LJ_NO_MEMORY, 0, 0, "a target configuration");
    }
    config->id = atomic_fetch_add(&next_id, 1);

    probe state = {.config = config};
    lj_llvm_run run;
    lj_llvm_protect(&run, 0, probe_target, &state);
    if (run.gave_up)
        lj_llvm_machine_abandon(config);
    /* LLVM warns of a CPU or feature that it does not know, and goes on without it. */
    if (!state.made || run.gave_up || run.length) {
        status = lj_fail(fault, LJ_LLVM_TARGET, 0, 0, "%s",
                         run.length      ? run.words
                         : state.message ? state.message
                                         : options->triple);
        lj_llvm.DisposeString(state.message);
        lj_llvm_config_free(config);
        return status;
    }
    *out = config;
    return LJ_OK;
}

void lj_llvm_config_free(lj_llvm_config *config) {
    if (!config)
        return;
    free((char *)config->options.triple);
    free((char *)config->options.cpu);
    free((char *)config->options.features);
    free((char *)config->options.relocation_model);
    free((char *)config->options.code_model);
    if (config->layout)
        lj_llvm.DisposeString(config->layout);
    if (config->arch)
        lj_llvm.DisposeString(config->arch);
    free(config);
}

const char *lj_llvm_config_layout(const lj_llvm_config *config) {
    return config->layout;
}
