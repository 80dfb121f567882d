/* Relocations of sections that the linker doesn't place: debug sections, for debuggers and
 * profilers (lazyjit/layers/plugins/elf.py says which and why).
 */
#ifndef LAZYJIT_PLUGIN_ELF_H
#define LAZYJIT_PLUGIN_ELF_H

#include "link_graph.h"
#include "status.h"

/* cffi: begin */
/* Applies `count` Elf64_Rela at `rela` (of any alignment) to a section's `content`, which is at
 * `address`; `symbols` has an address for each symbol of the file. Sums wrap in 64 bits, as the
 * ABI's do. When a kind is none of those that plugin_elf.c knows, nothing is changed, and
 * `*applied` is 0. OBJ_MALFORMED for a symbol or a place that doesn't exist. Any thread. */
lj_status lj_elf_apply(uint8_t *content, uint64_t size, const uint8_t *rela, uint64_t count,
                       const uint64_t *symbols, uint64_t symbol_count, uint64_t address,
                       int *applied, lj_fault *fault);
/* The address of each of a graph's symbols, by number; 0 for one that is nowhere. */
void lj_graph_symbol_addresses(const lj_graph *graph, uint64_t *out);
/* cffi: end */

#endif
