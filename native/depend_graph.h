/* The graph of depend.h as it is in memory: nodes, edges and their rings, between the depend*.c. */
#ifndef LAZYJIT_DEPEND_GRAPH_H
#define LAZYJIT_DEPEND_GRAPH_H

#include "depend.h"

enum {
    LJ_DEPEND_FREE,      /* not a node */
    LJ_DEPEND_UNEMITTED, /* needs nothing yet */
    LJ_DEPEND_BLOCKED,   /* emitted; of a circle, the one that stands for it */
    LJ_DEPEND_MERGED,    /* in the circle that `rep` stands for */
    LJ_DEPEND_DOOMED     /* about to fail */
};

typedef struct lj_depend_node {
    void *what;
    uint32_t generation;      /* how often this number was over */
    uint32_t jump;            /* an ancestor; 0: it leans on nothing */
    uint32_t jump_generation; /* when this has passed, it is one no more */
    uint32_t rep;             /* of the merged: towards the one that stands for them */
    /* Rings, each known by its last link; 0: empty. */
    uint32_t needs;   /* edges from here; the first is the one leaned on */
    uint32_t waiters; /* edges to here */
    uint32_t members; /* the next node of the circle; of the free, the next free one */
    uint8_t stage;
} lj_depend_node;

/* An end that is 0 has left its ring; without both, the edge is free. */
typedef struct lj_depend_edge {
    uint32_t from, to; /* as they were: perhaps merged since */
    uint32_t label;
    uint32_t next_need; /* of the free, the next free one */
    uint32_t next_waiter;
} lj_depend_edge;

/* In both arrays, 0 is nobody. */
struct lj_depend {
    lj_depend_node *nodes;
    lj_depend_edge *edges;
    uint32_t *scan; /* a stack of nodes, each in it once at most */
    void **over;
    uint32_t node_room, node_end, free_node, live_nodes;
    uint32_t edge_room, edge_end, free_edge, live_edges;
    uint32_t scan_count, over_count;
};

/* The node that stands for n: of its circle, or itself. Shortens the way to it. */
static inline uint32_t lj_depend_find(const lj_depend *g, uint32_t n) {
    lj_depend_node *nodes = g->nodes;
    uint32_t rep;
    while ((rep = nodes[n].rep)) {
        if (!nodes[rep].rep)
            return rep;
        n = nodes[n].rep = nodes[rep].rep;
    }
    return n;
}

/* What a node with needs leans on, if it does. */
static inline uint32_t lj_depend_first(const lj_depend *g, uint32_t n) {
    return g->edges[g->nodes[n].needs].next_need;
}

/* Goes through a ring of waiters; each may be changed once it was given. */
typedef struct lj_depend_walk {
    uint32_t last, next;
} lj_depend_walk;

static inline lj_depend_walk lj_depend_waiters(const lj_depend *g, uint32_t n) {
    uint32_t last = g->nodes[n].waiters;
    return (lj_depend_walk){last, last ? g->edges[last].next_waiter : 0};
}

/* The next edge, or 0. */
static inline uint32_t lj_depend_step(const lj_depend *g, lj_depend_walk *walk) {
    uint32_t e = walk->next;
    if (e)
        walk->next = e == walk->last ? 0 : g->edges[e].next_waiter;
    return e;
}

#endif
