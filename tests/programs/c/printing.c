// Varargs on both sides: printf's every conversion, scanf, snprintf, and variadic functions of ours
// that take integers, doubles, long doubles, structs and pointers, and pass a va_list on.
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

struct pair {
    double x, y;
};
struct big {
    long a[5];
};

static int sum_ints(int count, ...) {
    va_list list, again;
    va_start(list, count);
    va_copy(again, list);
    int total = 0;
    for (int i = 0; i < count; i++)
        total += va_arg(list, int);
    for (int i = 0; i < count; i++)
        total ^= va_arg(again, int) << i;
    va_end(again);
    va_end(list);
    return total;
}

static void mixed(const char *kinds, ...) {
    va_list list;
    va_start(list, kinds);
    for (; *kinds; kinds++) {
        switch (*kinds) {
        case 'i':
            printf(" i%d", va_arg(list, int));
            break;
        case 'l':
            printf(" l%ld", va_arg(list, long));
            break;
        case 'd':
            printf(" d%.3f", va_arg(list, double));
            break;
        case 'L':
            printf(" L%.5Lf", va_arg(list, long double));
            break;
        case 's':
            printf(" s%s", va_arg(list, const char *));
            break;
        case 'p': {
            struct pair p = va_arg(list, struct pair);
            printf(" p(%g,%g)", p.x, p.y);
            break;
        }
        case 'b': {
            struct big b = va_arg(list, struct big);
            printf(" b%ld", b.a[0] + b.a[4]);
            break;
        }
        }
    }
    va_end(list);
    printf("\n");
}

static int forward(char *out, size_t size, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int n = vsnprintf(out, size, format, list);
    va_end(list);
    return n;
}

int main(void) {
    printf("%d %5d|%-5d|%05d|%+d %x %X %#o %c %%\n", 1, 2, 3, 4, 5, 255, 255, 8, 'c');
    printf("%s|%10s|%-10s|%.2s|%*s|%.*f\n", "s", "right", "left", "cut", 6, "star", 2, 3.14159);
    printf("%f %e %g %a %Lf %.10Lg\n", 1.5, 1.5e10, 1e-5, 1.0, 2.5L, 1.0L / 3.0L);
    printf("%hhd %hd %ld %lld %zu %jd %td\n", (signed char)-1, (short)-2, -3L, -4LL, (size_t)5,
           (intmax_t)-6, (ptrdiff_t)7);
    printf("%" PRIu64 " %" PRIx32 " %" PRId8 "\n", UINT64_MAX, UINT32_MAX, INT8_MIN);
    printf("%d %d %d %d %d %d %d %d %d %d %f %f %f %f %f %f %f %f %f %f\n", 1, 2, 3, 4, 5, 6, 7, 8, 9,
           10, 1., 2., 3., 4., 5., 6., 7., 8., 9., 10.);
    printf("sum %d\n", sum_ints(8, 1, 2, 3, 4, 5, 6, 7, 8));
    struct pair p = {1.5, -2.5};
    struct big b = {{1, 2, 3, 4, 50}};
    mixed("ilddLspbbpsLdli", 1, 2L, 3.0, 4.0, 5.0L, "six", p, b, b, p, "eleven", 12.0L, 13.0, 14L, 15);
    char buffer[16];
    int needed = forward(buffer, sizeof buffer, "%s-%d-%s", "truncated", 12345, "tail");
    printf("%d %s\n", needed, buffer);
    int i = 0, matched = 0;
    double d = 0;
    char word[8];
    matched = sscanf("42 2.5e3 hello world", "%d %lf %7s", &i, &d, word);
    printf("%d: %d %g %s\n", matched, i, d, word);
    unsigned h;
    int position;
    matched = sscanf("ff:0x1F rest", "%x:%i%n", &h, &i, &position);
    printf("%d: %u %d %d\n", matched, h, i, position);
    wchar_t wide[16];
    swprintf(wide, 16, L"%ls-%d", L"wide", 9);
    printf("%zu %d\n", wcslen(wide), (int)wide[5]);
    return 0;
}
