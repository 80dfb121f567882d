// A member of an archive that nothing asks for: it must never be linked, and its constructor not run.
#include <stdio.h>
#include <stdlib.h>

int unneeded(void) { return 1; }
extern int nobody_defines_this(void);
int (*unneeded_pointer)(void) = nobody_defines_this;
__attribute__((constructor)) static void construct(void) {
    puts("unneeded constructed");
    abort();
}
