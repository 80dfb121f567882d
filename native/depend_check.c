/* The invariants of the graph of who waits for whom, checked. For tests. */
#include "depend_graph.h"

#include <stdlib.h>

/* Where a lean path leads: known to end at an unemitted node, or on the path being followed. */
enum { UNKNOWN, GROUNDED, ON_PATH };

typedef struct check {
    const lj_depend *g;
    uint8_t *states;
    uint32_t needs, waiters, nodes; /* links found in rings; nodes that are not free */
} check;

static const char *check_rings(check *c, uint32_t n) {
    const lj_depend *g = c->g;
    const lj_depend_node *at = &g->nodes[n];
    for (uint32_t e = at->needs ? g->edges[at->needs].next_need : 0; e;
         e = e == at->needs ? 0 : g->edges[e].next_need) {
        if (++c->needs > g->live_edges)
            return "the rings of needs are no rings";
        if (!g->edges[e].from || lj_depend_find(g, g->edges[e].from) != n)
            return "an edge is among another node's needs";
    }
    lj_depend_walk walk = lj_depend_waiters(g, n);
    for (uint32_t e; (e = lj_depend_step(g, &walk));) {
        if (++c->waiters > g->live_edges)
            return "the rings of waiters are no rings";
        if (!g->edges[e].to || lj_depend_find(g, g->edges[e].to) != n)
            return "an edge is among another node's waiters";
    }
    uint32_t members = 0;
    for (uint32_t m = at->members; m != n; m = g->nodes[m].members)
        if (++members > g->live_nodes)
            return "a circle's members are no ring";
        else if (g->nodes[m].stage != LJ_DEPEND_MERGED || lj_depend_find(g, m) != n)
            return "a circle has a foreign member";
    return NULL;
}

static const char *check_node(check *c, uint32_t n) {
    const lj_depend *g = c->g;
    const lj_depend_node *at = &g->nodes[n];
    switch (at->stage) {
    case LJ_DEPEND_UNEMITTED:
        if (at->needs || at->jump || at->rep || at->members != n)
            return "an unemitted node needs something, or is in a circle";
        return check_rings(c, n);
    case LJ_DEPEND_BLOCKED:
        if (!at->jump || !at->needs || at->rep)
            return "a blocked node leans on nothing";
        if (!g->edges[lj_depend_first(g, n)].to)
            return "a node leans on what is over";
        return check_rings(c, n);
    case LJ_DEPEND_MERGED:
        if (!at->rep || at->needs || at->waiters || at->jump)
            return "a merged node has something of its own";
        return NULL;
    }
    return "a node is doomed, and not over";
}

/* The lean path from n ends at an unemitted node, and its jumps lead to ancestors. */
static const char *check_path(check *c, uint32_t n) {
    const lj_depend *g = c->g;
    uint32_t at = n;
    while (g->nodes[at].stage == LJ_DEPEND_BLOCKED && c->states[at] == UNKNOWN) {
        c->states[at] = ON_PATH;
        at = lj_depend_find(g, g->edges[lj_depend_first(g, at)].to);
    }
    if (c->states[at] == ON_PATH)
        return "a node leans on itself";
    for (at = n; c->states[at] == ON_PATH;
         at = lj_depend_find(g, g->edges[lj_depend_first(g, at)].to))
        c->states[at] = GROUNDED;
    return NULL;
}

const char *lj_depend_check(const lj_depend *g) {
    check c = {.g = g, .states = calloc(g->node_end, 1)};
    const char *broken = c.states ? NULL : "there is no memory for the check";
    for (uint32_t n = 1; !broken && n < g->node_end; n++)
        if (g->nodes[n].stage != LJ_DEPEND_FREE) {
            c.nodes++;
            broken = check_node(&c, n);
        }
    for (uint32_t n = 1; !broken && n < g->node_end; n++)
        if (g->nodes[n].stage == LJ_DEPEND_BLOCKED)
            broken = check_path(&c, n);
    if (!broken && c.nodes != g->live_nodes)
        broken = "nodes are miscounted";
    if (!broken && (c.needs > g->live_edges || c.waiters > g->live_edges))
        broken = "edges are miscounted";
    for (uint32_t e = 1, live = 0; !broken && e < g->edge_end; e++) {
        live += g->edges[e].from || g->edges[e].to;
        c.needs -= g->edges[e].from != 0;
        c.waiters -= g->edges[e].to != 0;
        if (e + 1 == g->edge_end && (live != g->live_edges || c.needs || c.waiters))
            broken = "an edge is in no ring";
    }
    if (!broken && (g->scan_count))
        broken = "nodes are left to look further";
    free(c.states);
    return broken;
}
