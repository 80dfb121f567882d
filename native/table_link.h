/* The end of an ordinary unit's way, in one call: from its object to code that stubs lead to.
 *
 * A unit of a module mostly refers to its own module, by names that no other module can redefine.
 * The module's table has their addresses, and then nothing of a link needs Python: the object is
 * read, gets memory, learns its externals from the table, is fixed up and published. The memory is
 * the table's, and goes with it. What is left for the session is one step: these symbols are ready.
 *
 * Names that the table doesn't know stop the link half-way, and it ends with their addresses, if
 * the session has these at hand. Whatever else isn't ordinary, a definition that the unit doesn't
 * promise (a compiler's own addition) or one that is missing, weak externals, initializers, is for
 * the general way to go on with.
 */
#ifndef LAZYJIT_TABLE_LINK_H
#define LAZYJIT_TABLE_LINK_H

#include "link_graph.h"
#include "table.h"

/* cffi: begin */
/* A link that stopped. All that it points to is the graph's. */
typedef struct lj_table_linking {
    lj_graph *graph;     /* NULL: there is none; it wasn't read, or all is done */
    uint64_t *externals; /* addresses as far as the table knows them, 0 where it doesn't */
    char *unknown;       /* the names of the latter, each ended by a NUL; NULL: it isn't ordinary */
    uint64_t unknown_size, unknown_count;
} lj_table_linking;
/* cffi: end */

/* Links the object of a unit that promises the definitions `ids` of the table's module. OK without
 * a graph: it is done; `addresses` and `traits` (as lazyjit.symbols.SymbolFlags) have those of
 * each. OK with a graph: that is placed, and what `unknown` says is missing. Any other status: the
 * graph, if there is one, tells why, and has no memory any more. `data` is free to go. What
 * lj_graph_load and lj_graph_fix_up give; NO_MEMORY. Once the table is retired, the code is gone at
 * once. Any thread. */
lj_status lj_table_link(lj_table *table, lj_stubs *pool, lj_arena *arena, const uint8_t *data,
                        uint64_t size, uint32_t count, const int32_t *ids, uint64_t *addresses,
                        uint8_t *traits, lj_table_linking *linking);
/* Ends a link that has unknown names, with their addresses; else the same. */
lj_status lj_table_link_end(lj_table *table, lj_stubs *pool, uint32_t count, const int32_t *ids,
                            const uint64_t *found, const uint64_t *addresses,
                            lj_table_linking *linking);

#endif
