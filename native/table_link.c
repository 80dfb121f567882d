/* One unit's link in one call; table_link.h says when that is possible. */
#include "table_link.h"

#include <stdlib.h>
#include <string.h>

static int by_id(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* Where the object has what the unit promises: addresses and traits in the order of `ids`. False
 * when it defines anything else, or less. `scratch` has room for `count` numbers. */
static bool settle(const lj_table *table, const lj_graph *graph, uint32_t count, const int32_t *ids,
                   uint64_t *scratch, uint64_t *addresses, uint8_t *traits) {
    if (graph->defined_count != count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        scratch[i] = (uint64_t)(uint32_t)ids[i] << 32 | i;
    if (count > 1)
        qsort(scratch, count, sizeof *scratch, by_id);
    memset(addresses, 0, count * sizeof *addresses);
    for (uint32_t i = 0; i < count; i++) {
        int32_t id;
        uint8_t what;
        const char *name = graph->strings + graph->symbols[graph->defined[i]].name;
        lj_ir_index_find(lj_table_index(table), 1, name, &id, &what, NULL);
        if (what != LJ_IR_FOUND_BODY && what != LJ_IR_FOUND_DATA)
            return false;
        uint32_t low = 0, high = count;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            if (scratch[middle] >> 32 < (uint32_t)id)
                low = middle + 1;
            else
                high = middle;
        }
        if (low == count || scratch[low] >> 32 != (uint32_t)id)
            return false;
        uint32_t place = (uint32_t)scratch[low];
        if (addresses[place])
            return false; /* twice */
        addresses[place] = graph->defined_address[i];
        traits[place] = graph->defined_flags[i];
    }
    return true;
}

/* The names of the externals without an address. */
static lj_status list_unknown(lj_graph *graph, lj_table_linking *linking) {
    char *at = linking->unknown = lj_graph_take(graph, graph->names_size + 1);
    if (!at)
        return LJ_NO_MEMORY;
    const char *name = graph->names;
    for (uint32_t i = 0; i < graph->named; i++) {
        size_t size = strlen(name) + 1;
        if (!linking->externals[i]) {
            memcpy(at, name, size);
            at += size;
            linking->unknown_count++;
        }
        name += size;
    }
    linking->unknown_size = (uint64_t)(at - linking->unknown);
    return LJ_OK;
}

static bool has_weak(const lj_graph *graph) {
    return memchr(graph->external_weak, 1, graph->external_count) != NULL;
}

lj_status lj_table_link(lj_table *table, lj_stubs *pool, lj_arena *arena, const uint8_t *data,
                        uint64_t size, uint32_t count, const int32_t *ids, uint64_t *addresses,
                        uint8_t *traits, lj_table_linking *linking) {
    *linking = (lj_table_linking){0};
    lj_status status = lj_graph_load(data, size, arena, &linking->graph);
    if (status)
        return status;
    lj_graph *graph = linking->graph;
    uint64_t *scratch = lj_graph_take(graph, (count + graph->external_count + 1) * sizeof *scratch);
    if (!scratch)
        return LJ_OK; /* the general way goes on, and meets what failed again */
    linking->externals = scratch + count;
    linking->ordinary =
        !lj_table_known(table, pool, graph->named, graph->names, linking->externals) &&
        !graph->initializers && !has_weak(graph) &&
        settle(table, graph, count, ids, scratch, addresses, traits) &&
        !list_unknown(graph, linking);
    return LJ_OK;
}

lj_status lj_table_link_end(lj_table_linking *linking, const uint64_t *found) {
    lj_graph *graph = linking->graph;
    for (uint32_t i = 0; i < graph->external_count; i++)
        if (!linking->externals[i])
            linking->externals[i] = *found++;
    lj_status status = lj_graph_fix_up(graph, linking->externals, graph->external_count);
    if (status)
        lj_linked_release(&graph->linked);
    return status;
}
