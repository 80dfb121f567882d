// A program of some size and no tricks: a hash map, a red-black-like tree, a priority queue, a
// matrix product, string building, sorting of lists; on the heap.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry { char *key; int value; struct entry *next; };
struct map { struct entry **buckets; size_t size, used; };
static uint64_t hash(const char *s) {
    uint64_t h = 14695981039346656037u;
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    return h;
}
static void grow(struct map *m) {
    size_t size = m->size ? m->size * 2 : 8;
    struct entry **buckets = calloc(size, sizeof *buckets);
    for (size_t i = 0; i < m->size; i++)
        for (struct entry *e = m->buckets[i], *next; e; e = next) {
            next = e->next;
            size_t at = hash(e->key) % size;
            e->next = buckets[at];
            buckets[at] = e;
        }
    free(m->buckets);
    m->buckets = buckets;
    m->size = size;
}
static int *slot(struct map *m, const char *key) {
    if (m->used >= m->size)
        grow(m);
    size_t at = hash(key) % m->size;
    for (struct entry *e = m->buckets[at]; e; e = e->next)
        if (!strcmp(e->key, key))
            return &e->value;
    struct entry *e = malloc(sizeof *e);
    *e = (struct entry){strdup(key), 0, m->buckets[at]};
    m->buckets[at] = e;
    m->used++;
    return &e->value;
}
static void release(struct map *m) {
    for (size_t i = 0; i < m->size; i++)
        for (struct entry *e = m->buckets[i], *next; e; e = next) {
            next = e->next;
            free(e->key);
            free(e);
        }
    free(m->buckets);
}
struct tree { int key, height; struct tree *left, *right; };
static int height(const struct tree *t) { return t ? t->height : 0; }
static void update(struct tree *t) {
    int l = height(t->left), r = height(t->right);
    t->height = 1 + (l > r ? l : r);
}
static struct tree *rotate(struct tree *t, int to_left) {
    struct tree *up = to_left ? t->right : t->left;
    if (to_left) { t->right = up->left; up->left = t; } else { t->left = up->right; up->right = t; }
    update(t);
    update(up);
    return up;
}
static struct tree *insert(struct tree *t, int key) {
    if (!t) {
        t = calloc(1, sizeof *t);
        t->key = key;
        t->height = 1;
        return t;
    }
    if (key < t->key) t->left = insert(t->left, key);
    else if (key > t->key) t->right = insert(t->right, key);
    update(t);
    int balance = height(t->left) - height(t->right);
    if (balance > 1) {
        if (height(t->left->left) < height(t->left->right)) t->left = rotate(t->left, 1);
        return rotate(t, 0);
    }
    if (balance < -1) {
        if (height(t->right->right) < height(t->right->left)) t->right = rotate(t->right, 0);
        return rotate(t, 1);
    }
    return t;
}
static long checksum(const struct tree *t, int depth) {
    return t ? checksum(t->left, depth + 1) * 3 + t->key * (long)depth + checksum(t->right, depth + 1) : 1;
}
static void chop(struct tree *t) {
    if (t) { chop(t->left); chop(t->right); free(t); }
}
struct list { int v; struct list *next; };
static struct list *merge(struct list *a, struct list *b) {
    struct list head = {0, NULL}, *last = &head;
    while (a && b) {
        struct list **least = a->v <= b->v ? &a : &b;
        last = last->next = *least;
        *least = (*least)->next;
    }
    last->next = a ? a : b;
    return head.next;
}
static struct list *sort(struct list *l) {
    if (!l || !l->next) return l;
    struct list *slow = l, *fast = l->next;
    while (fast && fast->next) { slow = slow->next; fast = fast->next->next; }
    struct list *second = slow->next;
    slow->next = NULL;
    return merge(sort(l), sort(second));
}
static void multiply(int n, const double *a, const double *b, double *c) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double s = 0;
            for (int k = 0; k < n; k++)
                s += a[i * n + k] * b[k * n + j];
            c[i * n + j] = s;
        }
}
int main(void) {
    struct map m = {0};
    char key[32];
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "key-%d", (i * 7919) % 1000);
        *slot(&m, key) += i;
    }
    printf("map %zu %d %d\n", m.used, *slot(&m, "key-0"), *slot(&m, "key-999"));
    release(&m);
    struct tree *t = NULL;
    for (int i = 0; i < 2000; i++)
        t = insert(t, (i * 7919) % 4093);
    printf("tree %d %ld\n", height(t), checksum(t, 1));
    chop(t);
    struct list *l = NULL;
    for (int i = 0; i < 3000; i++) {
        struct list *n = malloc(sizeof *n);
        *n = (struct list){(i * 31337) % 10007, l};
        l = n;
    }
    l = sort(l);
    long sum = 0, position = 0;
    for (struct list *n = l, *next; n; n = next) {
        next = n->next;
        sum += n->v * ++position % 1009;
        free(n);
    }
    printf("list %ld\n", sum);
    enum { N = 48 };
    double *a = malloc(sizeof(double) * N * N), *b = malloc(sizeof(double) * N * N), *c = malloc(sizeof(double) * N * N);
    for (int i = 0; i < N * N; i++) { a[i] = i % 17; b[i] = i % 23; }
    multiply(N, a, b, c);
    double trace = 0;
    for (int i = 0; i < N; i++) trace += c[i * N + i];
    printf("matrix %.1f\n", trace);
    free(a); free(b); free(c);
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (int i = 0; i < 100; i++) fprintf(stream, "%d,", i * i);
    fclose(stream);
    printf("text %zu %.20s\n", size, text);
    free(text);
    return 0;
}
