/* A module's table; table.h says what it is for. */
#include "table.h"

#include "atexit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct lj_table {
    const lj_ir_index *index;
    const lj_ir_entity *entities;
    uint32_t count;
    uint64_t payload; /* of entity 0 */
    pthread_mutex_t lock;
    bool retired;
    uint64_t *stubs, *ready; /* 0: none yet */
    uint8_t *states;
    struct code {
        struct code *next;
        lj_linked linked;
    } *code;
};

lj_status lj_table_new(const lj_ir_index *index, uint32_t ordinal, lj_table **out) {
    lj_ir_counts counts;
    lj_ir_index_counts(index, &counts);
    size_t n = (size_t)counts.entities + 1;
    lj_table *table = calloc(1, sizeof *table);
    if (!table)
        return LJ_NO_MEMORY;
    /* Large callocs are fresh pages. */
    *table = (lj_table){.index = index,
                        .entities = lj_ir_index_entities(index),
                        .count = counts.entities,
                        .payload = (uint64_t)ordinal << 32,
                        .stubs = calloc(n, sizeof *table->stubs),
                        .ready = calloc(n, sizeof *table->ready),
                        .states = calloc(n, sizeof *table->states)};
    pthread_mutex_init(&table->lock, NULL);
    if (!table->stubs || !table->ready || !table->states) {
        lj_table_dispose(table);
        return LJ_NO_MEMORY;
    }
    *out = table;
    return LJ_OK;
}

void lj_table_dispose(lj_table *table) {
    if (!table)
        return;
    pthread_mutex_destroy(&table->lock);
    while (table->code) {
        struct code *code = table->code;
        table->code = code->next;
        free(code);
    }
    free(table->stubs);
    free(table->ready);
    free(table->states);
    free(table);
}

const lj_ir_index *lj_table_index(const lj_table *table) {
    return table->index;
}

/* --- who makes what ------------------------------------------------------------------------- */

uint8_t *lj_table_states(const lj_table *table) {
    return table->states;
}

void lj_table_take(lj_table *table, uint32_t count, const int32_t *ids) {
    for (uint32_t i = 0; i < count; i++)
        __atomic_store_n(&table->states[ids[i]], LJ_IR_TAKEN, __ATOMIC_RELAXED);
}

