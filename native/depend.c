/* The graph of who waits for whom; depend.h says how it works. */
#include "depend_graph.h"

#include <stdlib.h>

typedef lj_depend_node node;
typedef lj_depend_edge edge;

/* --- room ----------------------------------------------------------------------------------- */

/* What a graph keeps when nothing is under way. */
enum { FEW = 256 };

static bool resize(void *array, size_t room, size_t size) {
    void *resized = realloc(*(void **)array, room * size);
    if (resized)
        *(void **)array = resized;
    return resized;
}

/* Twice as much, or `least`; 0 if numbers don't reach that far. */
static uint32_t more(uint32_t room, uint64_t least) {
    uint64_t wanted = (uint64_t)room * 2;
    if (wanted < least)
        wanted = least;
    return wanted <= UINT32_MAX ? (uint32_t)wanted : 0;
}

static bool fit_node(lj_depend *g) {
    if (g->free_node || g->node_end < g->node_room)
        return true;
    uint32_t room = more(g->node_room, (uint64_t)g->node_end + 1);
    if (!room || !resize(&g->nodes, room, sizeof *g->nodes) ||
        !resize(&g->scan, room, sizeof *g->scan) || !resize(&g->over, room, sizeof *g->over))
        return false;
    g->node_room = room;
    return true;
}

static bool fit_edges(lj_depend *g, uint32_t count) {
    uint64_t least = 1 + (uint64_t)g->live_edges + count;
    if (least <= g->edge_room)
        return true;
    uint32_t room = more(g->edge_room, least);
    if (!room || !resize(&g->edges, room, sizeof *g->edges))
        return false;
    g->edge_room = room;
    return true;
}

/* Without nodes there are no edges either, and all numbers are free. */
static void rest(lj_depend *g) {
    if (g->live_nodes)
        return;
    g->node_end = g->edge_end = 1;
    g->free_node = g->free_edge = 0;
    if (g->node_room > FEW) {
        resize(&g->nodes, FEW, sizeof *g->nodes);
        resize(&g->scan, FEW, sizeof *g->scan);
        g->node_room = FEW; /* `over` stays: it may be read yet */
    }
    if (g->edge_room > FEW) {
        resize(&g->edges, FEW, sizeof *g->edges);
        g->edge_room = FEW;
    }
}

lj_status lj_depend_new(lj_depend **out) {
    lj_depend *g = calloc(1, sizeof *g);
    if (!g)
        return LJ_NO_MEMORY;
    g->node_end = g->edge_end = 1;
    if (!fit_node(g) || !fit_edges(g, 0)) {
        lj_depend_dispose(g);
        return LJ_NO_MEMORY;
    }
    g->nodes[0] = (node){.stage = LJ_DEPEND_FREE};
    *out = g;
    return LJ_OK;
}

void lj_depend_dispose(lj_depend *g) {
    if (!g)
        return;
    free(g->nodes);
    free(g->edges);
    free(g->scan);
    free(g->over);
    free(g);
}

lj_status lj_depend_add(lj_depend *g, void *what, uint32_t *out) {
    if (!fit_node(g))
        return LJ_NO_MEMORY;
    uint32_t n = g->free_node, generation = 0;
    if (n) {
        g->free_node = g->nodes[n].members;
        generation = g->nodes[n].generation;
    } else {
        n = g->node_end++;
    }
    g->nodes[n] =
        (node){.what = what, .generation = generation, .members = n, .stage = LJ_DEPEND_UNEMITTED};
    g->live_nodes++;
    *out = n;
    return LJ_OK;
}

/* It, which has left all rings, and the others of its circle are over. */
static void end_node(lj_depend *g, uint32_t n) {
    uint32_t m = n;
    do {
        node *member = &g->nodes[m];
        uint32_t next = member->members;
        g->over[g->over_count++] = member->what;
        member->stage = LJ_DEPEND_FREE;
        member->rep = 0;
        member->generation++;
        member->members = g->free_node;
        g->free_node = m;
        g->live_nodes--;
        m = next;
    } while (m != n);
}

static uint32_t new_edge(lj_depend *g) {
    uint32_t e = g->free_edge;
    if (e)
        g->free_edge = g->edges[e].next_need;
    else
        e = g->edge_end++;
    g->live_edges++;
    return e;
}

static void end_edge(lj_depend *g, uint32_t e) {
    g->edges[e].next_need = g->free_edge;
    g->free_edge = e;
    g->live_edges--;
}

/* --- rings ---------------------------------------------------------------------------------- */

