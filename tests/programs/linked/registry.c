// An archive's member whose constructor must have run before any function of it is used, although the
// member is linked only when somebody needs it; and whose destructor runs at the end.
#include <stdio.h>

static int entries[8], count;
int registry_sum(void) {
    int sum = 0;
    for (int i = 0; i < count; i++)
        sum += entries[i];
    return sum;
}
__attribute__((constructor)) static void fill(void) {
    for (int i = 1; i <= 5; i++)
        entries[count++] = i * 10;
}
__attribute__((destructor)) static void report(void) { printf("registry closed with %d\n", count); }
