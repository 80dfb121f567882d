// Uses a member of an archive that has a constructor.
#include <stdio.h>

int registry_sum(void);
int main(void) {
    printf("%d\n", registry_sum());
    return 0;
}