/* Two rings, known by these last links, are one. */
static void exchange(uint32_t *next, uint32_t *other) {
    uint32_t first = *next;
    *next = *other;
    *other = first;
}

/* The ring of both, which ends with b's links. */
static uint32_t join_needs(lj_depend *g, uint32_t a, uint32_t b) {
    if (a && b)
        exchange(&g->edges[a].next_need, &g->edges[b].next_need);
    return b ? b : a;
}

static uint32_t join_waiters(lj_depend *g, uint32_t a, uint32_t b) {
    if (a && b)
        exchange(&g->edges[a].next_waiter, &g->edges[b].next_waiter);
    return b ? b : a;
}

/* Forgets the first need. */
static void pop_need(lj_depend *g, uint32_t n) {
    node *at = &g->nodes[n];
    uint32_t e = lj_depend_first(g, n);
    g->edges[at->needs].next_need = g->edges[e].next_need;
    if (e == at->needs)
        at->needs = 0;
    g->edges[e].from = 0;
    if (!g->edges[e].to)
        end_edge(g, e);
}

/* --- the forest ----------------------------------------------------------------------------- */

static void lean(node *n, uint32_t on, uint32_t generation) {
    n->jump = on;
    n->jump_generation = generation;
}

/* Where the lean path from n ends. */
static uint32_t root(const lj_depend *g, uint32_t n) {
    node *nodes = g->nodes;
    while (nodes[n].jump) {
        uint32_t up = nodes[n].jump;
        if (nodes[up].generation != nodes[n].jump_generation)
            up = g->edges[lj_depend_first(g, n)].to; /* what n leans on is not over */
        up = lj_depend_find(g, up);
        if (!nodes[up].jump)
            return up;
        lean(&nodes[n], nodes[up].jump, nodes[up].jump_generation);
        n = up;
    }
    return n;
}

/* Makes one node, which leans on nothing, of the lean path from n to its root `top`. */
static void merge_circle(lj_depend *g, uint32_t top, uint32_t n) {
    node *one = &g->nodes[top];
    while (n != top) {
        node *each = &g->nodes[n];
        uint32_t up = lj_depend_find(g, g->edges[lj_depend_first(g, n)].to);
        one->needs = join_needs(g, one->needs, each->needs);
        one->waiters = join_waiters(g, one->waiters, each->waiters);
        exchange(&one->members, &each->members);
        each->needs = each->waiters = each->jump = 0;
        each->stage = LJ_DEPEND_MERGED;
        each->rep = top;
        n = up;
    }
}

/* It reaches nothing unemitted: it is ready, and whoever leans on it must look further. */
static void release(lj_depend *g, uint32_t n) {
    lj_depend_walk walk = lj_depend_waiters(g, n);
    for (uint32_t e; (e = lj_depend_step(g, &walk));) {
        edge *each = &g->edges[e];
        each->to = 0;
        if (!each->from) {
            end_edge(g, e);
            continue;
        }
        uint32_t waiter = lj_depend_find(g, each->from);
        if (g->nodes[waiter].jump && lj_depend_first(g, waiter) == e) {
            g->nodes[waiter].jump = 0;
            g->scan[g->scan_count++] = waiter;
        }
    }
    end_node(g, n);
}

/* Lets the nodes in `scan`, which lean on nothing, find something, or be ready. */
static void settle(lj_depend *g) {
    while (g->scan_count) {
        uint32_t n = lj_depend_find(g, g->scan[--g->scan_count]);
        node *at = &g->nodes[n];
        if (at->stage != LJ_DEPEND_BLOCKED || at->jump)
            continue; /* its circle has looked already */
        while (at->needs) {
            uint32_t to = lj_depend_find(g, g->edges[lj_depend_first(g, n)].to);
            if (!to || to == n) {
                pop_need(g, n);
            } else if (g->nodes[to].stage == LJ_DEPEND_BLOCKED && at->waiters && root(g, to) == n) {
                pop_need(g, n);
                merge_circle(g, n, to);
            } else {
                lean(at, to, g->nodes[to].generation);
                break;
            }
        }
        if (!at->needs)
            release(g, n);
    }
}

/* --- the steps ------------------------------------------------------------------------------ */

static bool is_node(const lj_depend *g, uint32_t n) {
    return n < g->node_end && g->nodes[n].stage != LJ_DEPEND_FREE;
}

static bool is_unemitted(const lj_depend *g, uint32_t n) {
    return n < g->node_end && g->nodes[n].stage == LJ_DEPEND_UNEMITTED;
}

static void begin(lj_depend *g) {
    g->over_count = 0;
}