void lj_table_want(lj_table *table, uint32_t count, const int32_t *ids) {
    for (uint32_t i = 0; i < count; i++) {
        uint8_t state = LJ_IR_FREE;
        __atomic_compare_exchange_n(&table->states[ids[i]], &state, LJ_IR_WANTED, false,
                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    }
}

/* --- stubs ---------------------------------------------------------------------------------- */

static int32_t function_behind(const lj_table *table, int32_t id) {
    const lj_ir_entity *e = &table->entities[id];
    return e->kind == LJ_IR_ALIAS && e->aliasee >= 0 ? e->aliasee : id;
}

static lj_status stub_locked(lj_table *table, lj_stubs *pool, int32_t id, uint64_t *address) {
    int32_t function = function_behind(table, id);
    uint64_t *stub = &table->stubs[function];
    if (!*stub) {
        uint64_t payload = table->payload | (uint32_t)function;
        lj_status status = lj_stubs_create(pool, 1, &payload, stub);
        if (status) {
            *stub = 0;
            return status;
        }
        if (table->ready[function])
            lj_stubs_resolve(pool, 1, stub, &table->ready[function]);
    }
    *address = *stub;
    return LJ_OK;
}

lj_status lj_table_stubs(lj_table *table, lj_stubs *pool, uint32_t count, const int32_t *ids,
                         uint64_t *addresses) {
    lj_status status = LJ_OK;
    pthread_mutex_lock(&table->lock);
    for (uint32_t i = 0; i < count && !status; i++)
        status = stub_locked(table, pool, ids[i], &addresses[i]);
    pthread_mutex_unlock(&table->lock);
    return status;
}

uint64_t lj_table_stub(lj_table *table, int32_t id) {
    pthread_mutex_lock(&table->lock);
    uint64_t stub = table->stubs[function_behind(table, id)];
    pthread_mutex_unlock(&table->lock);
    return stub;
}

/* --- what a unit's object refers to, and what it defines ------------------------------------ */

lj_status lj_table_known(lj_table *table, lj_stubs *pool, uint32_t count, const char *names,
                         uint64_t *addresses) {
    lj_status status = LJ_OK;
    pthread_mutex_lock(&table->lock);
    for (uint32_t i = 0; i < count && !status; i++, names += strlen(names) + 1) {
        int32_t id;
        uint8_t what;
        lj_ir_index_find(table->index, 1, names, &id, &what, NULL);
        addresses[i] = 0;
        if (id < 0 || table->entities[id].flags & LJ_IR_WEAK)
            continue;
        if (what == LJ_IR_FOUND_DATA)
            addresses[i] = table->ready[id];
        else if (what == LJ_IR_FOUND_STUB)
            status = stub_locked(table, pool, id, &addresses[i]);
    }
    pthread_mutex_unlock(&table->lock);
    return status;
}

static lj_status publish_locked(lj_table *table, lj_stubs *pool, uint32_t count, const int32_t *ids,
                                const uint64_t *addresses) {
    lj_status status = LJ_OK;
    for (uint32_t i = 0; i < count && !status && !table->retired; i++) {
        table->ready[ids[i]] = addresses[i];
        if (table->stubs[ids[i]])
            status = lj_stubs_resolve(pool, 1, &table->stubs[ids[i]], &addresses[i]);
    }
    return status;
}

lj_status lj_table_publish(lj_table *table, lj_stubs *pool, uint32_t count, const int32_t *ids,
                           const uint64_t *addresses) {
    pthread_mutex_lock(&table->lock);
    lj_status status = publish_locked(table, pool, count, ids, addresses);
    pthread_mutex_unlock(&table->lock);
    return status;
}

lj_status lj_table_keep(lj_table *table, lj_stubs *pool, uint32_t count, const int32_t *ids,
                        const uint64_t *addresses, lj_graph *graph) {
    struct code *code = malloc(sizeof *code);
    if (!code) {
        lj_linked_release(&graph->linked);
        return LJ_NO_MEMORY;
    }
    lj_graph_finalize(graph, &code->linked);
    pthread_mutex_lock(&table->lock);
    bool retired = table->retired;
    if (!retired) {
        code->next = table->code;
        table->code = code;
    }
    lj_status status = publish_locked(table, pool, count, ids, addresses);
    pthread_mutex_unlock(&table->lock);
    if (retired) {
        lj_linked_release(&code->linked);
        free(code);
    }
    return status;
}

lj_status lj_table_fail(lj_table *table, lj_stubs *pool, int32_t id, uint64_t stub, uint64_t token,
                        const char *message, int *done) {
    lj_status status = LJ_OK;
    pthread_mutex_lock(&table->lock);
    *done = table->stubs[function_behind(table, id)] == stub;
    if (*done)
        status = lj_stubs_fail(pool, 1, &stub, token, message);
    pthread_mutex_unlock(&table->lock);
    return status;
}

/* --- the end -------------------------------------------------------------------------------- */

uint32_t lj_table_retire(lj_table *table, uint32_t room, int32_t *ids) {
    uint32_t found = 0;
    pthread_mutex_lock(&table->lock);
    table->retired = true;
    for (struct code *code = table->code; code; code = code->next)
        lj_linked_forget(&code->linked);
    for (uint32_t i = 0; i < table->count; i++) {
        if (table->ready[i]) /* else the page may be untouched yet */
            table->ready[i] = 0;
        if (!table->stubs[i])
            continue;
        lj_atexit_forget(table->stubs[i], 1);
        if (found < room)
            ids[found] = (int32_t)i;
        found++;
    }
    pthread_mutex_unlock(&table->lock);
    return found;
}

lj_status lj_table_free(lj_table *table, lj_stubs *pool) {
    lj_status status = LJ_OK;
    pthread_mutex_lock(&table->lock);
    table->retired = true;
    for (uint32_t i = 0; i < table->count && !status; i++)
        if (table->stubs[i]) {
            status = lj_stubs_free(pool, 1, &table->stubs[i]);
            table->stubs[i] = 0;
        }
    for (struct code *code = table->code; code; code = code->next)
        lj_linked_release(&code->linked);
    pthread_mutex_unlock(&table->lock);
    return status;
}

void lj_table_before_fork(lj_table *table) {
    pthread_mutex_lock(&table->lock);
}
void lj_table_after_fork(lj_table *table) {
    pthread_mutex_unlock(&table->lock);
}
