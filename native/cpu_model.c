/* libgcc's variables, found out by libgcc's function. They are hidden: each library has its own. */
#include "cpu_model.h"

#include <stddef.h>
#include <string.h>

extern uint32_t __cpu_model[4];
extern uint32_t __cpu_features2[] __attribute__((weak));
extern int __cpu_indicator_init(void);

/* How much of it there surely is: libgcc has three words since GCC 11. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#define WORDS 3
#else
#define WORDS 1
#endif

static uint32_t features2[4];

static int nothing_left_to_do(void) {
    return 0;
}

void lj_cpu_symbols_get(lj_cpu_symbols *out) {
    int (*const init)(void) = nothing_left_to_do;
    __cpu_indicator_init();
    if (__cpu_features2)
        memcpy(features2, __cpu_features2, WORDS * sizeof *features2);
    out->model = (uint64_t)(uintptr_t)__cpu_model;
    out->features2 = (uint64_t)(uintptr_t)features2;
    memcpy(&out->init, &init, sizeof init);
}
