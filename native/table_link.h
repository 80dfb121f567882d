/* The end of an ordinary unit's way, in one call: from its object to code that stubs lead to.
 *
 * A unit of a module mostly refers to its own module, by names that no other module can redefine.
 * The module's table has their addresses, and then nothing of a link needs Python: the object is
 * read, gets memory, learns its externals from the table, is fixed up and published. The memory is
 * the table's, and goes with it. What is left for the session is one step: these symbols are ready.
 *
 * Whatever isn't ordinary stops the link at the station that it has reached, and the graph is
 * handed back, for the general way to go on with: an external that the table doesn't know, a
 * definition that the unit doesn't promise (a compiler's own addition), or one that is missing.
 */
#ifndef LAZYJIT_TABLE_LINK_H
#define LAZYJIT_TABLE_LINK_H

#include "link_graph.h"
#include "table.h"

/* Links the object of a unit that promises the definitions `ids` of the table's module. OK without
 * a graph in `*out`: it is done; `addresses` and `traits` (as lazyjit.symbols.SymbolFlags) have
 * those of each. OK with a graph: that is placed, and the rest is the caller's. Any other status:
 * the graph, if there is one, tells why, and has no memory any more. `data` is free to go. What lj_graph_load and
 * lj_graph_fix_up give; NO_MEMORY. Once the table is retired, the code is gone at once. Any
 * thread. */
lj_status lj_table_link(lj_table *table, lj_stubs *pool, lj_arena *arena, const uint8_t *data,
                        uint64_t size, uint32_t count, const int32_t *ids, uint64_t *addresses,
                        uint8_t *traits, lj_graph **out);

#endif
