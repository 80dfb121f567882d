/* One list of what can go wrong in native code.
 *
 * A native function that can fail returns an `lj_status`; it never aborts and never prints. The
 * same list makes the enum, the strings, and (through `lj_status_count`) the test that every code
 * is mapped to a Python exception at one door, `lazyjit/_native.py`.
 *
 * A function with more to say than a code fills an `lj_fault` that its caller owns.
 */
#ifndef LAZYJIT_STATUS_H
#define LAZYJIT_STATUS_H

#include <stddef.h>
#include <stdint.h>

/* X(name, text) */
#define LJ_STATUS_LIST(X)                                                                          \
    X(OK, "success")                                                                               \
    X(NO_MEMORY, "out of memory")                                                                  \
    X(MISUSE, "invalid argument or state; a bug in the caller")                                    \
    X(SYSTEM, "a system call failed")                                                              \
    X(CLOSED, "the object was closed")                                                             \
    X(ARENA_FULL, "the session's code arena is full")                                              \
    X(STATIC_TLS_FULL, "no room is left in the threads' static block")                             \
    X(IR_SYNTAX, "malformed IR text")                                                              \
    X(IR_UNKNOWN, "reference to an entity that the module does not have")                          \
    X(IR_DUPLICATE, "the module defines a name twice")                                             \
    X(IR_TOO_LARGE, "the IR text is larger than the index supports")                               \
    X(LLVM_PARSE, "LLVM rejected the IR")                                                          \
    X(LLVM_VERIFY, "LLVM's verifier rejected the IR")                                              \
    X(LLVM_TARGET, "LLVM can't target this")                                                       \
    X(LLVM_EMIT, "LLVM could not emit an object")                                                  \
    X(OBJ_MALFORMED, "malformed object file")                                                      \
    X(OBJ_UNSUPPORTED, "object file of an unsupported format or architecture")                     \
    X(OBJ_RELOCATION, "unsupported relocation")                                                    \
    X(ARCHIVE_MALFORMED, "malformed archive")                                                      \
    X(LINK_OVERFLOW, "relocation target out of range")                                             \
    X(LINK_MISALIGNED, "relocation target misaligned")                                             \
    X(LINK_UNDEFINED, "undefined symbol")

#define LJ_STATUS_ENUM(name, text) LJ_##name,
enum { LJ_STATUS_LIST(LJ_STATUS_ENUM) LJ_STATUS_COUNT };

/* cffi: begin */
typedef int lj_status;

typedef struct lj_fault {
    int32_t status;   /* an lj_status */
    uint32_t line;    /* 1-based line of a text, or 0 */
    uint64_t offset;  /* byte offset in the input, or 0 */
    uint64_t value;   /* what the code's own documentation says: an errno, a relocation type, ... */
    char detail[480]; /* NUL-terminated words, possibly empty */
} lj_fault;

int lj_status_count(void);
/* The code's name ("LINK_OVERFLOW") and its text. NULL when out of range. Any thread. */
const char *lj_status_name(lj_status status);
const char *lj_status_text(lj_status status);
/* cffi: end */

/* Fills `fault` (when it isn't NULL) and returns `status`, so that a failure is one statement. */
lj_status lj_fail(lj_fault *fault, lj_status status, uint64_t offset, uint64_t value,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
