/* The link of an ordinary unit, whose module knows nearly all that it needs.
 *
 * A unit of a module mostly refers to its own module, by names that no other module can redefine.
 * The module's table has their addresses, and then nothing of a link needs Python: the object is
 * read, gets memory, learns its externals from the table, is fixed up and published. The memory is
 * the table's, and goes with it. What is left for the session is one step: these symbols are ready.
 *
 * Names that the table doesn't know must come from the session, and the link ends with their
 * addresses, if these are at hand. What isn't ordinary is for the general way to go on with: a
 * definition that the unit doesn't promise (a compiler's own addition), or one that is missing;
 * weak externals; initializers.
 */
#ifndef LAZYJIT_TABLE_LINK_H
#define LAZYJIT_TABLE_LINK_H

#include "link_graph.h"
#include "table.h"

/* cffi: begin */
/* A link half-way. All that it points to is the graph's. */
typedef struct lj_table_linking {
    lj_graph *graph;     /* NULL: it wasn't read, or all is done */
    uint64_t *externals; /* addresses as far as the table knows them, 0 where it doesn't */
    char *unknown;       /* the names of the latter, each ended by a NUL */
    uint64_t unknown_size;
    uint32_t unknown_count;
    uint32_t ordinary; /* nothing but their addresses is missing */
} lj_table_linking;
/* cffi: end */

/* Reads and places the object of a unit that promises the definitions `ids` of the table's module.
 * When it is ordinary, `addresses` and `traits` (as lazyjit.symbols.SymbolFlags) have those of
 * each. `data` is free to go. What lj_graph_load gives: then the graph, if there is one, tells why,
 * and has no memory. Any thread. */
lj_status lj_table_link(lj_table *table, lj_stubs *pool, lj_arena *arena, const uint8_t *data,
                        uint64_t size, uint32_t count, const int32_t *ids, uint64_t *addresses,
                        uint8_t *traits, lj_table_linking *linking);
/* Fixes an ordinary one up, with the addresses of what is unknown: lj_table_keep comes next. What
 * lj_graph_fix_up gives: the graph tells why, and has no memory any more. */
lj_status lj_table_link_end(lj_table_linking *linking, const uint64_t *found);

#endif
