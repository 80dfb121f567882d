/* Draws a fractal in characters. Three of them are compiled in; only the one that is asked for is
 * ever called, so under lazyjit only that one is compiled: try
 *
 *     lazyjit run --stats examples/mandelbrot.ll
 *     lazyjit run --print-units=names examples/mandelbrot.ll julia 100 40
 *
 * mandelbrot.ll is made from this file by examples/rebuild.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    double left, right, top, bottom;
    int (*escape)(double x, double y, int limit);
} fractal;

/* z <- z*z + c, from z = 0: how many steps until |z| > 2. */
static int mandelbrot(double cx, double cy, int limit) {
    double x = 0, y = 0;
    int n = 0;
    while (n < limit && x * x + y * y <= 4) {
        double next = x * x - y * y + cx;
        y = 2 * x * y + cy;
        x = next;
        n++;
    }
    return n;
}

/* The same with c fixed, from z = the point. */
static int julia(double x, double y, int limit) {
    int n = 0;
    while (n < limit && x * x + y * y <= 4) {
        double next = x * x - y * y - 0.8;
        y = 2 * x * y + 0.156;
        x = next;
        n++;
    }
    return n;
}

/* The same as the first with |x| and |y| before each step. */
static int burning_ship(double cx, double cy, int limit) {
    double x = 0, y = 0;
    int n = 0;
    while (n < limit && x * x + y * y <= 4) {
        double next = x * x - y * y + cx;
        y = 2 * (x < 0 ? -x : x) * (y < 0 ? -y : y) + cy;
        x = next;
        n++;
    }
    return n;
}

static const fractal fractals[] = {
    {"mandelbrot", -2.2, 0.8, 1.2, -1.2, mandelbrot},
    {"julia", -1.6, 1.6, 1.0, -1.0, julia},
    {"ship", -2.2, 1.2, -1.8, 0.7, burning_ship},
};

static void usage(const char *program) {
    fprintf(stderr, "usage: %s [mandelbrot|julia|ship] [columns] [rows]\n", program);
    exit(2);
}

static const fractal *find(const char *name) {
    for (size_t i = 0; i < sizeof fractals / sizeof *fractals; i++)
        if (!strcmp(fractals[i].name, name))
            return &fractals[i];
    return NULL;
}

static void draw(const fractal *f, int columns, int rows) {
    static const char shades[] = " .:-=+*#%@";
    const int limit = 2000, last = sizeof shades - 2;
    long steps = 0;
    for (int row = 0; row < rows; row++) {
        double y = f->top + (f->bottom - f->top) * (row + 0.5) / rows;
        for (int column = 0; column < columns; column++) {
            double x = f->left + (f->right - f->left) * (column + 0.5) / columns;
            int n = f->escape(x, y, limit), shade = 0;
            for (int bound = 3; shade < last && n >= bound; bound += bound / 2)
                shade++;
            putchar(shades[n == limit ? last : shade]);
            steps += n;
        }
        putchar('\n');
    }
    printf("%s: %d x %d points, %ld steps\n", f->name, columns, rows, steps);
}

int main(int argc, char **argv) {
    const fractal *f = find(argc > 1 ? argv[1] : "mandelbrot");
    int columns = argc > 2 ? atoi(argv[2]) : 76;
    int rows = argc > 3 ? atoi(argv[3]) : 24;
    if (f == NULL || columns < 1 || rows < 1)
        usage(argv[0]);
    draw(f, columns, rows);
    return 0;
}
