/* Variables at a fixed distance from the thread pointer: the static thread-local block.
 *
 * Code that isn't compiled for a shared library reads `x` as "what lies so many bytes below the
 * thread pointer" (initial-exec and local-exec, TPOFF and GOTTPOFF): one instruction and no call,
 * but the distance must be the same in every thread, those included that run already. The C
 * library's loader keeps some room for this in each thread's static block, for libraries that are
 * opened late (about 1.6 KB; GLIBC_TUNABLES=glibc.rtld.optional_static_tls=BYTES gives more).
 *
 * It alone can hand that room out and initialize it in every thread, now and later. So an image is
 * given to it as a library: a file in memory that has nothing but a thread-local segment, and one
 * relocation by which the loader writes the distance. Closing the library gives the room back, but
 * the loader takes back only what was given out last: an image that is released waits for those
 * that came after it.
 *
 * A variable's token is LJ_TLS_STATIC_TAG | its distance, negative, in 48 bits. For code that asks
 * `__tls_get_addr`, the same variable is a {module, offset} pair, the module being the loader's.
 */
#ifndef LAZYJIT_TLS_STATIC_H
#define LAZYJIT_TLS_STATIC_H

#include "tls.h"

#define LJ_TLS_STATIC_TAG UINT64_C(0x6c6b000000000000)

typedef struct lj_tls_static lj_tls_static;

/* An image of `size` bytes, of which `init_size` are given and the others are 0, in every thread.
 * STATIC_TLS_FULL when no room is left (or none with this alignment), SYSTEM, NO_MEMORY. */
lj_status lj_tls_static_open(const void *init, uint64_t init_size, uint64_t size, uint64_t align,
                             lj_tls_static **out, lj_fault *fault);
/* The token of the image's first byte; others' are so many bytes more. */
uint64_t lj_tls_static_token(const lj_tls_static *image);
/* The loader's module number of the image. */
uint64_t lj_tls_static_module(const lj_tls_static *image);
/* Whether these are the bytes that it was opened with. */
int lj_tls_static_is(const lj_tls_static *image, const void *init, uint64_t init_size);
/* Gives the room back. No thread may use its variables any more. NULL is nothing. */
void lj_tls_static_close(lj_tls_static *image);

/* The pair of a static token. 0 when no image has it. */
int lj_tls_static_pair(uint64_t token, lj_tls_index *pair);
/* A token's distance from the thread pointer. */
int64_t lj_tls_static_distance(uint64_t token);
/* The distance of a variable of a host library, if it lies in the static block; 0 otherwise. */
int64_t lj_tls_host_distance(const lj_tls_index *pair);
/* The calling thread's address at a distance. */
void *lj_tls_at_distance(int64_t distance);

#endif
