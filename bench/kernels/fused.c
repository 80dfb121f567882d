/* Five operations in one pass over five arrays: what an expression of whole arrays costs when no
 * array is made for what is between. */
#include <stdint.h>

void fused(const double *restrict a, const double *restrict b, const double *restrict c,
           const double *restrict d, double *restrict result, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        result[i] = (a[i] * b[i] + c[i]) * (a[i] - d[i]) / b[i];
}
