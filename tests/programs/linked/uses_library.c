// Calls a shared library, writes its data, and has an entry beside main.
#include <stdio.h>

extern int library_value;
int library_function(int x);

int other_entry(int argc, char **argv) {
    printf("other entry %d %s\n", argc, argc > 1 ? argv[1] : "-");
    return 12;
}
int main(void) {
    printf("%d\n", library_function(6));
    library_value = 7;
    printf("%d\n", library_function(6));
    return 0;
}
