/* Heat that spreads over a plate: each point moves to the mean of its four neighbours, there and
 * back between two arrays. Every line becomes vectors; the caches feed them. */
#include <stdint.h>

static void spread(const double *restrict from, double *restrict to, int64_t height,
                   int64_t width) {
    for (int64_t i = 1; i < height - 1; i++)
        for (int64_t j = 1; j < width - 1; j++) {
            const double *at = from + i * width + j;
            to[i * width + j] = 0.25 * (at[-width] + at[width] + (at[1] + at[-1]));
        }
}

void stencil(double *restrict one, double *restrict other, int64_t height, int64_t width,
             int64_t rounds) {
    for (int64_t round = 0; round < rounds; round++) {
        spread(one, other, height, width);
        spread(other, one, height, width);
    }
}
