// The first of several files: calls into others, is called back, shares data with them.
#include <stdio.h>

#include "shared.h"

int shared_counter = 1;
int tentative_in_both;
int weak_here(void) { return 1; }
static int helper(int x) { return x + 1; }
static int on_event(int x) { return helper(x) * 2; }
__attribute__((constructor)) static void construct(void) { note("main constructed"); }
__attribute__((destructor)) static void destruct(void) { note("main destroyed"); }

int main(int argc, char **argv) {
    (void)argv;
    printf("%d %d\n", argc, shared_counter);
    printf("%d\n", first_function(on_event, 10));
    printf("%d\n", second_function(3));
    printf("%d %d %d\n", shared_counter, shared_table[2], tentative_in_both);
    printf("%d %d\n", weak_here(), first_function == table_entry());
    struct point p = move((struct point){1.5, 2}, 3);
    printf("%g %ld\n", p.x, p.y);
    return shared_counter;
}
