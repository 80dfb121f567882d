// POSIX threads: first calls from many threads at once, on stacks of the smallest size, thread-local
// variables of every kind, keys with destructors, mutexes and conditions, once, and an end by exit.
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 8
static _Thread_local int local_zero;
static _Thread_local int local_value = 100;
_Thread_local char local_buffer[64] = "initial";
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_calls, destroyed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static int waiting;

static void destroy(void *value) {
    pthread_mutex_lock(&lock);
    destroyed += *(int *)value;
    pthread_mutex_unlock(&lock);
    free(value);
}
static void initialize(void) {
    once_calls++;
    pthread_key_create(&key, destroy);
}
#define FUNCTION(n) \
    static __attribute__((noinline)) long work_##n(long x) { return x * n + (x ^ n); }
FUNCTION(1) FUNCTION(2) FUNCTION(3) FUNCTION(4) FUNCTION(5) FUNCTION(6) FUNCTION(7) FUNCTION(8)
static long (*const works[])(long) = {work_1, work_2, work_3, work_4, work_5, work_6, work_7, work_8};

static __attribute__((noinline)) int bump(int by) {
    local_zero += by;
    local_value -= by;
    local_buffer[0] = (char)('a' + by);
    return local_zero * 1000 + local_value;
}

static void *body(void *argument) {
    long id = (long)argument;
    pthread_once(&once, initialize);
    int *mine = malloc(sizeof *mine);
    *mine = (int)id + 1;
    pthread_setspecific(key, mine);
    pthread_barrier_wait(&barrier);
    long total = 0;
    for (int i = 0; i < 8; i++)
        total += works[(i + id) % 8](id + 1);
    int state = bump((int)id);
    state = bump((int)id);
    pthread_mutex_lock(&lock);
    waiting++;
    pthread_cond_signal(&arrived);
    pthread_mutex_unlock(&lock);
    return (void *)(total * 1000000 + state + local_buffer[0]);
}

int main(void) {
    pthread_t threads[THREADS];
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 * 1024);
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (long i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], &small, body, (void *)i))
            return 1;
    pthread_mutex_lock(&lock);
    while (waiting < THREADS)
        pthread_cond_wait(&arrived, &lock);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        printf("%d: %ld\n", i, (long)result);
    }
    printf("%d %d %d %d %s\n", once_calls, destroyed, local_zero, local_value, local_buffer);
    return 0;
}
