/* The end of an ordinary unit's way, in one call: from its object to code that waits for nobody.
 *
 * A unit of a module mostly refers to its own module, by names that no other module can redefine.
 * The module's table has their addresses, and then nothing of a link needs Python: the object is
 * read, gets memory, learns its externals from the table, and is fixed up. What is left for the
 * session is one step: these symbols are ready, and here is the memory that they take.
 *
 * Whatever isn't ordinary stops the link at the station that it has reached, and the graph is
 * handed back, for the general way to go on with: an external that the table doesn't know, a
 * definition that the unit doesn't promise (a compiler's own addition), or one that is missing.
 */
#ifndef LAZYJIT_TABLE_LINK_H
#define LAZYJIT_TABLE_LINK_H

#include "link_graph.h"
#include "table.h"

/* cffi: begin */
/* What came of it. With a graph, everything else is the graph's to tell, `fault` too; it is placed
 * unless the status says that it failed. Without one, the link is done. */
typedef struct lj_table_linked {
    lj_graph *graph;
    lj_linked linked;
} lj_table_linked;

/* Links the object of a unit that promises the definitions `ids` of the table's module. When the
 * link is done, `addresses` and `traits` (as lazyjit.symbols.SymbolFlags) have those of each.
 * `data` is free to go. What lj_graph_load and lj_graph_fix_up give; NO_MEMORY may come without a
 * graph. Any thread. */
lj_status lj_table_link(lj_table *table, lj_stubs *pool, lj_arena *arena, const uint8_t *data,
                        uint64_t size, uint32_t count, const int32_t *ids, uint64_t *addresses,
                        uint8_t *traits, lj_table_linked *out);
/* cffi: end */

#endif
