/* A module's table: for each of its entities the stub, the address once it is ready, and whether a
 * unit has taken it.
 *
 * Three plain arrays, indexed by entity, whose untouched pages take no memory. They are what one
 * unit's way needs of its module: which neighbours are still free (lj_ir_seed reads them), the
 * addresses of what its object refers to, and where stubs must lead once its code is there. Each of
 * these steps is one call here, for all of a unit's symbols at once.
 *
 * A function's canonical address is its stub's, made at the first reference. Its payload is the
 * module's ordinal over the entity's number. Where the body is ready when the stub is made, it
 * leads there from the start.
 *
 * A table also owns the memory of units that were linked in one call (table_link.h).
 *
 * A table holds a lock of its own, under which it calls the stub pool and nothing else. All
 * functions may be called from any thread, but for dispose.
 */
#ifndef LAZYJIT_TABLE_H
#define LAZYJIT_TABLE_H

#include "ir_unit.h"
#include "link_graph.h"
#include "stubs.h"

/* cffi: begin */
typedef struct lj_table lj_table;

/* The index must outlive it. Whoever calls what takes a pool gives the same one each time.
 * NO_MEMORY. */
lj_status lj_table_new(const lj_ir_index *index, uint32_t ordinal, lj_table **out);
void lj_table_dispose(lj_table *table);
/* LJ_IR_FREE, TAKEN or WANTED for each entity: hints for lj_ir_seed. The session decides. */
uint8_t *lj_table_states(const lj_table *table);
void lj_table_take(lj_table *table, uint32_t count, const int32_t *ids);
/* They will be asked for, those that no unit has taken. */
void lj_table_want(lj_table *table, uint32_t count, const int32_t *ids);

/* Stubs of functions, made where there are none yet; an alias has its function's. What
 * lj_stubs_create gives. */
lj_status lj_table_stubs(lj_table *table, lj_stubs *pool, uint32_t count, const int32_t *ids,
                         uint64_t *addresses);
/* The function's stub if it has one, else 0. */
uint64_t lj_table_stub(lj_table *table, int32_t id);
/* For `count` linker names, each ended by a NUL, the address, or 0 where the session must be asked:
 * what the module doesn't define, may be overridden, or is not ready. Functions are given by their
 * stubs, which are made where there are none. What lj_stubs_create gives. */
lj_status lj_table_known(lj_table *table, lj_stubs *pool, uint32_t count, const char *names,
                         uint64_t *addresses);
/* These entities are ready at these addresses: stubs lead there, those made later too. Nothing
 * happens once the table is retired. */
lj_status lj_table_publish(lj_table *table, lj_stubs *pool, uint32_t count, const int32_t *ids,
                           const uint64_t *addresses);
/* If the function still has this stub, it fails with the token and the message (as of
 * lj_stubs_fail), and `*done` is true; else it may be another function's by now, and nothing
 * happens. What lj_stubs_fail gives. */
lj_status lj_table_fail(lj_table *table, lj_stubs *pool, int32_t id, uint64_t stub, uint64_t token,
                        const char *message, int *done);
/* The module is going: what was ready is not any more. Writes up to `room` functions that have
 * stubs, and returns how many there are. */
uint32_t lj_table_retire(lj_table *table, uint32_t room, int32_t *ids);
/* Nobody is in the module any more: gives its stubs back, and the memory of code that is its. */
lj_status lj_table_free(lj_table *table, lj_stubs *pool);

void lj_table_before_fork(lj_table *table);
void lj_table_after_fork(lj_table *table);
/* cffi: end */

const lj_ir_index *lj_table_index(const lj_table *table);
/* lj_table_publish for a graph that is fixed up, and finalized here: its memory is the table's from
 * now on, whatever is returned. Once the table is retired, it is given back at once. NO_MEMORY, and
 * what lj_stubs_resolve gives. */
lj_status lj_table_keep(lj_table *table, lj_stubs *pool, uint32_t count, const int32_t *ids,
                        const uint64_t *addresses, lj_graph *graph);

#endif
