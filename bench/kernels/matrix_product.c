/* c = a b, of n by k and k by m, in three plain loops whose innermost one runs along rows. */
#include <stdint.h>

void matrix_product(const double *restrict a, const double *restrict b, double *restrict c,
                    int64_t n, int64_t k, int64_t m) {
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < m; j++)
            c[i * m + j] = 0;
        for (int64_t l = 0; l < k; l++) {
            double factor = a[i * k + l];
            for (int64_t j = 0; j < m; j++)
                c[i * m + j] += factor * b[l * m + j];
        }
    }
}
