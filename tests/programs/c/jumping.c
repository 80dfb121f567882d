// setjmp and longjmp over frames that were compiled between the one and the other.
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

static jmp_buf outer;
static int depth;

static void deeper(int n) {
    volatile char frame[256];
    frame[n & 255] = (char)n;
    depth++;
    if (n == 0)
        longjmp(outer, 42);
    deeper(n - 1);
    frame[0]++;
}

struct handler {
    jmp_buf target;
    struct handler *previous;
};
static struct handler *handlers;

static void throw(int code) {
    struct handler *h = handlers;
    handlers = h->previous;
    longjmp(h->target, code);
}

static int protect(void (*body)(int), int argument) {
    struct handler h;
    h.previous = handlers;
    int code = setjmp(h.target);
    if (code)
        return code;
    handlers = &h;
    body(argument);
    handlers = h.previous;
    return 0;
}

static void fails_if_odd(int n) {
    if (n & 1)
        throw(n);
}
static void nested(int n) {
    int code = protect(fails_if_odd, n);
    if (code)
        throw(code * 10);
}

static int resume_count;
static int restart(void) {
    static jmp_buf here;
    volatile int local = 0;
    int again = setjmp(here);
    local += again + 1;
    resume_count++;
    if (again < 3)
        longjmp(here, again + 1);
    return local;
}

int main(void) {
    int code = setjmp(outer);
    if (code == 0)
        deeper(50);
    printf("code %d depth %d\n", code, depth);
    for (int i = 0; i < 5; i++)
        printf("protect %d nested %d\n", protect(fails_if_odd, i), protect(nested, i));
    printf("restart %d %d\n", restart(), resume_count);
    sigjmp_buf with_mask;
    int value = sigsetjmp(with_mask, 1);
    if (value < 3)
        siglongjmp(with_mask, value + 1);
    printf("sigsetjmp %d\n", value);
    int failures = 0;
    for (int i = 0; i < 10000; i++)
        failures += protect(fails_if_odd, i) != 0;
    printf("failures %d\n", failures);
    return handlers != NULL;
}
