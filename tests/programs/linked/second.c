// The third file: calls back into the second, and switches over a table that the compiler makes.
#include "shared.h"

static const char *names[] = {"a", "b", "c", "d"};
static int helper(int x) { return names[x % 4][0]; }
static int identity(int x) { return x; }

int second_function(int n) {
    int total = 0;
    for (int i = 0; i < 8; i++) {
        switch (i * n % 11) {
        case 0: total += 7; break;
        case 1: total -= 3; break;
        case 2: total *= 2; break;
        case 3: total += helper(i); break;
        case 4: total ^= 0x55; break;
        case 5: total += first_function(identity, i); break;
        case 6: total /= 3; break;
        case 7: total += shared_table[i % 3]; break;
        default: total++;
        }
    }
    return total;
}
int (*table_entry(void))(function, int) { return first_function; }
