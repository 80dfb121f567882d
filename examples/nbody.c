/* The sun and its four giants, as points that attract each other, moved on by the leapfrog rule:
 * half a kick, a drift, half a kick. It is symplectic, so the total energy only wobbles; the
 * program prints how little. Units: astronomical units, years, solar masses.
 *
 *     lazyjit run -O3 examples/nbody.ll 100
 *
 * nbody.ll is made from this file by examples/rebuild.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BODIES = 5 };

typedef struct {
    const char *name;
    double mass, position[3], velocity[3], force[3];
} body;

static const double G = 39.47841760435743; /* 4 pi^2 */

/* Circular orbits, a little tilted: distance, mass, phase, tilt. */
static const struct {
    const char *name;
    double distance, mass, phase, tilt;
} planets[BODIES - 1] = {
    {"jupiter", 5.203, 9.548e-4, 0.2, 0.023},
    {"saturn", 9.537, 2.859e-4, 1.9, 0.043},
    {"uranus", 19.19, 4.366e-5, 3.4, 0.013},
    {"neptune", 30.07, 5.151e-5, 5.1, 0.031},
};

static void set_out(body *system) {
    double momentum[3] = {0, 0, 0};
    for (int i = 1; i < BODIES; i++) {
        double r = planets[i - 1].distance, a = planets[i - 1].phase, t = planets[i - 1].tilt;
        double v = sqrt(G / r);
        body b = {planets[i - 1].name,
                  planets[i - 1].mass,
                  {r * cos(a), r * sin(a) * cos(t), r * sin(a) * sin(t)},
                  {-v * sin(a), v * cos(a) * cos(t), v * cos(a) * sin(t)},
                  {0, 0, 0}};
        system[i] = b;
        for (int k = 0; k < 3; k++)
            momentum[k] += b.mass * b.velocity[k];
    }
    body sun = {"sun", 1, {0, 0, 0}, {-momentum[0], -momentum[1], -momentum[2]}, {0, 0, 0}};
    system[0] = sun;
}

static void attract(body *system) {
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 3; k++)
            system[i].force[k] = 0;
    for (int i = 0; i < BODIES; i++)
        for (int j = i + 1; j < BODIES; j++) {
            double d[3], square = 0;
            for (int k = 0; k < 3; k++) {
                d[k] = system[j].position[k] - system[i].position[k];
                square += d[k] * d[k];
            }
            double pull = G / (square * sqrt(square));
            for (int k = 0; k < 3; k++) {
                system[i].force[k] += pull * system[j].mass * d[k];
                system[j].force[k] -= pull * system[i].mass * d[k];
            }
        }
}

static void kick(body *system, double step) {
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 3; k++)
            system[i].velocity[k] += step * system[i].force[k];
}

static void drift(body *system, double step) {
    for (int i = 0; i < BODIES; i++)
        for (int k = 0; k < 3; k++)
            system[i].position[k] += step * system[i].velocity[k];
}

static double energy(const body *system) {
    double sum = 0;
    for (int i = 0; i < BODIES; i++) {
        const body *a = &system[i];
        double speed = 0;
        for (int k = 0; k < 3; k++)
            speed += a->velocity[k] * a->velocity[k];
        sum += a->mass * speed / 2;
        for (int j = i + 1; j < BODIES; j++) {
            double square = 0;
            for (int k = 0; k < 3; k++) {
                double d = system[j].position[k] - a->position[k];
                square += d * d;
            }
            sum -= G * a->mass * system[j].mass / sqrt(square);
        }
    }
    return sum;
}

static void report(const body *system, double year, double before) {
    printf("%6.0f years ", year);
    for (int i = 1; i < BODIES; i++)
        printf("  %s (%6.2f %6.2f)", system[i].name, system[i].position[0], system[i].position[1]);
    printf("  energy %+.1e\n", energy(system) / before - 1);
}

int main(int argc, char **argv) {
    double years = argc > 1 ? atof(argv[1]) : 100;
    const int steps_a_year = 365;
    body system[BODIES];
    set_out(system);
    double before = energy(system);
    attract(system);
    long steps = (long)(years * steps_a_year);
    for (long step = 0; step <= steps; step++) {
        if (step % (steps / 10 > 0 ? steps / 10 : 1) == 0)
            report(system, (double)step / steps_a_year, before);
        kick(system, 0.5 / steps_a_year);
        drift(system, 1.0 / steps_a_year);
        attract(system);
        kick(system, 0.5 / steps_a_year);
    }
    return fabs(energy(system) / before - 1) < 1e-6 ? 0 : 1;
}
