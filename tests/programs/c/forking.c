/* Children of fork: what a child calls first, handlers at its exit, grandchildren, fork from a
 * thread, vfork; and a function of one's own under the name of the C library's. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int total;

__attribute__((noinline)) static int in_child(int n) {
    return n < 2 ? n : in_child(n - 1) + in_child(n - 2);
}

__attribute__((noinline)) static int in_both(int n) {
    total += n;
    return total;
}

__attribute__((noinline)) static int in_grandchild(int n) {
    return in_child(n) + 1;
}

static void farewell(void) {
    printf("farewell with %d\n", total);
}

static int status_of(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void *forks(void *unused) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        printf("a thread's child: %d\n", in_both(in_child(7)));
        fflush(stdout);
        _exit(13);
    }
    printf("it ended with %d\n", status_of(child));
    return unused;
}

/* Not the C library's. */
int daemon(int stay, int keep_streams) {
    return 10 * stay + keep_streams;
}

int main(void) {
    atexit(farewell);
    for (int i = 0; i < 3; i++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            printf("child %d: %d\n", i, in_both(in_child(10 + i)));
            exit(i);
        }
        printf("child %d ended with %d\n", i, status_of(child));
    }
    printf("the parent's: %d\n", in_both(1));

    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        pid_t grandchild = fork();
        if (grandchild == 0)
            _exit(in_grandchild(9));
        _exit(status_of(grandchild) + in_child(5));
    }
    printf("over two: %d\n", status_of(child));

    pthread_t thread;
    pthread_create(&thread, NULL, forks, NULL);
    pthread_join(thread, NULL);

    fflush(stdout);
    child = vfork();
    if (child == 0) {
        execlp("sh", "sh", "-c", "echo from a shell; exit 9", (char *)NULL);
        _exit(1);
    }
    printf("vfork: %d\n", status_of(child));
    printf("daemon: %d\n", daemon(4, 2));
    return 0;
}
