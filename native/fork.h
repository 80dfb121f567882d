/* What forks, for JIT'd code: fork, daemon, forkpty, with Python told before and after.
 *
 * A child has one thread and none that compiles, and shares its parent's code pages, until what
 * `os.register_at_fork` was given has run (lazyjit/forking.py). The C library's functions know
 * nothing of that. So JIT'd code gets these, which do what `os.fork` does around the same call.
 *
 * They may be called from any thread, with the GIL or without.
 */
#ifndef LAZYJIT_FORK_H
#define LAZYJIT_FORK_H

#include <stdint.h>

/* cffi: begin */
typedef struct lj_fork_symbols {
    uint64_t fork;   /* pid_t fork(void) */
    uint64_t daemon; /* int daemon(int, int) */
    uint64_t
        forkpty; /* int forkpty(int *, char *, const struct termios *, const struct winsize *) */
} lj_fork_symbols;

void lj_fork_symbols_get(lj_fork_symbols *out);
/* cffi: end */

#endif
