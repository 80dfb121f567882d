/* Guard thunks: their pages, and the frame that they share. See guard.h.
 *
 * Thunks lie in pairs of pages. The first is code, alike in every pair, and is made executable once
 * it is written; the second is data. Thunk i finds what it calls at its own place in the second
 * page, so that making a thunk writes no code:
 *
 *      code page   lea 4089(%rip), %r11 ; jmp tail     16 bytes, 255 times; then the tail
 *      data page   { target, words of stack arguments }
 */
#define _GNU_SOURCE 1
#include "guard.h"
#include "stubs_state.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, THUNK_BYTES = 16, THUNKS = PAGE / THUNK_BYTES - 1 };

__thread lj_guard_list lj_guards __attribute__((visibility("hidden"), tls_model("initial-exec")));

/* r11 = what to call. The arguments are in registers that nothing here touches, and above the
 * return address; the callee-saved registers are at hand once they are saved. */
/* clang-format off */
__asm__(
    ".text\n"
    ".p2align 4\n"
    ".hidden lj_guard_enter\n"
    ".globl lj_guard_enter\n"
    ".type lj_guard_enter, @function\n"
    "lj_guard_enter:\n"
    "    .cfi_startproc\n"
    "    push %rbp\n"
    "    .cfi_def_cfa_offset 16\n"
    "    .cfi_offset %rbp, -16\n"
    "    mov %rsp, %rbp\n"
    "    .cfi_def_cfa_register %rbp\n"
    "    push %rbx\n"
    "    .cfi_offset %rbx, -24\n"
    "    push %r12\n"
    "    .cfi_offset %r12, -32\n"
    "    push %r13\n"
    "    .cfi_offset %r13, -40\n"
    "    push %r14\n"
    "    .cfi_offset %r14, -48\n"
    "    push %r15\n"
    "    .cfi_offset %r15, -56\n"
    "    mov lj_guards@gottpoff(%rip), %rbx\n"
    "1:  mov %fs:(%rbx), %r12\n" /* depth */
    "    mov %fs:16(%rbx), %r14\n" /* frames */
    "2:  test %r12, %r12\n"
    "    jz 3f\n"
    "    cmp %rsp, -8(%r14,%r12,8)\n"
    "    ja 3f\n"
    "    dec %r12\n" /* a frame below ours was skipped by a longjmp */
    "    jmp 2b\n"
    "3:  cmp %fs:8(%rbx), %r12\n" /* capacity */
    "    jae 6f\n"
    "    push %r12\n" /* depth */
    "    mov %rbp, (%r14,%r12,8)\n"
    "    inc %r12\n"
    "    mov %r12, %fs:(%rbx)\n"
    "    movabs $0x6c6a677561726421, %r12\n" /* LJ_GUARD_COOKIE */
    "    xor %rbp, %r12\n"
    "    push %r12\n" /* cookie */
    "    push %r12\n" /* keeps the stack aligned */
    "    mov 8(%r11), %r12\n" /* an even number of words */
    "    jmp 5f\n"
    "4:  push 8(%rbp,%r12,8)\n" /* the last first */
    "    dec %r12\n"
    "5:  test %r12, %r12\n"
    "    jnz 4b\n"
    "    mov -8(%rbp), %rbx\n"
    "    mov -16(%rbp), %r12\n"
    "    mov -32(%rbp), %r14\n"
    "    call *(%r11)\n"
    "lj_guard_return:\n"
    "    mov -48(%rbp), %rcx\n"
    "    mov lj_guards@gottpoff(%rip), %rbx\n"
    "    mov %rcx, %fs:(%rbx)\n"
    "    lea -40(%rbp), %rsp\n"
    "    pop %r15\n"
    "    pop %r14\n"
    "    pop %r13\n"
    "    pop %r12\n"
    "    pop %rbx\n"
    "    pop %rbp\n"
    "    .cfi_remember_state\n"
    "    .cfi_def_cfa %rsp, 8\n"
    "    ret\n"
    "    .cfi_restore_state\n"
    "6:  mov %r11, %r13\n" /* the list is full, or the thread's first */
    LJ_SAVE_ARGUMENTS
    "    call lj_guards_grow\n"
    LJ_RESTORE_ARGUMENTS("40")
    "    mov %r13, %r11\n"
    "    lea -40(%rbp), %rsp\n"
    "    mov -24(%rbp), %r13\n"
    "    jmp 1b\n"
    "    .cfi_endproc\n"
    ".size lj_guard_enter, . - lj_guard_enter\n"
    ".hidden lj_guard_end\n"
    ".globl lj_guard_end\n"
    "lj_guard_end:\n"
    /* rdi = the guard's frame pointer. Every result register is 0, whatever the type. */
    ".p2align 4\n"
    ".hidden lj_guard_abandon\n"
    ".globl lj_guard_abandon\n"
    ".type lj_guard_abandon, @function\n"
    "lj_guard_abandon:\n"
    "    mov %rdi, %rbp\n"
    "    lea -64(%rbp), %rsp\n"
    "    xor %eax, %eax\n"
    "    xor %edx, %edx\n"
    "    pxor %xmm0, %xmm0\n"
    "    pxor %xmm1, %xmm1\n"
    "    cld\n"
    "    jmp lj_guard_return\n"
    ".size lj_guard_abandon, . - lj_guard_abandon\n");
/* clang-format on */

/* --- the list of a thread's guards ---------------------------------------------------------- */