static void end(lj_depend *g, lj_depend_over *over) {
    *over = (lj_depend_over){g->over_count, g->over};
    rest(g);
}

lj_status lj_depend_emit(lj_depend *g, uint32_t n, uint32_t count, const lj_need *needs,
                         lj_depend_over *ready) {
    if (!is_unemitted(g, n))
        return LJ_MISUSE;
    for (uint32_t i = 0; i < count; i++)
        if (!is_node(g, (uint32_t)needs[i]))
            return LJ_MISUSE;
    if (!fit_edges(g, count))
        return LJ_NO_MEMORY;
    node *at = &g->nodes[n];
    at->stage = LJ_DEPEND_BLOCKED;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t to = lj_depend_find(g, (uint32_t)needs[i]), e = new_edge(g);
        node *target = &g->nodes[to];
        g->edges[e] = (edge){n, to, (uint32_t)(needs[i] >> 32), e, e};
        target->waiters = join_waiters(g, target->waiters, e);
        uint32_t last = join_needs(g, at->needs, e);
        /* An unemitted one comes first, for no root needs to be found. */
        if (target->stage != LJ_DEPEND_UNEMITTED || !at->needs)
            at->needs = last;
    }
    begin(g);
    g->scan[g->scan_count++] = n;
    settle(g);
    end(g, ready);
    return LJ_OK;
}

uint32_t lj_depend_wanted(const lj_depend *g, uint32_t n, uint32_t room, uint32_t *labels) {
    if (!is_unemitted(g, n))
        return 0;
    uint32_t count = 0;
    lj_depend_walk walk = lj_depend_waiters(g, n);
    for (uint32_t e; (e = lj_depend_step(g, &walk));)
        if (g->edges[e].from) {
            if (count < room)
                labels[count] = g->edges[e].label;
            count++;
        }
    return count;
}

lj_status lj_depend_move(lj_depend *g, uint32_t n, uint32_t count, const lj_need *needs,
                         lj_depend_over *moved) {
    if (!is_unemitted(g, n) || lj_depend_wanted(g, n, 0, NULL) != count)
        return LJ_MISUSE;
    for (uint32_t i = 0; i < count; i++)
        if (!is_unemitted(g, (uint32_t)needs[i]) || (uint32_t)needs[i] == n)
            return LJ_MISUSE;
    begin(g);
    lj_depend_walk walk = lj_depend_waiters(g, n);
    for (uint32_t e; (e = lj_depend_step(g, &walk));) {
        edge *each = &g->edges[e];
        if (!each->from) {
            each->to = 0;
            end_edge(g, e);
            continue;
        }
        uint32_t to = (uint32_t)*needs;
        node *target = &g->nodes[to];
        *each = (edge){each->from, to, (uint32_t)(*needs++ >> 32), each->next_need, e};
        target->waiters = join_waiters(g, target->waiters, e);
        /* Who leaned on n leans on `to` now; jumps to n are known to be over. */
    }
    end_node(g, n);
    end(g, moved);
    return LJ_OK;
}

static void doom(lj_depend *g, uint32_t n) {
    if (g->nodes[n].stage == LJ_DEPEND_DOOMED)
        return;
    g->nodes[n].stage = LJ_DEPEND_DOOMED;
    g->scan[g->scan_count++] = n;
}

lj_status lj_depend_fail(lj_depend *g, uint32_t count, const lj_need *nodes,
                         lj_depend_over *failed) {
    for (uint32_t i = 0; i < count; i++)
        if (!is_node(g, (uint32_t)nodes[i]))
            return LJ_MISUSE;
    begin(g);
    for (uint32_t i = 0; i < count; i++)
        doom(g, lj_depend_find(g, (uint32_t)nodes[i]));
    while (g->scan_count) {
        uint32_t n = g->scan[--g->scan_count];
        lj_depend_walk walk = lj_depend_waiters(g, n);
        for (uint32_t e; (e = lj_depend_step(g, &walk));) {
            g->edges[e].to = 0;
            if (g->edges[e].from)
                doom(g, lj_depend_find(g, g->edges[e].from));
            else
                end_edge(g, e);
        }
        while (g->nodes[n].needs)
            pop_need(g, n);
        end_node(g, n);
    }
    end(g, failed);
    return LJ_OK;
}

void *lj_depend_next(const lj_depend *g, uint32_t *at) {
    for (uint32_t n = *at + 1; n < g->node_end; n++)
        if (g->nodes[n].stage != LJ_DEPEND_FREE) {
            *at = n;
            return g->nodes[n].what;
        }
    return NULL;
}
