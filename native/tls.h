/* Thread-local variables of JIT'd code.
 *
 * A dynamic loader gives each library's TLS image a module number and, per thread, a block. Here
 * all JIT'd objects of the process share one module: each image has a range of offsets, and every
 * thread that touches one gets one block that covers all offsets (address space is reserved, memory
 * comes with the first touch). So an object compiled alone may use the local-dynamic model for a
 * hidden variable that another object defines, as compilers do when they believe that the two will
 * be linked into one library: the block's start is the same for both.
 *
 * A thread initializes images that are new to it when it next asks for an address: a serial number
 * counts registrations, and the fast path compares it. A thread's block is freed when it ends,
 * after the destructors of its C++ thread_local variables.
 *
 * A variable's "address" in symbol tables is a token, LJ_TLS_TAG | offset: not canonical, so that
 * whoever takes it for an address faults at once. A GOT pair is {module, offset} as elsewhere, the
 * module being LJ_TLS_TAG for JIT'd variables, and the loader's number for those of host libraries.
 * Variables of code that isn't compiled for this (initial-exec, local-exec) live elsewhere, in the
 * threads' static block: tls_static.h.
 */
#ifndef LAZYJIT_TLS_H
#define LAZYJIT_TLS_H

#include "status.h"

#define LJ_TLS_TAG UINT64_C(0x6c6a000000000000)
#define LJ_TLS_TAG_MASK UINT64_C(0xffff000000000000)

/* cffi: begin */
typedef struct lj_tls_index {
    uint64_t module;
    uint64_t offset;
} lj_tls_index;

/* What code calls as __tls_get_addr: the calling thread's address of a variable. Aborts, as the
 * dynamic loader does, when there is no memory for the thread's block: the ABI knows no failure. */
void *lj_tls_get_addr(const lj_tls_index *index);
/* The calling thread's address for a symbol's token; NULL when it isn't one. */
void *lj_tls_address(uint64_t token);
/* cffi: end */

/* The calling thread's block, with every registered image initialized. */
uint8_t *lj_tls_block(void);
/* A range of offsets in every thread's block, `align` being at most LJ_MAX_ALIGN. ARENA_FULL when
 * there is none of this size; SYSTEM when the process has no thread-specific key left, without
 * which nobody would free the blocks of threads that end. */
lj_status lj_tls_reserve(uint64_t size, uint64_t align, uint64_t *offset, lj_fault *fault);
/* Makes a reserved range an image: `init_size` bytes at `init`, then zeros. `init` must stay. */
lj_status lj_tls_register(uint64_t offset, const void *init, uint64_t init_size);
/* Gives a range back, image or not. No thread may use its variables any more. */
void lj_tls_release(uint64_t offset);
/* The loader's module number and the offset of a host library's thread-local variable. Returns 0
 * when no loaded library has a thread-local variable of this name. */
int lj_tls_host_variable(const char *name, uint64_t *module, uint64_t *offset);

/* Resolvers of TLS descriptors, with an ABI of their own: rax has the descriptor's address, and
 * gets the variable's offset from the thread pointer; nothing else changes but the flags. */
void lj_tlsdesc_own(void)
    __attribute__((visibility("hidden"))); /* argument: the offset in the block */
void lj_tlsdesc_host(void)
    __attribute__((visibility("hidden"))); /* argument: address of a {module, offset} pair */

#endif
