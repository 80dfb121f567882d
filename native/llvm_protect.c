/* Protected runs: how LLVM is kept from ending the process.
 *
 * LLVM reports what it can't return as an error (an inline assembly operand that does not exist, an
 * instruction that can't be selected, a body that the verifier rejects behind debug info, ...) by
 * printing it to standard error and calling exit(1) or abort(). Its own remedy, a handler installed
 * in C++, is not among the functions that libllvmlite exports. But a shared library's calls of
 * others go through pointers of its own, and llvm_bind.c aims some of them at the functions below:
 *
 *   exit, abort, __assert_fail   inside a protected run, jump back to where the run began
 *   the throwing of length_error and bad_alloc, likewise
 *   operator new                 see llvm_builder.c
 *   write                        inside a protected run, what goes to standard error is kept
 *   setlocale                    inside a protected run, ignored: llvmlite's printer sets the
 * locale of the whole process to "C" and back, which other threads see, and which two printing
 * threads get wrong
 *
 * Garbled input can also make LLVM crash, or recurse until the stack ends. A fault that a protected
 * run takes inside libllvmlite's own code ends the run likewise; any other fault goes to whoever
 * handled it before. (A fault in libc is not ours to survive: malloc may be holding a lock.) The
 * handler has a stack of its own on each thread, or else an exhausted stack could not be told.
 * And garbled bitcode can send LLVM's reader around in circles, so that a run may have a limit: a
 * timer on the thread's CPU clock, whose signal is treated as a fault once it finds LLVM's code
 * running.
 *
 * Outside of a protected run, and so for every other user of llvmlite, each behaves as before.
 *
 * Jumping over LLVM's frames skips their destructors: the unit's context, its module and the target
 * machine are abandoned, and about a megabyte leaks. LLVM's own CrashRecoveryContext, with which
 * clang runs its compiler in process, strikes the same bargain.
 */
#define _GNU_SOURCE
#undef NDEBUG /* with it, assert.h does not declare __assert_fail */
#include "llvm_private.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static atomic_uint_fast64_t recoveries;

uint64_t lj_llvm_recoveries(void) {
    return atomic_load(&recoveries);
}

typedef struct protection {
    jmp_buf back;
    lj_llvm_run *run;
    struct protection *outer;
} protection;

/* Initial-exec: the handler reads it on threads that never ran LLVM, where the first access of a
 * dynamic one might call malloc. */
static _Thread_local __attribute__((tls_model("initial-exec"))) protection *innermost;

static void keep_words(lj_llvm_run *run, const char *words, size_t length) {
    size_t room = LJ_LLVM_WORDS - 1 - run->length;
    size_t taken = length < room ? length : room;
    memcpy(run->words + run->length, words, taken);
    run->length += taken;
    run->words[run->length] = '\0';
}

/* ---- what the pointers of libllvmlite point to ---- */

static void hooked_exit(int code) {
    if (innermost)
        _longjmp(innermost->back, 1);
    exit(code);
}

static void hooked_abort(void) {
    if (innermost)
        _longjmp(innermost->back, 1);
    abort();
}

static void hooked_assert(const char *condition, const char *file, unsigned line,
                          const char *function) {
    if (!innermost)
        __assert_fail(condition, file, line, function);
    char words[512];
    int length = snprintf(words, sizeof words, "assertion failed: %s (%s)", condition, function);
    keep_words(innermost->run, words,
               length < (int)sizeof words ? (size_t)length : sizeof words - 1);
    _longjmp(innermost->back, 1);
}

/* Of std::vector and its like: a size that no memory could hold. Nothing in LLVM catches it. */
void lj_llvm_no_memory(void) {
    static const char words[] = "LLVM asked for more memory than there can be";
    if (!innermost)
        abort();
    keep_words(innermost->run, words, sizeof words - 1);
    _longjmp(innermost->back, 1);
}

static ssize_t hooked_write(int fd, const void *bytes, size_t length) {
    if (!innermost || fd != STDERR_FILENO)
        return write(fd, bytes, length);
    keep_words(innermost->run, bytes, length);
    return (ssize_t)length;
}

static char *hooked_setlocale(int category, const char *locale) {
    static char c_locale[] = "C";
    return innermost ? c_locale : setlocale(category, locale);
}

const lj_llvm_hook lj_llvm_hooks[LJ_LLVM_HOOKS] = {
    {"exit", (void *)hooked_exit, true},
    {"abort", (void *)hooked_abort, true},
    {"write", (void *)hooked_write, true},
    {"__assert_fail", (void *)hooked_assert, false}, /* in builds with assertions */
    {"setlocale", (void *)hooked_setlocale, false},
    {"_ZSt20__throw_length_errorPKc", (void *)lj_llvm_no_memory, false},
    {"_ZSt17__throw_bad_allocv", (void *)lj_llvm_no_memory, false},
    {"_Znwm", (void *)lj_llvm_operator_new, false},
};

/* ---- faults ---- */

static const struct {
    int number;
    const char *words;
} faults[] = {
    {SIGSEGV, "LLVM crashed: segmentation fault"}, {SIGBUS, "LLVM crashed: bus error"},
    {SIGILL, "LLVM crashed: illegal instruction"}, {SIGFPE, "LLVM crashed: arithmetic error"},
    {SIGXCPU, "LLVM did not come to an end"},
};
enum { FAULTS = sizeof faults / sizeof *faults, NEAR = 64 << 10 };

