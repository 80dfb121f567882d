// The end by a signal: abort's SIGABRT must be the process's end, with what was flushed before it.
#include <stdio.h>
#include <stdlib.h>

static void judge(int argc) {
    if (argc > 0)
        abort();
}
int main(int argc, char **argv) {
    (void)argv;
    printf("before\n");
    fflush(stdout);
    judge(argc);
    printf("after\n");
    return 0;
}
