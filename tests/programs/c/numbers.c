// Arithmetic and conversions: integers of all widths, floats, long doubles, 128 bits, shifts, bit
// fields, rounding modes, overflow builtins, atomics.
#include <fenv.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

volatile double vd = -3.75;
volatile float vf = 16777217.0f;
volatile long double vl = 1.0L / 3.0L;
volatile int vi = -7;
volatile unsigned vu = 4000000000u;
volatile long vx = LONG_MIN + 1;
volatile uint64_t v64 = UINT64_MAX;

struct bits {
    unsigned a : 3;
    int b : 5;
    unsigned : 0;
    unsigned long c : 40;
    int d : 1;
    _Bool e : 1;
};

static unsigned __int128 gcd(unsigned __int128 a, unsigned __int128 b) {
    return b ? gcd(b, a % b) : a;
}

static atomic_int counter;
static _Atomic(long) big_counter;

int main(void) {
    printf("%d %u %ld %lu %d\n", (int)vd, (unsigned)(int)vd, (long)vd, (unsigned long)(long)vd, (char)vi);
    printf("%g %g %g %g\n", (double)vi, (double)vu, (float)vx, (double)v64);
    printf("%g %.1f %.20Lg %.17g\n", vf, (double)vu, vl, (double)vl);
    printf("%lu %lu\n", (unsigned long)(double)1e19, (unsigned long)(vf * 1e9f));
    printf("%d %d %d %d %u\n", vi / 2, vi % 2, vi >> 1, vi << 2, (unsigned)vi >> 28);
    printf("%ld %ld %lu\n", vx / 10, vx % 10, v64 / 10);
    printf("%.20Lf %.10Lf\n", sqrtl(2.0L), powl(vl, 3.0L));
    printf("%.17g %.17g %.17g %.17g\n", sin(vd), exp(vd), fmod(vd, 1.1), cbrt(vd));
    printf("%g %g %d %d\n", floor(vd), nearbyint(vd), isnan(0.0 / (vd + 3.75)), isinf(1.0 / (vd + 3.75)));
    fesetround(FE_UPWARD);
    printf("%.17g %ld\n", (double)(vl * 3), lrint(-vd));
    fesetround(FE_DOWNWARD);
    printf("%ld %ld\n", lrint(-vd), lrint(vd));
    fesetround(FE_TONEAREST);
    struct bits s;
    memset(&s, 0, sizeof s);
    s.a = 13;
    s.b = -9;
    s.c = 0x123456789abcdeUL;
    s.d = 1;
    s.e = 4;
    printf("%u %d %lx %d %d %zu\n", s.a, s.b, (unsigned long)s.c, s.d, s.e, sizeof s);
    unsigned __int128 product = (unsigned __int128)v64 * v64;
    printf("%lx %lx\n", (unsigned long)(product >> 64), (unsigned long)product);
    printf("%lu\n", (unsigned long)gcd((unsigned __int128)1 << 90, (unsigned __int128)3 << 60 ));
    printf("%ld %.6f\n", (long)(product % 1000003), (double)product / 1e38);
    int sum;
    printf("%d %d\n", __builtin_add_overflow(INT_MAX, vi, &sum), __builtin_mul_overflow(vi, INT_MAX, &sum));
    printf("%d %d %d %x\n", __builtin_popcountll(v64), __builtin_clz(vu), __builtin_ctz(vu), __builtin_bswap32(vu));
    for (int i = 0; i < 1000; i++) {
        atomic_fetch_add(&counter, i);
        big_counter += i;
    }
    int expected = 499500;
    printf("%d %ld %d\n", counter, big_counter, atomic_compare_exchange_strong(&counter, &expected, 1));
    float total = 0;
    for (int i = 1; i < 1000; i++)
        total += 1.0f / (float)i;
    printf("%.6f %g %g\n", total, FLT_EPSILON, DBL_MIN);
    double integral;
    double fraction = modf(vd, &integral);
    int exponent;
    double mantissa = frexp(vd, &exponent);
    printf("%g %g %g %d %g\n", fraction, integral, mantissa, exponent, ldexp(mantissa, 10));
    _Float16 half = (_Float16)vd;
    printf("%g\n", (double)(half * half));
    return 0;
}
