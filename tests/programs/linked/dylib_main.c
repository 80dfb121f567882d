// Names that several dylibs define: main's own come first, then the dylibs in the order given.
#include <stdio.h>

int only_in_one(void);
int only_in_two(void);
int in_both(void);
int everywhere(void) { return 1000; }

int main(void) {
    printf("%d %d %d %d\n", only_in_one(), only_in_two(), in_both(), everywhere());
    return 0;
}
