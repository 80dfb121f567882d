// The second file: names that clash with main's where they are local, a weak definition that main's
// strong one overrides, and data in read-only and in writable sections.
#include <stdio.h>

#include "shared.h"

const int shared_table[] = {10, 20, 30};
int tentative_in_both;
__attribute__((weak)) int weak_here(void) { return 2; }
static int helper(int x) { return x + 100; }
static char log_buffer[256];

void note(const char *what) {
    snprintf(log_buffer, sizeof log_buffer, "note: %s", what);
    puts(log_buffer);
    fflush(NULL);
}
int first_function(function callback, int x) {
    shared_counter += 5;
    tentative_in_both = 77;
    return callback(x) + helper(x);
}
struct point move(struct point p, int by) {
    p.x += by;
    p.y *= by;
    return p;
}
#ifndef QUIET
__attribute__((constructor)) static void construct(void) { note("first constructed"); }
__attribute__((destructor)) static void destruct(void) { note("first destroyed"); }
#endif
