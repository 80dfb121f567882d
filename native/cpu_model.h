/* What this processor can, as code asks that was compiled for several: __builtin_cpu_supports,
 * `target_clones`, resolvers of indirect functions.
 *
 * Compilers read it from variables that the static part of libgcc (or compiler-rt) puts into every
 * program; the shared part shows them to nobody. JIT'd code gets those that are in this library.
 */
#ifndef LAZYJIT_CPU_MODEL_H
#define LAZYJIT_CPU_MODEL_H

#include <stdint.h>

/* cffi: begin */
typedef struct lj_cpu_symbols {
    uint64_t model;     /* __cpu_model: vendor, type, subtype, 32 features */
    uint64_t features2; /* __cpu_features2: 96 more */
    uint64_t init; /* int __cpu_indicator_init(void), which may be called before constructors */
} lj_cpu_symbols;

/* Filled in when this returns. Any thread. */
void lj_cpu_symbols_get(lj_cpu_symbols *out);
/* cffi: end */

#endif
