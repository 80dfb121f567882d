/* Callers and callees that the stub tests need in machine code. Built by the tests, with gcc.
 *
 * probe_call loads every register that may hold an argument with a pattern and calls `probe_fn`;
 * probe_callee, to which a stub leads, writes down what arrives.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct state {
    uint64_t general[16]; /* rax rcx rdx rbx rsp rbp rsi rdi r8 ... r15; rsp and r11 unused */
    uint64_t stack[2];
    uint64_t masks[8];
    uint8_t vectors[32][64];
};

struct state probe_in, probe_out;
void *probe_fn;
int probe_mode; /* 0: SSE, 1: AVX, 2: AVX-512 */

/* clang-format off */
#define VECTORS16(OP) OP(0) OP(1) OP(2) OP(3) OP(4) OP(5) OP(6) OP(7) \
                      OP(8) OP(9) OP(10) OP(11) OP(12) OP(13) OP(14) OP(15)
#define VECTORS32(OP) VECTORS16(OP) OP(16) OP(17) OP(18) OP(19) OP(20) OP(21) OP(22) OP(23) \
                      OP(24) OP(25) OP(26) OP(27) OP(28) OP(29) OP(30) OP(31)
#define MASKS(OP) OP(0) OP(1) OP(2) OP(3) OP(4) OP(5) OP(6) OP(7)
#define AT(name, n) #name "+208+64*" #n "(%rip)"
#define LOAD_X(n) "movups " AT(probe_in, n) ", %xmm" #n "\n"
#define LOAD_Y(n) "vmovups " AT(probe_in, n) ", %ymm" #n "\n"
#define LOAD_Z(n) "vmovups " AT(probe_in, n) ", %zmm" #n "\n"
#define SAVE_X(n) "movups %xmm" #n ", " AT(probe_out, n) "\n"
#define SAVE_Y(n) "vmovups %ymm" #n ", " AT(probe_out, n) "\n"
#define SAVE_Z(n) "vmovups %zmm" #n ", " AT(probe_out, n) "\n"
#define LOAD_K(n) "kmovq probe_in+144+8*" #n "(%rip), %k" #n "\n"
#define SAVE_K(n) "kmovq %k" #n ", probe_out+144+8*" #n "(%rip)\n"
#define LOAD(n, reg) "mov probe_in+8*" #n "(%rip), %" #reg "\n"
#define SAVE(n, reg) "mov %" #reg ", probe_out+8*" #n "(%rip)\n"
#define GENERAL(OP) OP(1, rcx) OP(2, rdx) OP(3, rbx) OP(5, rbp) OP(6, rsi) OP(7, rdi) \
                    OP(8, r8) OP(9, r9) OP(10, r10) OP(12, r12) OP(13, r13) OP(14, r14) OP(15, r15)
#define HIDE(name) ".hidden " #name "\n"
__asm__(".text\n"
        HIDE(probe_in) HIDE(probe_out) HIDE(probe_fn) HIDE(probe_mode)
        ".globl probe_call\n.type probe_call, @function\nprobe_call:\n"
        "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "sub $8, %rsp\n"
        "push probe_in+136(%rip)\npush probe_in+128(%rip)\n"
        "mov probe_mode(%rip), %eax\n"
        "cmp $1, %eax\nje 1f\njg 2f\n"
        VECTORS16(LOAD_X) "jmp 3f\n"
        "1:\n" VECTORS16(LOAD_Y) "jmp 3f\n"
        "2:\n" VECTORS32(LOAD_Z) MASKS(LOAD_K)
        "3:\n" GENERAL(LOAD) LOAD(0, rax)
        "call *probe_fn(%rip)\n"
        "add $24, %rsp\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\n"
        "ret\n.size probe_call, . - probe_call\n"
        ".globl probe_callee\n.type probe_callee, @function\nprobe_callee:\n"
        SAVE(0, rax) GENERAL(SAVE)
        "mov 8(%rsp), %rax\nmov %rax, probe_out+128(%rip)\n"
        "mov 16(%rsp), %rax\nmov %rax, probe_out+136(%rip)\n"
        "mov probe_mode(%rip), %eax\n"
        "cmp $1, %eax\nje 1f\njg 2f\n"
        VECTORS16(SAVE_X) "jmp 3f\n"
        "1:\n" VECTORS16(SAVE_Y) "jmp 3f\n"
        "2:\n" VECTORS32(SAVE_Z) MASKS(SAVE_K)
        "3:\nvzeroupper\nmov $42, %eax\nret\n.size probe_callee, . - probe_callee\n");
