/* Call frame information of JIT'd code, made known to the unwinder.
 *
 * `.eh_frame` is a row of records: a CIE holds what many functions share, an FDE describes one
 * function and points back to its CIE. libgcc takes a whole section that ends with a record of
 * length zero (__register_frame); LLVM's libunwind has a function of its own for sections, and its
 * __register_frame takes a single FDE. Which of the two the process has is found out once.
 *
 * The unwinder trusts what it is given, so the records are checked first.
 */
#ifndef LAZYJIT_FRAMES_H
#define LAZYJIT_FRAMES_H

#include "status.h"

/* cffi: begin */
/* Checks relocated call frame information: its structure, and that it describes code in
 * [low, high) only. `working` are its bytes, `target` the address that they will be used at.
 * OBJ_MALFORMED. */
lj_status lj_frames_check(const uint8_t *working, uint64_t size, uint64_t target, uint64_t low,
                          uint64_t high, lj_fault *fault);
/* `target` is the address of checked information that ends with a zero record. SYSTEM when the
 * process has no unwinder to register with. */
lj_status lj_frames_register(uint64_t target);
void lj_frames_deregister(uint64_t target);
/* cffi: end */

#endif
