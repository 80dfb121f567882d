/* Signals beside compile threads: what every thread of the program blocks stays pending, and
 * handlers call what was never called before, whatever they interrupt: other first calls, forks. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t handled, on_main;
static pid_t main_thread;

#define FUNCTION(n)                                                                                \
    __attribute__((noinline)) static int f##n(int x) {                                             \
        volatile int y = x;                                                                        \
        return y * 3 + n;                                                                          \
    }
#define TEN(n)                                                                                     \
    FUNCTION(n##0)                                                                                 \
    FUNCTION(n##1)                                                                                 \
    FUNCTION(n##2) FUNCTION(n##3) FUNCTION(n##4) FUNCTION(n##5) FUNCTION(n##6) FUNCTION(n##7)      \
        FUNCTION(n##8) FUNCTION(n##9)
TEN(1)
TEN(2)
TEN(3) TEN(4)
#define NAMES(n)                                                                                   \
    f##n##0, f##n##1, f##n##2, f##n##3, f##n##4, f##n##5, f##n##6, f##n##7, f##n##8, f##n##9
    static int (*const functions[])(int) = {NAMES(1), NAMES(2), NAMES(3), NAMES(4)};
enum { COUNT = sizeof functions / sizeof *functions };

static void on_signal(int number) {
    int turn = handled++ % COUNT;
    if (functions[COUNT - 1 - turn](number) != number * 3 + 10 + COUNT - 1 - turn)
        abort();
    on_main += gettid() == main_thread;
}

int main(void) {
    main_thread = gettid();
    sigset_t mine, pending;
    sigemptyset(&mine);
    sigaddset(&mine, SIGUSR1);
    sigaddset(&mine, SIGUSR2);
    sigprocmask(SIG_BLOCK, &mine, NULL);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR2); /* whose handler is the default one: the end */
    signal(SIGUSR1, on_signal);
    sigpending(&pending);
    printf("pending: %d %d, handled: %d\n", sigismember(&pending, SIGUSR1),
           sigismember(&pending, SIGUSR2), (int)handled);
    signal(SIGUSR2, SIG_IGN);
    sigprocmask(SIG_UNBLOCK, &mine, NULL);
    printf("handled: %d\n", (int)handled);

    signal(SIGALRM, on_signal);
    struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &often, NULL);
    int sum = 0, statuses = 0;
    for (int i = 0; i < COUNT; i++) {
        sum += functions[i](i);
        if (i % 4)
            continue;
        pid_t child = fork();
        if (child == 0)
            _exit(functions[(i * 7 + 3) % COUNT](1) & 63);
        int status;
        while (waitpid(child, &status, 0) < 0)
            ;
        statuses += WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
    }
    setitimer(ITIMER_REAL, &never, NULL);
    printf("sum: %d, statuses: %d, all on main: %d\n", sum, statuses, on_main == handled);
    return 0;
}
