/* Counts primes with a sieve of Eratosthenes over the odd numbers, a segment of it at a time so
 * that the flags stay in the processor's cache.
 *
 *     lazyjit run examples/sieve.ll 100000000
 *
 * sieve.ll is made from this file by examples/rebuild.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENT = 1 << 15 };

static uint64_t root(uint64_t n) {
    uint64_t r = 0;
    for (uint64_t bit = (uint64_t)1 << 31; bit; bit >>= 1)
        if ((r + bit) * (r + bit) <= n)
            r += bit;
    return r;
}

/* The odd primes up to `limit`, which is small, into `primes`; how many. */
static size_t small_primes(uint64_t limit, uint64_t *primes) {
    size_t count = 0;
    for (uint64_t n = 3; n <= limit; n += 2) {
        int prime = 1;
        for (size_t i = 0; prime && i < count && primes[i] * primes[i] <= n; i++)
            prime = n % primes[i] != 0;
        if (prime)
            primes[count++] = n;
    }
    return count;
}

int main(int argc, char **argv) {
    uint64_t limit = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;
    uint64_t top = root(limit);
    uint64_t *primes = malloc((top / 2 + 2) * sizeof *primes);
    uint64_t *next = malloc((top / 2 + 2) * sizeof *next);
    unsigned char *crossed = malloc(SEGMENT);
    if (limit < 2 || !primes || !next || !crossed) {
        fprintf(stderr, "usage: %s [limit, at least 2]\n", argv[0]);
        return 2;
    }
    size_t known = small_primes(top, primes);
    /* next[i]: the first odd multiple of primes[i] not yet crossed out, as an index (n - 1) / 2. */
    for (size_t i = 0; i < known; i++)
        next[i] = (primes[i] * primes[i] - 1) / 2;

    uint64_t count = 1, twins = 0, last = 2, gap = 0, gap_at = 2; /* 2 is prime */
    uint64_t end = (limit - 1) / 2;
    for (uint64_t start = 1; start <= end; start += SEGMENT) {
        uint64_t stop = start + SEGMENT <= end + 1 ? start + SEGMENT : end + 1;
        memset(crossed, 0, SEGMENT);
        for (size_t i = 0; i < known; i++) {
            uint64_t at = next[i];
            for (; at < stop; at += primes[i])
                crossed[at - start] = 1;
            next[i] = at;
        }
        for (uint64_t at = start; at < stop; at++)
            if (!crossed[at - start]) {
                uint64_t prime = 2 * at + 1;
                count++;
                twins += prime - last == 2;
                if (prime - last > gap) {
                    gap = prime - last;
                    gap_at = last;
                }
                last = prime;
            }
    }
    printf("primes up to %llu: %llu\n", (unsigned long long)limit, (unsigned long long)count);
    printf("twin pairs: %llu\n", (unsigned long long)twins);
    printf("widest gap: %llu, behind %llu\n", (unsigned long long)gap, (unsigned long long)gap_at);
    printf("the last one: %llu\n", (unsigned long long)last);
    free(crossed);
    free(next);
    free(primes);
    return 0;
}
