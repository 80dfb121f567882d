/* Calls that can be led elsewhere later: which edges are calls, and the store that leads them.
 *
 * lazyjit/layers/plugins/call_sites.py has the plan: a recorded call goes to a jump of its own
 * through a pointer of its own, and patching the call is storing into that pointer.
 */
#ifndef LAZYJIT_PLUGIN_CALLS_H
#define LAZYJIT_PLUGIN_CALLS_H

#include "link_graph.h"

/* cffi: begin */
/* Whether edges of this kind are branches: their form is BRANCH (link_arch.h). */
int lj_kind_is_branch(const lj_arch *arch, uint32_t kind);
/* One store of 8 bytes, which every thread sees whole: the old value or the new one. What was
 * written before it is seen by who jumps through the new value. `slot` is a multiple of 8. */
void lj_call_slot_store(uint64_t slot, uint64_t target);
uint64_t lj_call_slot_load(uint64_t slot);
/* cffi: end */

#endif
