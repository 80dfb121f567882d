// Structs by value in every class of the x86-64 ABI, in and out, on the stack and through pointers to
// functions: a first call must leave every argument register and the stack as it found them.
#include <complex.h>
#include <stdio.h>
#include <string.h>

struct c1 { char c; };
struct c3 { char c[3]; };
struct i2 { int a, b; };
struct li { long a; int b; };
struct d2 { double a, b; };
struct f3 { float a, b, c; };
struct id { int a; double b; };
struct big { long a[7]; };
struct ld { long double v; };
union u { double d; long l; };
struct nested { struct i2 i; union u u; };
typedef float v8 __attribute__((vector_size(32)));
typedef int v4 __attribute__((vector_size(16)));

#define ECHO(T) \
    __attribute__((noinline)) static T echo_##T(struct T x) { return *(T *)&x; }
typedef struct c1 c1; typedef struct c3 c3; typedef struct i2 i2; typedef struct li li;
typedef struct d2 d2; typedef struct f3 f3; typedef struct id id; typedef struct big big;
typedef struct ld ld; typedef struct nested nested;
ECHO(c1) ECHO(c3) ECHO(i2) ECHO(li) ECHO(d2) ECHO(f3) ECHO(id) ECHO(big) ECHO(ld) ECHO(nested)

__attribute__((noinline)) static double many(int a, double b, struct i2 c, float d, struct d2 e, long f,
                                             struct big g, char h, double i, double j, double k,
                                             double l, double m, short n, struct id o, long p,
                                             unsigned q, float r) {
    return a + b + c.a + c.b + d + e.a + e.b + (double)f + (double)g.a[6] + h + i + j + k + l + m + n +
           o.a + o.b + (double)p + q + r;
}
__attribute__((noinline)) static long double longs(long double a, int b, long double c) {
    return a * b + c;
}
__attribute__((noinline)) static double complex rotate(double complex z, float complex w) {
    return z * I + w;
}
__attribute__((noinline)) static v4 add4(v4 a, v4 b) { return a + b; }
__attribute__((noinline)) static __int128 wide(__int128 a, unsigned __int128 b) {
    return a - (__int128)b;
}
__attribute__((noinline)) static _Bool flags(_Bool a, _Bool b, unsigned char c, signed char d) {
    return a ^ b ^ (c > 200) ^ (d < 0);
}
struct big (*volatile pointer)(struct big) = echo_big;

__attribute__((noinline)) static struct big chain(int n, struct big b) {
    if (n == 0)
        return b;
    b.a[n % 7] += n;
    return chain(n - 1, b);
}

int main(void) {
    c3 three = echo_c3((c3){{'x', 'y', 'z'}});
    printf("%c%.3s\n", echo_c1((c1){'q'}).c, three.c);
    i2 i = echo_i2((i2){1, -2});
    li l = echo_li((li){3, 4});
    d2 d = echo_d2((d2){5.5, 6.5});
    f3 f = echo_f3((f3){7.25f, 8.25f, 9.25f});
    id m = echo_id((id){10, 11.5});
    printf("%d %d %ld %d %g %g %g %g %g %d %g\n", i.a, i.b, l.a, l.b, d.a, d.b, f.a, f.b, f.c, m.a, m.b);
    big b = {{1, 2, 3, 4, 5, 6, 7}};
    big c = echo_big(b), e = pointer(b), g = chain(10, b);
    printf("%d %d %ld %ld\n", memcmp(&b, &c, sizeof b), memcmp(&b, &e, sizeof b), g.a[0], g.a[3]);
    printf("%.3Lf\n", echo_ld((ld){12.125L}).v);
    nested n = echo_nested((nested){{13, 14}, {15.5}});
    printf("%d %d %g\n", n.i.a, n.i.b, n.u.d);
    printf("%g\n", many(1, 2.5, (i2){3, 4}, 5.5f, (d2){6, 7}, 8, b, 9, 10, 11, 12, 13, 14, 15,
                        (id){16, 17}, 18, 19, 20.5f));
    printf("%.4Lf\n", longs(1.5L, 3, 0.25L));
    double complex z = rotate(1 + 2 * I, 0.5f - 0.25f * I);
    printf("%g %g\n", creal(z), cimag(z));
    v4 v = add4((v4){1, 2, 3, 4}, (v4){10, 20, 30, 40});
    printf("%d %d %d %d\n", v[0], v[1], v[2], v[3]);
    __int128 w = wide((__int128)1 << 100, 1);
    printf("%llx %llx\n", (unsigned long long)(w >> 64), (unsigned long long)w);
    printf("%d %d\n", flags(1, 0, 255, -1), flags(1, 1, 0, 0));
    return 0;
}
