// Assembly, inline and at module level, attributes of functions, ifuncs, and nested address games.
#include <stdint.h>
#include <stdio.h>

__asm__(".pushsection .text\n"
        ".globl from_module_assembly\n"
        ".type from_module_assembly, @function\n"
        "from_module_assembly:\n"
        "    leal 5(%rdi,%rdi,2), %eax\n"
        "    ret\n"
        ".size from_module_assembly, .-from_module_assembly\n"
        ".popsection\n");
int from_module_assembly(int x);

static uint64_t inline_assembly(uint64_t a, uint64_t b) {
    uint64_t low, high;
    __asm__("mulq %3" : "=a"(low), "=d"(high) : "a"(a), "r"(b) : "cc");
    return low ^ high;
}
static unsigned cpu_vendor(void) {
    unsigned a = 0, b, c, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    return (b | c | d) != 0;
}
static int with_goto(int x) {
    __asm__ goto("testl %0, %0\n\tjs %l[negative]" : : "r"(x) : "cc" : negative);
    return 1;
negative:
    return -1;
}
static int plain(int x) { return x + 1; }
static int (*choose(void))(int) { return plain; }
int chosen(int x) __attribute__((ifunc("choose")));

__attribute__((ms_abi, noinline)) static long windows(long a, double b, long c, double d, long e, long f) {
    return a + (long)b * 2 + c * 3 + (long)d * 4 + e * 5 + f * 6;
}
__attribute__((preserve_most, noinline)) static int preserving(int a, int b) { return a * b; }
__attribute__((regcall, noinline)) static int registers(int a, int b, int c, int d, int e, int f, int g, int h) {
    return a - b + c - d + e - f + g - h;
}
__attribute__((cold, noinline)) static int cold(int x) { return x - 1; }
__attribute__((const, noinline)) static int constant(int x) { return x * x; }
__attribute__((noinline, optnone)) static int unoptimized(int x) { return x ^ 0x55; }
static inline __attribute__((always_inline)) int inlined(int x) { return x | 1; }

int main(void) {
    printf("%d\n", from_module_assembly(7));
    printf("%lu %u\n", inline_assembly(0xdeadbeefcafebabe, 0x123456789abcdef), cpu_vendor());
    printf("%d %d\n", with_goto(5), with_goto(-5));
    printf("%d\n", chosen(41));
    printf("%ld\n", windows(1, 2.5, 3, 4.5, 5, 6));
    printf("%d %d\n", preserving(6, 7), registers(1, 2, 3, 4, 5, 6, 7, 8));
    printf("%d %d %d %d\n", cold(1), constant(9), unoptimized(0xaa), inlined(4));
    return 0;
}
