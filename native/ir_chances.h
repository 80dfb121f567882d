/* How likely a function is to make each of its calls, read off its text. */
#ifndef LAZYJIT_IR_CHANCES_H
#define LAZYJIT_IR_CHANCES_H

#include "ir_tables.h"

/* For function `id`, which has a body: the chance of each of its references, in 1/255, that a run
 * of the function calls it. `chances` has room for them. Without memory, all are certain. */
void lj_ir_estimate(const lj_ir_index *index, int32_t id, uint8_t *chances);

#endif
