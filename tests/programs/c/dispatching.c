/* Code for several processors: what this one can, and functions chosen by it. */
#include <stdio.h>

__attribute__((target_clones("avx512f", "avx2", "default"))) static int scaled(int x) {
    return x * 3;
}

static int plain(int x) {
    return x + 1;
}

static int vectorized(int x) {
    return x + 2;
}

/* __builtin_cpu_init first: resolvers may run before constructors do. */
static int (*resolve(void))(int) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse2") ? vectorized : plain;
}

int chosen(int x) __attribute__((ifunc("resolve")));

int main(void) {
    printf("%d %d\n", scaled(14), chosen(40));
    printf("avx2: %d, fma: %d, vp2intersect: %d, v3: %d\n", !!__builtin_cpu_supports("avx2"),
           !!__builtin_cpu_supports("fma"), !!__builtin_cpu_supports("avx512vp2intersect"),
           !!__builtin_cpu_supports("x86-64-v3"));
    printf("intel: %d, amd: %d\n", !!__builtin_cpu_is("intel"), !!__builtin_cpu_is("amd"));
    return 0;
}
