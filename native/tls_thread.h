/* A thread's record of its block of JIT'd thread-local variables: between tls.c and its assembly.
 */
#ifndef LAZYJIT_TLS_THREAD_H
#define LAZYJIT_TLS_THREAD_H

#include <stdint.h>

typedef struct lj_tls_thread {
    uint64_t serial; /* of the newest image that is initialized here; assembly reads offset 0 */
    uint8_t *base;   /* of its block; assembly reads offset 8 */
    struct lj_tls_thread *next;
    uint32_t rounds; /* of pthread key destructors at the thread's end */
} lj_tls_thread;

extern __thread lj_tls_thread *lj_tls_self
    __attribute__((visibility("hidden"), tls_model("initial-exec")));
extern uint64_t lj_tls_serial __attribute__((visibility("hidden")));

#endif
