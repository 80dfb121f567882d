/* Which threads take the program's signals, and when not.
 *
 * A handler may be JIT'd code, may call what isn't compiled yet, and so may wait for the pool.
 * Hence two rules. The pool's threads take no signals: what their handler waited for, they would
 * have to make, with LLVM's locks held; and a signal that every thread of the program's blocks has
 * to stay pending. And where a thread of the program's holds what the pool needs, it takes none
 * until it has let go.
 *
 * Signals that an instruction raises (faults) are never held: on a pool thread they are LLVM's, and
 * `llvm_protect.c` wants them, as it does SIGXCPU, its timer.
 */
#ifndef LAZYJIT_SIGNALS_H
#define LAZYJIT_SIGNALS_H

#include <stdint.h>

/* cffi: begin */
typedef struct lj_signals {
    uint64_t bits[16];
} lj_signals;

/* The calling thread takes no signals but faults; `before` is what it took, for lj_signals_release.
 * Threads that it starts inherit that. */
void lj_signals_hold(lj_signals *before);
void lj_signals_release(const lj_signals *before);
/* For a new pool thread: no signals but faults, whatever its parent took. */
void lj_signals_take_faults_only(void);
/* cffi: end */

#endif
