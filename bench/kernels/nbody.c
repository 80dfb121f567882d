/* N bodies that attract each other, by the leapfrog rule: kick, move, kick. A row of the array is a
 * body: x, y, z, 0, then its velocity and its mass. Latency of square roots and divisions rules. */
#include <math.h>
#include <stdint.h>

static void attract(double *bodies, int64_t n, double strength) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++) {
            double *a = bodies + 8 * i, *b = bodies + 8 * j;
            double dx = b[0] - a[0], dy = b[1] - a[1], dz = b[2] - a[2];
            double square = dx * dx + dy * dy + dz * dz;
            double pull = strength / (square * sqrt(square));
            double to_a = pull * b[7], to_b = pull * a[7];
            a[4] += dx * to_a;
            a[5] += dy * to_a;
            a[6] += dz * to_a;
            b[4] -= dx * to_b;
            b[5] -= dy * to_b;
            b[6] -= dz * to_b;
        }
}

void nbody(double *bodies, int64_t n, double half_kick, double time, int64_t steps) {
    for (int64_t step = 0; step < steps; step++) {
        attract(bodies, n, half_kick);
        for (int64_t i = 0; i < n; i++)
            for (int k = 0; k < 3; k++)
                bodies[8 * i + k] += time * bodies[8 * i + 4 + k];
        attract(bodies, n, half_kick);
    }
}
