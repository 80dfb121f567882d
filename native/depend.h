/* Who waits for whom: when an emitted unit becomes ready.
 *
 * The question. Units are emitted in any order, each with the units that it needs. A unit is ready
 * when everything that it reaches is emitted. Say the same backwards: it is *blocked* as long as it
 * reaches something that is not emitted yet. Counting a unit's unready needs does not answer that,
 * for in a circle everybody counts somebody. Recomputing what each unit reaches, as emission goes
 * on, is quadratic.
 *
 * The answer: a forest. Every blocked node *leans on* the first of its needs, which is itself
 * blocked or not emitted. Following that leads to an unemitted node, the root, and proves the node
 * blocked. A node looks at one need at a time and forgets those that can't block it; only when what
 * it leans on becomes ready does it look at the next. One that has none left is ready.
 *
 * Circles. A root that has just been emitted must find something to lean on. If the candidate is in
 * the root's own tree, then the lean path from the candidate to the root, closed by the root's need
 * of the candidate, is a circle. Units of one circle become ready together, so the path is merged
 * into one node: needs within it are forgotten, the others pooled. What remains is a forest again.
 * A node that nobody waits for is nobody's root and needs no such test, which is why chains cost
 * nothing extra, in either direction.
 *
 * The cost. What a node needs, who waits for it, and which units its circle has are three rings,
 * each known by its last link; two rings become one by exchanging two successors. So an edge is
 * looked at until it is forgotten or leaned on, and each happens once; each merge removes nodes,
 * however much they hold. What is left is finding a root. Lean paths can be 100,000 long, so a node
 * keeps a `jump`, an ancestor further up, which doubles with use (path halving). An ancestor
 * remains one for as long as it is blocked, so a jump is wrong only when its end is over, and then
 * falls back to what the node leans on. Nothing recurses. This is Gabow's path-based search for
 * strong components, turned into a data structure that waits for its edges.
 *
 * Nodes are numbers from 1, given anew once a node is over: ready, failed or moved. A node stands
 * for a `what` of the caller's. An edge keeps, besides its ends, a label of the caller's: which of
 * the target's symbols is meant.
 *
 * The caller keeps threads from each other. A call that returns NO_MEMORY, or MISUSE for numbers
 * that are no nodes, or none of the kind it says, has changed nothing.
 */
#ifndef LAZYJIT_DEPEND_H
#define LAZYJIT_DEPEND_H

#include <stdbool.h>

#include "status.h"

typedef struct lj_depend lj_depend;

/* A need: the node that is needed, and in the upper half the edge's label. */
typedef uint64_t lj_need;

/* What is over: ready, failed or moved. Lasts until the next call that tells of some. */
typedef struct lj_depend_over {
    uint32_t count;
    void **what;
} lj_depend_over;

lj_status lj_depend_new(lj_depend **out);
void lj_depend_dispose(lj_depend *graph);

/* A new node, not emitted. */
lj_status lj_depend_add(lj_depend *graph, void *what, uint32_t *node);
/* An unemitted node is emitted, and needs these nodes, perhaps itself. Tells what is ready now:
 * first what is needed, then who needs it (but for circles). */
lj_status lj_depend_emit(lj_depend *graph, uint32_t node, uint32_t count, const lj_need *needs,
                         lj_depend_over *ready);
/* The labels with which an unemitted node is needed, in the order in which the edges came
 * to it. Writes up to `room` of them, and returns how many there are. */
uint32_t lj_depend_wanted(const lj_depend *graph, uint32_t node, uint32_t room, uint32_t *labels);
/* Others, unemitted too, take an unemitted node's place: who needed it by the i-th of its labels
 * has the i-th of `needs` instead. Tells of it. */
lj_status lj_depend_move(lj_depend *graph, uint32_t node, uint32_t count, const lj_need *needs,
                         lj_depend_over *moved);
/* These nodes (whatever the labels), and all that reach one of them, are over. Tells of all. */
lj_status lj_depend_fail(lj_depend *graph, uint32_t count, const lj_need *nodes,
                         lj_depend_over *failed);

/* Of the next node after `*at`, from 0 on, its `what`; NULL after the last. */
void *lj_depend_next(const lj_depend *graph, uint32_t *at);
/* Which invariant is broken, or NULL. Linear; for tests. */
const char *lj_depend_check(const lj_depend *graph);

/* cffi: begin */
/* The address of `PyObject *make(void)`, to be called with the GIL: a new type, whose instances are
 * such graphs of Python objects. lazyjit/core/dependence.py says what their methods are. */
uint64_t lj_depend_type(void);
/* cffi: end */

#endif
