/* Around each of the three: the GIL, CPython's own hooks (which run `os.register_at_fork`'s), and
 * afterwards the hooks of the side that this is.
 *
 * Which side it is, the process's number tells: daemon() answers in the child only, and with -1 in
 * either when something failed.
 */
#include <Python.h> /* first, as it demands */

#include "fork.h"

#include "signals.h"

#include <errno.h>
#include <pty.h>
#include <string.h>
#include <unistd.h>

/* A fork under way. Without an interpreter (it may have been finalized) nobody is told. Signals are
 * held: a handler that calls something for the first time would wait for a pool that is at rest. */
typedef struct around {
    lj_signals signals;
    PyGILState_STATE gil;
    pid_t parent;
    int told;
} around;

static void before(around *around) {
    around->parent = getpid();
    around->told = Py_IsInitialized();
    if (!around->told)
        return;
    lj_signals_hold(&around->signals);
    around->gil = PyGILState_Ensure();
    PyOS_BeforeFork();
}

static void after(const around *around) {
    if (!around->told)
        return;
    int saved = errno;
    if (getpid() == around->parent)
        PyOS_AfterFork_Parent();
    else
        PyOS_AfterFork_Child();
    PyGILState_Release(around->gil);
    lj_signals_release(&around->signals);
    errno = saved;
}

static pid_t jit_fork(void) {
    around around;
    before(&around);
    pid_t child = fork();
    after(&around);
    return child;
}

static int jit_daemon(int stay, int keep_streams) {
    around around;
    before(&around);
    int status = daemon(stay, keep_streams);
    after(&around);
    return status;
}

static int jit_forkpty(int *leader, char *name, const struct termios *settings,
                       const struct winsize *size) {
    around around;
    before(&around);
    pid_t child = forkpty(leader, name, settings, size);
    after(&around);
    return child;
}

void lj_fork_symbols_get(lj_fork_symbols *out) {
    pid_t (*const plain)(void) = jit_fork;
    int (*const to_background)(int, int) = jit_daemon;
    int (*const with_terminal)(int *, char *, const struct termios *, const struct winsize *) =
        jit_forkpty;
    memcpy(&out->fork, &plain, sizeof plain);
    memcpy(&out->daemon, &to_background, sizeof to_background);
    memcpy(&out->forkpty, &with_terminal, sizeof with_terminal);
}
