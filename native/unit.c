/* The stations of some units, one after the other. */
#include "unit.h"

#include <time.h>

static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void add(uint64_t *sum, uint64_t more) {
    __atomic_fetch_add(sum, more, __ATOMIC_RELAXED);
}

/* Nothing is missing. Counted before it is published: who calls the code may look. */
static lj_status end(const lj_unit_maker *maker, uint64_t started, uint32_t count,
                     const int32_t *ids, const uint64_t *found, const uint64_t *addresses,
                     lj_unit_made *made) {
    lj_graph *graph = made->link.graph;
    lj_status status = lj_table_link_end(&made->link, found);
    add(&maker->counts->link_ns, now_ns() - started);
    if (status)
        return status;
    add(&maker->counts->linked, 1);
    status = lj_table_keep(maker->table, maker->stubs, count, ids, addresses, graph);
    if (status)
        return status;
    lj_graph_free(graph);
    lj_ir_unit_dispose(&made->carved);
    lj_object_free(&made->object);
    made->link = (lj_table_linking){0};
    made->left = 0;
    return LJ_OK;
}

static void compile(const lj_unit_maker *maker, lj_unit_made *made) {
    lj_unit_counts *counts = maker->counts;
    lj_ir_unit *carved = &made->carved;
    lj_object *object = &made->object;
    made->status = lj_llvm_compile(maker->config, carved->text, carved->length, LJ_EMIT_OBJECT,
                                   object, &made->fault);
    if (made->status)
        return;
    add(&counts->units, 1);
    add(&counts->functions, carved->functions);
    add(&counts->object_bytes, object->size);
    add(&counts->parse_ns, object->parse_ns);
    add(&counts->optimize_ns, object->optimize_ns);
    add(&counts->emit_ns, object->emit_ns);
}

static void link_one(const lj_unit_maker *maker, uint32_t count, const int32_t *ids,
                     uint64_t *addresses, uint8_t *traits, lj_unit_made *made) {
    uint64_t started = now_ns();
    made->status = lj_table_link(maker->table, maker->stubs, maker->arena, made->object.data,
                                 made->object.size, count, ids, addresses, traits, &made->link);
    if (!made->status && made->link.ordinary && !made->link.unknown_count)
        made->status = end(maker, started, count, ids, NULL, addresses, made);
    else
        add(&maker->counts->link_ns, now_ns() - started);
}

uint32_t lj_units_make(const lj_unit_maker *maker, uint32_t units, const uint32_t *counts,
                       const int32_t *ids, int plain, uint64_t *addresses, uint8_t *traits,
                       lj_unit_made *made) {
    lj_ir_carve_options options = maker->options;
    if (plain)
        options.inline_budget = options.inline_limit = 0;

    uint64_t started = now_ns();
    const int32_t *own = ids;
    for (uint32_t i = 0; i < units; own += counts[i++]) {
        made[i] = (lj_unit_made){.left = 1};
        made[i].status =
            lj_ir_carve(maker->index, counts[i], own, &options, &made[i].carved, &made[i].fault);
    }
    add(&maker->counts->carve_ns, now_ns() - started);
    for (uint32_t i = 0; i < units; i++)
        if (!made[i].status)
            compile(maker, &made[i]);
    uint32_t left = 0;
    for (uint32_t i = 0; i < units; i++) {
        if (!made[i].status)
            link_one(maker, counts[i], ids, addresses, traits, &made[i]);
        left += made[i].left != 0;
        ids += counts[i];
        addresses += counts[i];
        traits += counts[i];
    }
    return left;
}

static bool all_found(const uint64_t *found, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (!found[i])
            return false;
    return true;
}

uint32_t lj_units_finish(const lj_unit_maker *maker, uint32_t units, const uint32_t *counts,
                         const int32_t *ids, const uint64_t *found, const uint64_t *addresses,
                         lj_unit_made *made) {
    uint32_t left = 0;
    for (uint32_t i = 0; i < units; i++) {
        uint32_t unknown = made[i].link.ordinary ? made[i].link.unknown_count : 0;
        if (unknown && all_found(found, unknown))
            made[i].status = end(maker, now_ns(), counts[i], ids, found, addresses, &made[i]);
        left += made[i].left != 0;
        found += unknown;
        ids += counts[i];
        addresses += counts[i];
    }
    return left;
}
