// How long a call through a function's address takes, once it is compiled: in a lazy JIT that address
// is a stub's, which jumps to the code. Prints nanoseconds per call, the least of several batches, so
// that whatever else the machine did meanwhile is not in it.
#include <stdio.h>
#include <time.h>

__attribute__((noinline)) long callee(long x) { return x + 1; }

// Volatile, so that no optimizer knows whom it calls; never inlined, never a direct call.
long (*volatile target)(long) = callee;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(void) {
    long (*function)(long) = target;
    long x = function(0);
    double least = 1e9;
    const long calls = 2000000;
    for (int batch = 0; batch < 25; batch++) {
        double start = now();
        for (long i = 0; i < calls; i++)
            x = function(x);
        double each = (now() - start) / (double)calls;
        if (each < least)
            least = each;
    }
    printf("%.4f\n", least * 1e9);
    return x == 25 * calls + 1 ? 0 : 1;
}