static pthread_key_t list_key = PTHREAD_KEYS_MAX; /* until it is made: no thread has a value */
static pthread_once_t list_key_made = PTHREAD_ONCE_INIT;

static void drop_list(void *frames) {
    free(frames);
    lj_guards = (lj_guard_list){0};
}

static void make_list_key(void) {
    pthread_key_create(&list_key, drop_list);
}

/* Doubles the list. Without memory for that, the outer guards are forgotten: the unwinder finds
 * them all the same, unless code without unwind information is in its way. */
__attribute__((used, visibility("hidden"))) void lj_guards_grow(void) {
    static __thread uint64_t last_resort[1];
    int kept_errno = errno;
    lj_guard_list *list = &lj_guards;
    uint64_t capacity = list->capacity > 1 ? list->capacity * 2 : 64;
    uint64_t *frames = malloc(capacity * sizeof *frames);
    pthread_once(&list_key_made, make_list_key);
    if (frames) {
        if (list->depth)
            memcpy(frames, list->frames, list->depth * sizeof *frames);
        if (list->capacity > 1)
            free(list->frames);
        list->frames = frames;
        list->capacity = capacity;
        pthread_setspecific(list_key, frames);
    } else if (list->capacity) {
        list->depth = 0;
    } else {
        list->frames = last_resort;
        list->capacity = 1;
    }
    errno = kept_errno;
}

/* --- thunks ------------------------------------------------------------------------------- */

typedef struct callee {
    uint64_t target, words;
} callee;

typedef struct page_pair {
    struct page_pair *next; /* among those with free thunks */
    uint8_t *code;
    uint16_t free[THUNKS];
    uint16_t free_count;
} page_pair;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static page_pair *with_room;

/* In the data page, behind the last callee: the way from a thunk to its pair. */
static page_pair **owner_of(uint8_t *code) {
    return (page_pair **)(code + PAGE + THUNKS * THUNK_BYTES);
}

static void write_code(uint8_t *code) {
    uint8_t *at = code;
    for (int i = 0; i < THUNKS; i++) {
        const int32_t data = PAGE - 7, tail = (THUNKS - i) * THUNK_BYTES - 12;
        *at++ = 0x4C, *at++ = 0x8D, *at++ = 0x1D; /* lea data(%rip), %r11 */
        memcpy(at, &data, 4), at += 4;
        *at++ = 0xE9; /* jmp tail */
        memcpy(at, &tail, 4), at += 4;
        memset(at, 0xCC, 4), at += 4; /* int3 */
    }
    const uint64_t enter = (uint64_t)lj_guard_enter;
    *at++ = 0xFF, *at++ = 0x25; /* jmp *0(%rip) */
    memset(at, 0, 4), at += 4;
    memcpy(at, &enter, 8), at += 8;
    memset(at, 0xCC, 2); /* int3 */
}

static lj_status add_pair_locked(void) {
    page_pair *pair = malloc(sizeof *pair);
    if (!pair)
        return LJ_NO_MEMORY;
    uint8_t *code =
        mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) {
        free(pair);
        return LJ_SYSTEM;
    }
    write_code(code);
    if (mprotect(code, PAGE, PROT_READ | PROT_EXEC)) {
        munmap(code, 2 * PAGE);
        free(pair);
        return LJ_SYSTEM;
    }
    *owner_of(code) = pair;
    pair->code = code;
    pair->free_count = THUNKS;
    for (int i = 0; i < THUNKS; i++)
        pair->free[i] = (uint16_t)(THUNKS - 1 - i);
    pair->next = with_room;
    with_room = pair;
    return LJ_OK;
}

lj_status lj_guard_new(uint64_t target, uint64_t stack_bytes, uint64_t *out) {
    if (stack_bytes > 1 << 20)
        return LJ_MISUSE;
    lj_status status = LJ_OK;
    pthread_mutex_lock(&lock);
    if (!with_room)
        status = add_pair_locked();
    if (!status) {
        page_pair *pair = with_room;
        uint8_t *thunk = pair->code + pair->free[--pair->free_count] * THUNK_BYTES;
        if (!pair->free_count)
            with_room = pair->next;
        /* Pairs of words keep the callee's stack aligned. */
        *(callee *)(thunk + PAGE) = (callee){target, (stack_bytes + 15) / 16 * 2};
        *out = (uint64_t)thunk;
    }
    pthread_mutex_unlock(&lock);
    return status;
}

lj_status lj_guard_free(uint64_t thunk) {
    uint64_t offset = thunk % PAGE;
    if (!thunk || offset % THUNK_BYTES || offset / THUNK_BYTES >= THUNKS)
        return LJ_MISUSE;
    pthread_mutex_lock(&lock);
    page_pair *pair = *owner_of((uint8_t *)(thunk - offset));
    if (!pair->free_count) {
        pair->next = with_room;
        with_room = pair;
    }
    pair->free[pair->free_count++] = (uint16_t)(offset / THUNK_BYTES);
    pthread_mutex_unlock(&lock);
    return LJ_OK;
}

/* A thread that makes a thunk must not leave the lock locked in a forked child. */
static void lock_for_fork(void) {
    pthread_mutex_lock(&lock);
}
static void unlock_after_fork(void) {
    pthread_mutex_unlock(&lock);
}
__attribute__((constructor)) static void register_fork(void) {
    pthread_atfork(lock_for_fork, unlock_after_fork, unlock_after_fork);
}
