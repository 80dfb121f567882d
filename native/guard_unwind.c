/* From a failed call to the nearest guard.
 *
 * First a look, without changing anything: walk up the frames to the nearest guard's. A frame of
 * the interpreter on the way means that Python code was called back and made a native call that is
 * not guarded; unwinding through the interpreter would leave it in ruins, so there is no way then.
 * Only when the way is clear is the stack unwound, by forced unwinding, which runs the cleanups of
 * the frames between (and their `catch (...)`, which may end it).
 *
 * Where a frame without unwind information blocks the view, the thread's list of guards says where
 * the newest one is, and the rest of the way is a plain jump, like longjmp's. A program's own
 * longjmp may have skipped guards, which stay on that list; they are told by lying below the stack
 * pointer.
 */
#define _GNU_SOURCE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "guard.h"

#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <unwind.h>

/* DWARF's number for rbp. */
enum { RBP = 6 };

static int32_t pending_count;
static __thread uint64_t pending_token __attribute__((tls_model("initial-exec")));

int32_t *lj_guard_pending(void) {
    return &pending_count;
}

uint64_t lj_guard_take(void) {
    uint64_t token = pending_token;
    pending_token = 0;
    if (token)
        __atomic_sub_fetch(&pending_count, 1, __ATOMIC_RELAXED);
    return token;
}

/* --- the view ----------------------------------------------------------------------------- */

static uint64_t python_start, python_end; /* of the object that the interpreter is in */
static pthread_once_t python_found = PTHREAD_ONCE_INIT;

static int note_if_python(struct dl_phdr_info *info, size_t size, void *unused) {
    uint64_t inside = (uint64_t)Py_IsInitialized, start = UINT64_MAX, end = 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD)
            continue;
        uint64_t low = info->dlpi_addr + segment->p_vaddr, high = low + segment->p_memsz;
        start = low < start ? low : start;
        end = high > end ? high : end;
    }
    if (inside < start || inside >= end)
        return 0;
    python_start = start;
    python_end = end;
    return 1;
}

static void find_python(void) {
    dl_iterate_phdr(note_if_python, NULL);
}

/* `_start`, which calls main and exit handlers, is of the interpreter's object where that is the
 * program itself and not a library, and is no code of Python's. */
static bool in_python(struct _Unwind_Context *context) {
    uint64_t address = _Unwind_GetIP(context);
    return address >= python_start && address < python_end &&
           _Unwind_GetRegionStart(context) != getauxval(AT_ENTRY);
}

static bool in_guard(struct _Unwind_Context *context) {
    uint64_t address = _Unwind_GetIP(context);
    return address > (uint64_t)lj_guard_enter && address < (uint64_t)lj_guard_end;
}

typedef struct view {
    uint64_t guard;   /* frame pointer of the nearest guard, or 0 */
    uint64_t reached; /* how far up the stack one could see */
    bool through_python;
} view;

static _Unwind_Reason_Code look_at(struct _Unwind_Context *context, void *argument) {
    view *view = argument;
    view->reached = _Unwind_GetCFA(context);
    if (in_guard(context))
        view->guard = _Unwind_GetGR(context, RBP);
    else if (in_python(context))
        view->through_python = true;
    else
        return _URC_NO_REASON;
    return _URC_NORMAL_STOP;
}

/* The newest listed guard that lies above `reached`, which is as far as one could see, or 0. Those
 * below were skipped by a longjmp. */
static uint64_t listed_guard(uint64_t reached) {
    for (uint64_t i = lj_guards.depth; i-- > 0;) {
        uint64_t guard = lj_guards.frames[i];
        if (guard < reached)
            continue;
        const lj_guard_frame *frame =
            (lj_guard_frame *)(guard - offsetof(lj_guard_frame, caller_frame));
        return frame->cookie == (LJ_GUARD_COOKIE ^ guard) ? guard : 0;
    }
    return 0;
}

/* --- the way ------------------------------------------------------------------------------ */

/* One unwinding under way. Not on the stack, where cleanups would overwrite it, and not one for
 * the thread: a cleanup may call Python, which may fail and unwind, to a guard of its own. */
typedef struct unwinding {
    struct _Unwind_Exception exception;
    uint64_t guard, token;
} unwinding;

/* Under AddressSanitizer, which keeps a shadow of frames: they don't return. */
extern void __asan_handle_no_return(void) __attribute__((weak, visibility("default")));

static void forget_frames(void) {
    if (__asan_handle_no_return)
        __asan_handle_no_return();
}

static _Noreturn void surface(uint64_t guard, uint64_t token) {
    if (!pending_token)
        __atomic_add_fetch(&pending_count, 1, __ATOMIC_RELAXED);
    pending_token = token;
    /* The guard takes itself off the list, and with it whatever is newer. */
    forget_frames();
    lj_guard_abandon(guard);
}

static _Noreturn void arrive(unwinding *unwinding) {
    uint64_t guard = unwinding->guard, token = unwinding->token;
    free(unwinding);
    surface(guard, token);
}

/* Called for each frame, before its cleanups run. */
static _Unwind_Reason_Code stop_at_guard(int version, _Unwind_Action actions,
                                         _Unwind_Exception_Class class,
                                         struct _Unwind_Exception *exception,
                                         struct _Unwind_Context *context, void *argument) {
    unwinding *unwinding = argument;
    if ((actions & _UA_END_OF_STACK) ||
        (in_guard(context) && _Unwind_GetGR(context, RBP) == unwinding->guard))
        arrive(unwinding);
    return _URC_NO_REASON;
}

/* A `catch (...)` of the program's took the failure and did not throw it on. */
static void swallowed(_Unwind_Reason_Code reason, struct _Unwind_Exception *exception) {
    free((unwinding *)exception);
}

const char *lj_guard_raise(uint64_t token) {
    pthread_once(&python_found, find_python);
    view view = {0};
    _Unwind_Backtrace(look_at, &view);
    if (view.through_python)
        return "Python code called it, but not through lazyjit.call.NativeFunction";
    uint64_t guard = view.guard ? view.guard : listed_guard(view.reached);
    if (!guard)
        return "no Python call led here";
    unwinding *unwinding = malloc(sizeof *unwinding);
    if (!unwinding)
        surface(guard, token);
    memset(unwinding, 0, sizeof *unwinding);
    memcpy(&unwinding->exception.exception_class, "LAZYJIT", 8);
    unwinding->exception.exception_cleanup = swallowed;
    unwinding->guard = guard;
    unwinding->token = token;
    forget_frames(); /* for a `catch (...)` on the way */
    _Unwind_ForcedUnwind(&unwinding->exception, stop_at_guard, unwinding);
    arrive(unwinding); /* the unwinder gave up midway */
}