static struct sigaction before[FAULTS];
static uintptr_t code_start, code_end; /* libllvmlite's */

/* Whether this is the timer that a protected run has set, now or lately, on this thread. */
static bool is_own_timer(int number, const siginfo_t *info) {
    return number == SIGXCPU && info->si_code == SI_TIMER && info->si_value.sival_ptr == &innermost;
}

/* As if this handler had never been installed. */
static void pass_on(int at, int number, siginfo_t *info, void *context) {
    bool fault = number != SIGXCPU && info->si_code > 0;
    if (before[at].sa_flags & SA_SIGINFO)
        before[at].sa_sigaction(number, info, context);
    else if (before[at].sa_handler != SIG_DFL && before[at].sa_handler != SIG_IGN)
        before[at].sa_handler(number);
    else if (fault)
        signal(number,
               SIG_DFL); /* the instruction runs again on return; a fault can't be ignored */
    else if (before[at].sa_handler == SIG_DFL) {
        signal(number, SIG_DFL);
        raise(number);
    }
}

static void on_fault(int number, siginfo_t *info, void *data) {
    int at = 0;
    while (faults[at].number != number)
        at++;
    const ucontext_t *context = data;
    uintptr_t pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    bool in_llvm = innermost && pc - code_start < code_end - code_start;
    bool own_timer = is_own_timer(number, info);
    /* si_code > 0: the kernel raised it, on the thread whose instruction it was. */
    bool own_fault = number != SIGXCPU && info->si_code > 0;
    if (in_llvm && (own_timer || own_fault)) {
        uintptr_t stack = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
        bool exhausted = number == SIGSEGV && (uintptr_t)info->si_addr - stack + NEAR < 2 * NEAR;
        const char *words = exhausted ? "LLVM exhausted the thread's stack" : faults[at].words;
        keep_words(innermost->run, words, strlen(words));
        _longjmp(innermost->back, 1);
    }
    if (!own_timer) /* that one rings again in a moment */
        pass_on(at, number, info, data);
}

lj_status lj_llvm_catch_faults(uintptr_t start, uintptr_t end, lj_fault *fault) {
    code_start = start;
    code_end = end;
    for (int at = 0; at < FAULTS; at++) {
        /* NODEFER: the jump out of the handler must not leave the signal blocked. */
        struct sigaction action = {.sa_sigaction = on_fault,
                                   .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
        sigemptyset(&action.sa_mask);
        if (sigaction(faults[at].number, NULL, &before[at]) ||
            sigaction(faults[at].number, &action, NULL))
            return lj_fail(fault, LJ_SYSTEM, 0, (uint64_t)errno, "sigaction: %s", strerror(errno));
    }
    return LJ_OK;
}

/* ---- a thread's second stack ---- */

enum { SIGNAL_STACK = 64 << 10 }; /* the frame alone has 11 KiB with AMX state */

static _Thread_local bool has_signal_stack;
static pthread_key_t at_thread_exit = PTHREAD_KEYS_MAX; /* until made: no thread has a value */
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void free_signal_stack(void *memory) {
    stack_t current, none = {.ss_flags = SS_DISABLE};
    if (!sigaltstack(NULL, &current) && current.ss_sp == memory)
        sigaltstack(&none, NULL);
    munmap(memory, SIGNAL_STACK);
}

static void make_key(void) {
    pthread_key_create(&at_thread_exit, free_signal_stack);
}

/* Once a thread. Without memory for it, an exhausted stack ends the process as it would have. */
static void ensure_signal_stack(void) {
    has_signal_stack = true;
    stack_t current;
    if (sigaltstack(NULL, &current) || !(current.ss_flags & SS_DISABLE))
        return; /* somebody else's serves as well */
    void *memory = mmap(NULL, SIGNAL_STACK, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return;
    stack_t mine = {.ss_sp = memory, .ss_size = SIGNAL_STACK};
    pthread_once(&key_once, make_key);
    if (sigaltstack(&mine, NULL) || pthread_setspecific(at_thread_exit, memory))
        munmap(memory, SIGNAL_STACK);
}

/* ---- the run ---- */

/* NULL when the system has no timer to give: the run is unlimited then. */
static bool start_timer(timer_t *timer, unsigned seconds) {
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGXCPU};
    event.sigev_value.sival_ptr = &innermost;
    event._sigev_un._tid = gettid();
    if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, timer))
        return false;
    struct itimerspec when = {.it_value.tv_sec = seconds, .it_interval.tv_nsec = 10000000};
    if (!timer_settime(*timer, 0, &when, NULL))
        return true;
    timer_delete(*timer);
    return false;
}

void lj_llvm_protect(lj_llvm_run *run, unsigned cpu_seconds, void (*body)(void *state),
                     void *state) {
    if (!has_signal_stack)
        ensure_signal_stack();
    run->gave_up = false;
    run->length = 0;
    run->words[0] = '\0';
    if (!lj_llvm_run_begins()) {
        run->gave_up = true;
        keep_words(run, "the process is ending", 21);
        return;
    }
    timer_t timer;
    /* volatile: read after the jump back */
    volatile bool limited = cpu_seconds && start_timer(&timer, cpu_seconds);
    protection here = {.run = run, .outer = innermost};
    if (_setjmp(here.back) == 0) {
        innermost = &here;
        body(state);
    } else {
        run->gave_up = true;
        atomic_fetch_add(&recoveries, 1);
    }
    innermost = here.outer;
    if (limited)
        timer_delete(timer);
    lj_llvm_run_ends();
}
