/* GDB's JIT interface: how a debugger that is attached, or will be, learns of code made at run
 * time.
 *
 * The debugger looks for two names in every library of the process: `__jit_debug_descriptor`, the
 * head of a list of debug objects (ELF files in memory), and `__jit_debug_register_code`, an empty
 * function on which it sets a breakpoint. Whoever makes code puts an entry into the list, says in
 * the descriptor which and why, and calls the empty function. With no debugger that costs a list
 * operation and a call; a debugger that attaches later walks the list.
 *
 * The list is doubly linked, so that an entry goes in and out in constant time however many there
 * are. All functions may be called from any thread.
 */
#ifndef LAZYJIT_PLUGIN_GDB_H
#define LAZYJIT_PLUGIN_GDB_H

#include "status.h"

/* cffi: begin */
/* Copies a debug object and announces it. `*out` is what withdraws it. NO_MEMORY. */
lj_status lj_gdb_register(const uint8_t *object, uint64_t size, void **out);
/* Withdraws and frees a debug object; NULL does nothing. */
void lj_gdb_deregister(void *entry);
/* How many are announced now. */
uint64_t lj_gdb_count(void);
/* cffi: end */

#endif
