/* Guards: where the failure of a first call comes to the surface.
 *
 * Python calls native code through a *guard*, a thunk that puts a frame of its own between the
 * caller and the function: it saves the callee-saved registers, puts itself on the thread's list of
 * guards, copies the stack arguments, and calls. When a function below can't be had, the
 * call-through unwinds to the nearest guard's frame, running C++ cleanups on the way, and makes the
 * guard return 0 with a failure pending on the thread; the Python wrapper takes it and raises.
 *
 * A guard is an ordinary frame with unwind information: C++ exceptions, backtraces and forced
 * unwinding pass through it. All functions may be called from any thread.
 */
#ifndef LAZYJIT_GUARD_H
#define LAZYJIT_GUARD_H

#include "status.h"

/* cffi: begin */
/* A thunk that calls `target` guarded, passing on `stack_bytes` of stack arguments (an upper bound
 * will do). NO_MEMORY, SYSTEM. */
lj_status lj_guard_new(uint64_t target, uint64_t stack_bytes, uint64_t *out);
/* The caller guarantees that the thunk is not called any more. */
lj_status lj_guard_free(uint64_t thunk);
/* How many failures are pending, over all threads: what a wrapper looks at after each call. */
int32_t *lj_guard_pending(void);
/* Takes the calling thread's pending failure: its token, or 0. */
uint64_t lj_guard_take(void);
/* cffi: end */

/* Surfaces the failure `token` in the nearest guarded call of this thread. Returns only when that
 * can't be, and then why, in words. */
const char *lj_guard_raise(uint64_t token);

/* --- between guard.c, the thunks, and guard_unwind.c, the failures ------------------------- */

/* A guard's frame as it lies on the stack, the frame pointer at `caller_frame`. */
typedef struct lj_guard_frame {
    uint64_t unused;
    uint64_t cookie; /* LJ_GUARD_COOKIE ^ the address of `caller_frame` */
    uint64_t depth;  /* of the thread's list, without this guard */
    uint64_t r15, r14, r13, r12, rbx;
    uint64_t caller_frame;
    uint64_t return_address;
} lj_guard_frame;

#define LJ_GUARD_COOKIE 0x6c6a677561726421

/* The thread's guards, the newest last, as the frame pointers that they run with. Not on the stack:
 * a program's longjmp may skip guards, and their frames are then overwritten. */
typedef struct lj_guard_list {
    uint64_t depth, capacity;
    uint64_t *frames;
} lj_guard_list;

extern __thread lj_guard_list lj_guards
    __attribute__((visibility("hidden"), tls_model("initial-exec")));
/* The code of a guard: a return address in it is a guard's frame. */
extern const char lj_guard_enter[] __attribute__((visibility("hidden")));
extern const char lj_guard_end[] __attribute__((visibility("hidden")));
/* Lets the guard with this frame pointer return 0. */
_Noreturn void lj_guard_abandon(uint64_t frame) __attribute__((visibility("hidden")));

#endif
