/* Masks of signals: signals.h says what for. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "signals.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

_Static_assert(sizeof(lj_signals) == sizeof(sigset_t), "lj_signals has room for a mask");

static void all_but_faults(sigset_t *mask) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGXCPU};
    sigfillset(mask);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(mask, faults[i]);
}

void lj_signals_hold(lj_signals *before) {
    sigset_t mask, old;
    all_but_faults(&mask);
    pthread_sigmask(SIG_BLOCK, &mask, &old);
    memcpy(before, &old, sizeof old);
}

void lj_signals_release(const lj_signals *before) {
    sigset_t mask;
    memcpy(&mask, before, sizeof mask);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

void lj_signals_take_faults_only(void) {
    sigset_t mask;
    all_but_faults(&mask);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
}
