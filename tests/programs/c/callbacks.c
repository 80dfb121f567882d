// Our functions called from the C library: qsort, bsearch, tsearch and atexit hold their addresses,
// so each first call comes from code that was never compiled here.
#define _GNU_SOURCE
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct person {
    const char *name;
    int age;
    double score;
};

static int by_age(const void *a, const void *b) {
    const struct person *x = a, *y = b;
    return (x->age > y->age) - (x->age < y->age);
}
static int by_name(const void *a, const void *b) {
    return strcmp(((const struct person *)a)->name, ((const struct person *)b)->name);
}
static int by_score(const void *a, const void *b) {
    double x = ((const struct person *)a)->score, y = ((const struct person *)b)->score;
    return (x < y) - (x > y);
}
static int by_int(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}
static int with_context(const void *a, const void *b, void *context) {
    ++*(int *)context;
    return by_int(b, a);
}

static int (*const orders[])(const void *, const void *) = {by_age, by_name, by_score};

static void visit(const void *node, VISIT order, int level) {
    if (order == postorder || order == leaf)
        printf(" %d@%d", **(int *const *)node, level);
}

static void bye(void) { printf("last atexit\n"); }
static void bye_first(void) { printf("first atexit\n"); }
static void bye_nested(void) {
    printf("registering in atexit\n");
    atexit(bye_first);
}

int main(void) {
    atexit(bye);
    atexit(bye_nested);
    struct person people[] = {
        {"Mia", 31, 1.5}, {"Ada", 28, 9.25}, {"Zoe", 45, 3.0}, {"Bob", 19, 7.75}, {"Kim", 36, 0.5}};
    for (int order = 0; order < 3; order++) {
        qsort(people, 5, sizeof *people, orders[order]);
        for (int i = 0; i < 5; i++)
            printf("%s ", people[i].name);
        printf("\n");
    }
    int numbers[200];
    unsigned seed = 7;
    for (int i = 0; i < 200; i++) {
        seed = seed * 1103515245u + 12345u;
        numbers[i] = (int)(seed >> 16) % 1000;
    }
    qsort(numbers, 200, sizeof *numbers, by_int);
    int key = numbers[77];
    int *found = bsearch(&key, numbers, 200, sizeof *numbers, by_int);
    printf("%d %d %d\n", numbers[0], numbers[199], found != NULL && *found == key);
    int comparisons = 0;
    qsort_r(numbers, 200, sizeof *numbers, with_context, &comparisons);
    printf("%d %d %d\n", numbers[0], numbers[199], comparisons > 0);
    // One address per function, whoever asks and whenever: before, between and after its calls.
    printf("same %d %d\n", orders[0] == by_age, (void *)orders[1] == (void *)by_name);
    void *root = NULL;
    int values[] = {5, 2, 8, 1, 9, 3};
    for (int i = 0; i < 6; i++)
        tsearch(&values[i], &root, by_int);
    twalk(root, visit);
    printf("\n");
    for (int i = 0; i < 6; i++)
        tdelete(&values[i], &root, by_int);
    fflush(stdout);
    exit(3);
}
