/* What a link within a module can be told without asking the session.
 *
 * Nearly all that a unit refers to is its own module's: functions, by their stubs, and data. Where
 * no other definition can take such a name's place, its address is known to the module's table,
 * which keeps two plain arrays for it, one word an entity: stubs, and addresses of ready data. One
 * call goes from the names of an object's externals to their addresses.
 */
#ifndef LAZYJIT_IR_KNOWN_H
#define LAZYJIT_IR_KNOWN_H

#include "ir_index.h"

/* cffi: begin */
/* For `count` linker names, each ended by a NUL, the address, or 0 where the session must be asked:
 * what the module doesn't define, may be overridden, or is not ready. Functions are given by
 * stubs[f]; an f that has none yet is written to `fresh`, once for each such name, and its place in
 * the list to `places`. Returns how many there are. The caller holds whatever guards the arrays. */
uint32_t lj_ir_known(const lj_ir_index *index, uint32_t count, const char *names,
                     const uint64_t *stubs, const uint64_t *data, uint64_t *addresses,
                     int32_t *fresh, uint32_t *places);
/* Linker names of `count` entities' symbols, bodies of functions and data, each ended by a NUL.
 * Returns the bytes needed; writes nothing when that is more than `room`. */
uint64_t lj_ir_symbol_names(const lj_ir_index *index, uint32_t count, const int32_t *ids,
                            char *names, uint64_t room);
/* cffi: end */

#endif
