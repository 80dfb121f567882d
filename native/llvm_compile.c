/* The way of one unit: parse in a fresh context, verify, optimize, emit.
 *
 * All of it runs under protection (llvm_protect.c): wherever LLVM gives up, the unit fails with
 * LLVM's words and the stage it was in, and nothing of it is touched again.
 */
#define _GNU_SOURCE
#include "llvm_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef enum { PARSING, VERIFYING, OPTIMIZING, EMITTING } stage;

typedef struct unit {
    const lj_llvm_config *config;
    const char *text;
    size_t length;
    int kind;
    lj_object *out;
    lj_fault *fault;
    lj_status status;
    stage stage;
    void *context, *module;
} unit;

static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* The module gets this configuration's triple and layout before anything looks at them. A module
 * for another architecture is refused: its layout and intrinsics would only fail later, and worse.
 * One for an "unknown" architecture, which llvmlite's builder writes when it isn't told, is for
 * any.
 */
static lj_status retarget(const lj_llvm_config *config, void *module, lj_fault *fault) {
    const char *triple = NULL, *layout = NULL;
    lj_llvm.GetTarget(module, &triple);
    if (strcmp(triple, config->options.triple)) {
        if (*triple && strncmp(triple, "unknown", strlen("unknown"))) {
            const char *arch, *vendor, *os, *environment;
            lj_llvm.GetTripleParts(triple, &arch, &vendor, &os, &environment);
            bool same = !strcmp(arch, config->arch);
            lj_llvm.DisposeString(arch);
            lj_llvm.DisposeString(vendor);
            lj_llvm.DisposeString(os);
            lj_llvm.DisposeString(environment);
            if (!same)
                return lj_fail(fault, LJ_LLVM_TARGET, 0, 0, "the module is for %s, not for %s",
                               triple, config->options.triple);
        }
        lj_llvm.SetTarget(module, config->options.triple);
    }
    lj_llvm.GetDataLayout(module, &layout);
    if (strcmp(layout, config->layout))
        lj_llvm.SetDataLayout(module, config->layout);
    return LJ_OK;
}

/* What LLVM's code generator leaves to the pipeline even at -O0. */
static bool needs_pipeline(const char *text, size_t length) {
    static const char *const signs[] = {"alwaysinline", "llvm.coro."};
    if (lj_llvm_is_bitcode(text, length))
        return true;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (memmem(text, length, signs[i], strlen(signs[i])))
            return true;
    return false;
}

/* LLVM's default pipeline at the level, tuned as clang tunes it. The pass builder is new each time:
 * llvmlite registers instrumentation in it that dies with the run; and so is the pipeline: its
 * inliner moves its passes away when it runs. */
static void optimize(const lj_llvm_options *options, void *machine, void *module) {
    void *tuning = lj_llvm.CreatePipelineTuningOptions();
    lj_llvm.PTOSetLoopUnrolling(tuning, options->loop_unroll);
    lj_llvm.PTOSetLoopInterleaving(tuning, options->loop_unroll);
    lj_llvm.PTOSetLoopVectorization(tuning, options->loop_vectorize);
    lj_llvm.PTOSetSLPVectorization(tuning, options->slp_vectorize);
    lj_llvm_builder builder = lj_llvm_builder_new(machine, tuning);
    void *passes = lj_llvm.buildPerModuleDefaultPipeline(builder.builder, options->opt_level);
    lj_llvm.RunNewModulePassManager(passes, module, builder.builder);
    lj_llvm.DisposeNewModulePassManger(passes);
    lj_llvm_builder_dispose(builder);
    lj_llvm.DisposePipelineTuningOptions(tuning);
}

