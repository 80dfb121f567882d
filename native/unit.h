/* Ordinary units' way, in one call: carve their texts, compile these, link the objects, publish.
 *
 * Each of the stations has a function of its own (ir_unit.h, llvm.h, table_link.h). One after the
 * other from Python they cost more than what they do: LLVM leaves cold caches behind, and every
 * object that Python makes on the way, every function that it enters, comes from far away then. So
 * as long as nobody looks on between them, they are one step, and what remains for Python is to
 * tell the session. A unit that stops on the way is handed back with all that it has by then.
 *
 * Units for which somebody waits anyway go together, a few at a time, station by station: what
 * carving and linking need of code and data comes from far away once for all of them, and so does
 * what Python needs to begin and end the call.
 */
#ifndef LAZYJIT_UNIT_H
#define LAZYJIT_UNIT_H

#include "llvm.h"
#include "table_link.h"

/* cffi: begin */
/* What was done, added up over all threads: read any time, without a lock. */
typedef struct lj_unit_counts {
    uint64_t units, functions, object_bytes;
    uint64_t linked; /* units whose link was done here */
    uint64_t carve_ns, parse_ns, optimize_ns, emit_ns, link_ns;
} lj_unit_counts;

/* What the units of a module have in common. All that it points to must outlive its use. */
typedef struct lj_unit_maker {
    lj_table *table;
    lj_stubs *stubs;
    const lj_ir_index *index;
    lj_arena *arena;
    const lj_llvm_config *config;
    lj_ir_carve_options options;
    lj_unit_counts *counts;
} lj_unit_maker;

/* A unit that stopped on the way. Whatever it has is its holder's to free. */
typedef struct lj_unit_made {
    lj_status status;
    int left;          /* 0: it is done, and the rest empty */
    lj_ir_unit carved; /* text NULL: it wasn't */
    lj_object object;  /* data NULL: it wasn't compiled */
    lj_table_linking link;
    lj_fault fault; /* why carving or compiling failed; why linking did is in the graph */
} lj_unit_made;

/* Makes `units` units. Each defines the next of `ids`, as many as `counts` says (as promised;
 * nothing else moves with them). With `plain`, nothing is carried for inlining. Of those that are
 * done, `addresses` and `traits` are as of lj_table_link. The others are marked as left, and `made`
 * has what there is of them, with the status that lj_ir_carve, lj_llvm_compile or lj_table_link
 * gave. Returns how many are left. Any thread. */
uint32_t lj_units_make(const lj_unit_maker *maker, uint32_t units, const uint32_t *counts,
                       const int32_t *ids, int plain, uint64_t *addresses, uint8_t *traits,
                       lj_unit_made *made);
/* Goes on with the ordinary ones that stopped for names unknown: `found` has the addresses of all
 * of these names, unit after unit. One with an address of 0 among its own stays where it is. As
 * lj_units_make. */
uint32_t lj_units_finish(const lj_unit_maker *maker, uint32_t units, const uint32_t *counts,
                         const int32_t *ids, const uint64_t *found, const uint64_t *addresses,
                         lj_unit_made *made);
/* cffi: end */

#endif
