// Control flow of every kind: computed gotos over tables of labels, dense and sparse switches, tables
// of functions, Duff's device, deep recursion, and tail calls.
#include <stdio.h>
#include <string.h>

enum op { PUSH, ADD, MUL, DUP, JNZ, DEC, SWAP, OUT, HALT };

static long interpret(const int *code) {
    static const void *const labels[] = {&&push, &&add, &&mul, &&dup, &&jnz, &&dec, &&swap, &&out, &&halt};
    long stack[64], *top = stack, outputs = 0;
    const int *pc = code;
#define NEXT goto *labels[*pc++]
    NEXT;
push: *top++ = *pc++; NEXT;
add: top--; top[-1] += *top; NEXT;
mul: top--; top[-1] *= *top; NEXT;
dup: *top = top[-1]; top++; NEXT;
jnz: { int target = *pc++; if (top[-1]) pc = code + target; } NEXT;
dec: top[-1]--; NEXT;
swap: { long t = top[-1]; top[-1] = top[-2]; top[-2] = t; } NEXT;
out: outputs = outputs * 31 + *--top; NEXT;
halt: return outputs;
}

// A second function with label addresses that are differences, as position-independent tables are.
static int relative(int which) {
    static const int offsets[] = {&&zero - &&zero, &&one - &&zero, &&two - &&zero};
    goto *(&&zero + offsets[which]);
zero: return 100;
one: return 101;
two: return 102;
}

static const char *sparse(int n) {
    switch (n) {
    case -1000: return "minus thousand";
    case 0: return "zero";
    case 7: return "seven";
    case 1 << 20: return "mega";
    case 99 ... 105: return "about hundred";
    default: return "other";
    }
}

static int dense(int n) {
    switch (n) {
    case 0: return 11; case 1: return 7; case 2: return 5; case 3: return 3; case 4: return 19;
    case 5: return 2; case 6: return 23; case 7: return 13; case 8: return 17; case 9: n += 100;
    // fall through
    case 10: return n;
    default: return -1;
    }
}

static const char *day(unsigned n) {
    switch (n % 7) {
    case 0: return "Mon"; case 1: return "Tue"; case 2: return "Wed"; case 3: return "Thu";
    case 4: return "Fri"; case 5: return "Sat"; default: return "Sun";
    }
}

static void duff(char *to, const char *from, int count) {
    int n = (count + 3) / 4;
    switch (count % 4) {
    case 0: do { *to++ = *from++;
    case 3: *to++ = *from++;
    case 2: *to++ = *from++;
    case 1: *to++ = *from++;
    } while (--n > 0);
    }
}

static long f_add(long a, long b) { return a + b; }
static long f_sub(long a, long b) { return a - b; }
static long f_mul(long a, long b) { return a * b; }
static long f_div(long a, long b) { return b ? a / b : 0; }
static long (*const operations[])(long, long) = {f_add, f_sub, f_mul, f_div};
static const struct { char symbol; long (*apply)(long, long); } named[] = {
    {'+', f_add}, {'-', f_sub}, {'*', f_mul}, {'/', f_div}};

static int even(unsigned n);
static int odd(unsigned n) { return n == 0 ? 0 : even(n - 1); }
static int even(unsigned n) { return n == 0 ? 1 : odd(n - 1); }

static int collatz(unsigned long n) { return n == 1 ? 0 : 1 + collatz(n & 1 ? 3 * n + 1 : n / 2); }

static long count_down(long n, long sum) {
    if (n == 0)
        return sum;
    __attribute__((musttail)) return count_down(n - 1, sum + n);
}

int main(void) {
    int program[] = {PUSH, 1, PUSH, 10, SWAP, PUSH, 3, MUL, DUP, OUT, SWAP, DEC, JNZ, 4, HALT};
    printf("interpret %ld\n", interpret(program));
    printf("relative %d %d %d\n", relative(0), relative(1), relative(2));
    int probes[] = {-1000, 0, 7, 1 << 20, 99, 105, 106, -5};
    for (int i = 0; i < 8; i++)
        printf("%s, ", sparse(probes[i]));
    printf("\n");
    for (int i = -1; i <= 11; i++)
        printf("%d %s, ", dense(i), day((unsigned)i + 14));
    printf("\n");
    char to[32] = {0};
    duff(to, "duff's device works", 19);
    printf("%s\n", to);
    long total = 0;
    for (int i = 0; i < 40; i++)
        total = total * 3 + operations[i % 4](i, i % 5) - named[(i * 7) % 4].apply(i, 3);
    printf("operations %ld %c\n", total, named[2].symbol);
    printf("mutual %d %d\n", even(3001), odd(3001));
    printf("collatz %d\n", collatz(837799));
    printf("tail %ld\n", count_down(1000000, 0));
    return 0;
}