static lj_status compile_module(unit *unit, void *machine, void *module) {
    const lj_llvm_options *options = &unit->config->options;
    lj_object *out = unit->out;
    lj_status status = retarget(unit->config, module, unit->fault);
    if (status)
        return status;

    uint64_t start = now_ns();
    if (options->opt_level > 0 || needs_pipeline(unit->text, unit->length)) {
        unit->stage = OPTIMIZING;
        optimize(options, machine, module);
        out->optimize_ns = now_ns() - start;
    }

    unit->stage = EMITTING;
    start = now_ns();
    const char *message = NULL;
    out->buffer =
        lj_llvm.TargetMachineEmitToMemory(machine, module, unit->kind == LJ_EMIT_OBJECT, &message);
    out->emit_ns = now_ns() - start;
    if (!out->buffer) {
        status = lj_fail(unit->fault, LJ_LLVM_EMIT, 0, 0, "%s", message ? message : "");
        lj_llvm.DisposeString(message);
        return status;
    }
    out->data = lj_llvm.GetBufferStart(out->buffer);
    out->size = lj_llvm.GetBufferSize(out->buffer);
    return LJ_OK;
}

static lj_status verify(void *module, lj_fault *fault) {
    char *message = NULL;
    lj_status status = LJ_OK;
    if (lj_llvm.VerifyModule(module, &message))
        status = lj_fail(fault, LJ_LLVM_VERIFY, 0, 0, "%s", message ? message : "");
    if (message)
        lj_llvm.DisposeString(message);
    return status;
}

static void read_unit(void *data) {
    unit *unit = data;
    uint64_t start = now_ns();
    unit->context = lj_llvm.ContextCreate();
    unit->module =
        lj_llvm_read(unit->context, unit->text, unit->length, unit->fault, &unit->status);
    unit->stage = VERIFYING;
    if (unit->module && unit->config->options.verify)
        unit->status = verify(unit->module, unit->fault);
    unit->out->parse_ns = now_ns() - start;
}

static void compile_unit(void *data) {
    unit *unit = data;
    if (!unit->status) {
        void *machine = lj_llvm_machine(unit->config);
        unit->status = machine ? compile_module(unit, machine, unit->module)
                               : lj_fail(unit->fault, LJ_LLVM_TARGET, 0, 0, "no machine");
    }
    uint64_t start = now_ns();
    if (unit->module)
        lj_llvm.DisposeModule(unit->module);
    lj_llvm.ContextDispose(unit->context);
    unit->out->emit_ns += now_ns() - start;
}

/* A unit on which LLVM gave up. Its parser runs the verifier when there is debug info, and gives up
 * itself on what the verifier finds. */
static lj_status gave_up(const unit *unit, const lj_llvm_run *run) {
    const char *words = run->length ? run->words : "LLVM gave up without a word";
    if (unit->stage >= OPTIMIZING)
        return lj_fail(unit->fault, LJ_LLVM_EMIT, 0, 0, "%s", words);
    bool broken = strstr(words, "Broken module found") != NULL;
    return lj_fail(unit->fault, broken || unit->stage == VERIFYING ? LJ_LLVM_VERIFY : LJ_LLVM_PARSE,
                   0, 0, "%s", words);
}

lj_status lj_llvm_compile(const lj_llvm_config *config, const char *text, size_t length, int kind,
                          lj_object *out, lj_fault *fault) {
    memset(out, 0, sizeof *out);
    lj_status status = lj_llvm_ready(fault);
    if (status)
        return status;
    unit unit = {
        .config = config, .text = text, .length = length, .kind = kind, .out = out, .fault = fault};
    lj_llvm_run reading, building;
    lj_llvm_protect(&reading, lj_llvm_reading_limit(text, length), read_unit, &unit);
    if (reading.gave_up)
        return gave_up(&unit, &reading);
    lj_llvm_protect(&building, 0, compile_unit, &unit);
    if (building.gave_up) {
        lj_llvm_machine_abandon(config);
        memset(out, 0, sizeof *out); /* a buffer, if any, is LLVM's ruin */
        return gave_up(&unit, &building);
    }
    if (reading.length + building.length && !unit.status &&
        asprintf(&out->warnings, "%s%s", reading.words, building.words) < 0)
        out->warnings = NULL; /* they are a courtesy */
    return unit.status;
}

void lj_object_free(lj_object *object) {
    if (object->buffer)
        lj_llvm.DisposeMemoryBuffer(object->buffer);
    free(object->warnings);
    memset(object, 0, sizeof *object);
}
