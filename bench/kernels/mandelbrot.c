/* How long z -> z * z + c, begun at 0, stays within 2 of the origin: one byte for each pixel. The
 * way out of the inner loop depends on data, so nothing here becomes a vector. */
#include <stdint.h>

void mandelbrot(uint8_t *restrict image, int64_t height, int64_t width, double left, double top,
                double step, int64_t limit) {
    for (int64_t row = 0; row < height; row++)
        for (int64_t column = 0; column < width; column++) {
            double cx = left + column * step, cy = top - row * step, x = 0, y = 0;
            int64_t n = 0;
            while (n < limit) {
                double xx = x * x, yy = y * y;
                if (xx + yy > 4)
                    break;
                y = 2 * x * y + cy;
                x = xx - yy + cx;
                n++;
            }
            image[row * width + column] = (uint8_t)n;
        }
}
