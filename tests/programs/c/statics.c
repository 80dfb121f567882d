// Data: static locals, zero-filled arrays, tables of pointers to data and to functions, pointers into
// the middle of objects, common symbols, weak and aliased ones, constructors, sections, strings.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int next(void) {
    static int n = 10;
    static int calls;
    calls++;
    return n += calls;
}
static char *scratch(void) {
    static char zeros[1 << 16];
    return zeros;
}
int tentative[100];
extern int defined_later;
static const char *const words[] = {"zero", "one", "two", "three", NULL};
static const char *const *middle = &words[2];
static const char *inside = "hello world" + 6;
struct node {
    int value;
    struct node *next;
    int (*apply)(int);
};
static int twice(int x) { return 2 * x; }
static int square(int x) { return x * x; }
static struct node third = {3, NULL, square};
static struct node second = {2, &third, twice};
static struct node first = {1, &second, square};
static struct node ring = {9, &ring, twice};
struct flexible {
    int count;
    int items[];
};
static struct flexible flexible = {3, {7, 8, 9}};
static struct { const int *at; long offset; } into = {&flexible.items[2], (long)sizeof(struct flexible)};
__attribute__((weak)) int weak_value = 5;
__attribute__((weak)) extern int never_defined;
__attribute__((weak)) int never_defined_function(void);
int original(int x) { return x + 1000; }
int also_original(int x) __attribute__((alias("original")));
__attribute__((section("my_section"), used)) static int in_section = 77;
__attribute__((aligned(4096))) static char page[4096];
static int order[8], ordered;
__attribute__((constructor(300))) static void late(void) { order[ordered++] = 300; }
__attribute__((constructor(200))) static void early(void) { order[ordered++] = 200; }
__attribute__((constructor)) static void plain(void) { order[ordered++] = 65535; tentative[5] = 55; }
__attribute__((destructor)) static void finish(void) { printf("destructor\n"); }
__attribute__((destructor(300))) static void finish_last(void) { printf("destructor 300\n"); }
static void leave(void) { printf("atexit\n"); }

int main(void) {
    printf("%d %d %d\n", next(), next(), next());
    char *zeros = scratch();
    size_t set = 0;
    for (size_t i = 0; i < 1 << 16; i++)
        set += zeros[i] != 0;
    strcpy(zeros, "written");
    printf("%zu %s %d %d\n", set, scratch(), tentative[0], tentative[5]);
    for (const char *const *w = words; *w; w++)
        printf("%s ", *w);
    printf("%s %s\n", *middle, inside);
    for (struct node *n = &first; n; n = n->next)
        printf("%d ", n->apply(n->value));
    printf("%d\n", ring.next->next->apply(ring.value));
    printf("%d %ld %d\n", *into.at, into.offset, flexible.items[1]);
    printf("%d %d %d\n", weak_value, &never_defined == NULL, never_defined_function == NULL);
    printf("%d %d\n", also_original(1), also_original == original);
    printf("%d %d %lu\n", in_section, defined_later, (unsigned long)page % 4096);
    for (int i = 0; i < ordered; i++)
        printf("%d ", order[i]);
    printf("\n");
    atexit(leave);
    return 0;
}
int defined_later = 31;