/* clang-format on */
__asm__(".globl probe_call, probe_callee");
extern void probe_call(void);
extern long probe_callee(void);

int probe_vector_mode(void) {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
        return 2;
    return __builtin_cpu_supports("avx") ? 1 : 0;
}

/* Returns how many bytes of the state differ, with the place of the first in *where. */
int probe_registers(void *fn, int mode, int *where) {
    uint8_t *in = (uint8_t *)&probe_in, *out = (uint8_t *)&probe_out;
    for (size_t i = 0; i < sizeof probe_in; i++)
        in[i] = (uint8_t)(i * 167 + 13 + (i >> 8));
    memset(out, 0, sizeof probe_out);
    probe_fn = fn;
    probe_mode = mode;
    probe_call();
    int different = 0, width = 16 << mode;
    for (size_t i = 0; i < sizeof probe_in; i++) {
        size_t word = i / 8, vector = i >= 208 ? (i - 208) / 64 : 0;
        if (word == 4 || word == 11 || (i >= 144 && i < 208 && mode < 2) ||
            (i >= 208 && ((i - 208) % 64 >= (size_t)width || (mode < 2 && vector >= 16))))
            continue;
        if (in[i] != out[i] && !different++)
            *where = (int)i;
    }
    return different;
}

/* --- callees ------------------------------------------------------------------------------- */

long probe_add(long a, long b) { return a + b; }
long probe_ten(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j) {
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}
double probe_mixed(double a, long b, float c, double d, double e, double f, double g, double h,
                   double i, double j, long double k, char l) {
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j +
           (double)(11 * k) + 12 * l;
}
struct pair {
    long a, b;
};
struct big {
    double v[5];
};
long probe_structs(struct pair p, struct pair q, struct pair r, struct pair s, long t) {
    return p.a + 2 * p.b + 3 * q.a + 4 * q.b + 5 * r.a + 6 * r.b + 7 * s.a + 8 * s.b + 9 * t;
}
struct big probe_big(struct big b, double x) {
    for (int i = 0; i < 5; i++)
        b.v[i] *= x;
    return b;
}

/* --- callers ------------------------------------------------------------------------------- */

typedef long binary(long, long);

struct job {
    binary *fn;
    long a, b, result;
    pthread_barrier_t *barrier;
};

static void *run(void *argument) {
    struct job *job = argument;
    if (job->barrier)
        pthread_barrier_wait(job->barrier);
    job->result = job->fn(job->a, job->b);
    return NULL;
}

long probe_small_stack(binary *fn, long a, long b, size_t stack) {
    struct job job = {fn, a, b, -1, NULL};
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, stack) ||
        pthread_create(&thread, &attributes, run, &job))
        return -2;
    pthread_join(thread, NULL);
    return job.result;
}

/* `count` threads call at once; thread i calls fns[i](i, 1000). */
int probe_race(binary **fns, int count, long *results) {
    struct job *jobs = calloc((size_t)count, sizeof *jobs);
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, (unsigned)count);
    for (int i = 0; i < count; i++) {
        jobs[i] = (struct job){fns[i], i, 1000, -1, &barrier};
        if (pthread_create(&threads[i], NULL, run, &jobs[i]))
            return -1;
    }
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        results[i] = jobs[i].result;
    }
    pthread_barrier_destroy(&barrier);
    free(jobs);
    free(threads);
    return 0;
}

/* errno after a call that is entered with `value` in it. */
int probe_errno(binary *fn, int value) {
    errno = value;
    fn(1, 2);
    return errno;
}

/* Calls on through C; with its own frame, so that unwinding has something to pass. */
long probe_through(binary *fn, long a, long b) {
    volatile long before = a;
    long result = fn(a, b);
    return result + before;
}

static jmp_buf back;
typedef void plain(void);
/* Calls `skipped`, which comes back by probe_jump, then `fn`. */
long probe_after_jump(plain *skipped, binary *fn) {
    if (!setjmp(back))
        skipped();
    return fn(1, 2);
}
void probe_jump(void) { longjmp(back, 1); }

/* Calls `fn` when the process exits, Python being gone by then. */
static binary *at_exit;
static void call_at_exit(void) { at_exit(1, 2); }
void probe_at_exit(binary *fn) {
    at_exit = fn;
    atexit(call_at_exit);
}

/* A stack that walks of the stack can be counted on. */
extern int backtrace(void **, int);
long probe_backtrace(void) {
    void *frames[64];
    return backtrace(frames, 64);
}

/* Calls `count` functions, one after the other. */
void probe_first_calls(binary **fns, long count) {
    for (long i = 0; i < count; i++)
        fns[i](i, i);
}
