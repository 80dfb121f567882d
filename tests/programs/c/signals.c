// Signal handlers whose first call comes from the kernel's frame: on the stack, and on a stack of
// their own; a jump out of one; and an end by exit code.
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t received, last, on_alternate;
static sigjmp_buf escape;
static char *alternate;

static void simple(int signal) {
    received++;
    last = signal;
}
static void detailed(int signal, siginfo_t *info, void *context) {
    char here;
    on_alternate = &here >= alternate && &here < alternate + (1 << 16);
    received += context != NULL;
    last = info->si_signo;
}
static void jump(int signal) { siglongjmp(escape, signal); }

int main(void) {
    signal(SIGUSR1, simple);
    raise(SIGUSR1);
    raise(SIGUSR1);
    printf("simple %d %d\n", received, last == SIGUSR1);
    alternate = malloc(1 << 16);
    stack_t stack = {.ss_sp = alternate, .ss_size = 1 << 16};
    sigaltstack(&stack, NULL);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = detailed;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGUSR2, &action, NULL);
    kill(getpid(), SIGUSR2);
    printf("detailed %d %d %d\n", received, last == SIGUSR2, on_alternate);
    signal(SIGSEGV, jump);
    volatile int faults = 0;
    if (sigsetjmp(escape, 1) == 0) {
        int *volatile nowhere = NULL;
        *nowhere = 1;
    } else {
        faults++;
    }
    signal(SIGSEGV, SIG_DFL);
    printf("faults %d\n", faults);
    signal(SIGFPE, jump);
    volatile int zero = 0, seven = 7;
    if (sigsetjmp(escape, 1) == 0)
        printf("%d\n", seven / zero);
    else
        printf("division by zero\n");
    fflush(stdout);
    _exit(17);
}
