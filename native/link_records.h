/* Graphs by hand: adding, changing and removing records.
 *
 * Every function keeps the graph's invariants (link_verify.c has the list) or refuses with MISUSE
 * and words in the graph's fault, leaving the graph as it was. Blocks and sections can be added
 * until layout; symbols, and edges of blocks that exist, until edges are applied.
 *
 * Edges of one block follow each other. A block that outgrows its run of rows gets a new one twice
 * as long at the end of the array, so that adding edges one by one costs constant time each.
 * Symbols are kept in a list for each block from the first time that somebody asks for a block's
 * symbols: reading an object doesn't pay for it.
 */
#ifndef LAZYJIT_LINK_RECORDS_H
#define LAZYJIT_LINK_RECORDS_H

#include "link_graph.h"

/* cffi: begin */
/* New records; their number goes to `*number`. Names are copied, and may be any bytes but NUL. */
lj_status lj_graph_add_section(lj_graph *graph, const char *name, uint64_t name_size, uint32_t prot,
                               uint32_t lifetime, uint32_t *number);
/* `content` is copied; NULL makes a block of `size` zeros. */
lj_status lj_graph_add_block(lj_graph *graph, uint32_t section, const uint8_t *content,
                             uint64_t size, uint64_t align, uint64_t align_offset,
                             uint32_t *number);
/* `symbol` gives everything but name, and address when it is placed in a block. */
lj_status lj_graph_add_symbol(lj_graph *graph, const lj_link_symbol *symbol, const char *name,
                              uint64_t name_size, uint32_t *number);
/* `*number`: its position among the block's edges. */
lj_status lj_graph_add_edge(lj_graph *graph, uint32_t block, const lj_link_edge *edge,
                            uint32_t *number);
/* Another name for a symbol. */
lj_status lj_graph_rename(lj_graph *graph, uint32_t symbol, const char *name, uint64_t name_size);
/* Removes the edge at a position. */
lj_status lj_graph_remove_edge(lj_graph *graph, uint32_t block, uint32_t position);
/* Makes the block's content the graph's own to write to: a copy, unless it is already. */
lj_status lj_graph_own_content(lj_graph *graph, uint32_t block);
/* Other content, of any size that leaves the block's symbols and edges inside. */
lj_status lj_graph_set_content(lj_graph *graph, uint32_t block, const uint8_t *content,
                               uint64_t size);
/* Another alignment; another protection and lifetime. Until layout. */
lj_status lj_graph_set_align(lj_graph *graph, uint32_t block, uint64_t align,
                             uint64_t align_offset);
lj_status lj_graph_set_memory(lj_graph *graph, uint32_t section, uint32_t prot, uint32_t lifetime);
/* Moves a symbol: to a block, or to EXTERNAL, ABSOLUTE (`offset` is its value) or GONE. Nothing may
 * refer to what goes. */
lj_status lj_graph_move_symbol(lj_graph *graph, uint32_t symbol, int32_t place, uint64_t offset);
/* Removes a block with its edges. No symbol may be left in it. */
lj_status lj_graph_remove_block(lj_graph *graph, uint32_t block);
/* Cuts a block at `offset`: it keeps what is before, the new one gets the rest, with the symbols
 * and edges there. No edge may span the cut; symbols that do are cut short. */
lj_status lj_graph_split_block(lj_graph *graph, uint32_t block, uint64_t offset, uint32_t *number);
/* Moves a block to the end of another section. */
lj_status lj_graph_move_block(lj_graph *graph, uint32_t block, uint32_t section);
/* Moves all blocks of `source` to the end of `target`; with `keep`, the empty section stays. */
lj_status lj_graph_merge_sections(lj_graph *graph, uint32_t target, uint32_t source, int keep);
/* The first symbol of a name, one that others see before a local one; the first section that is
 * part of the graph. UINT32_MAX: none. Linear. */
uint32_t lj_graph_find_symbol(const lj_graph *graph, const char *name);
uint32_t lj_graph_find_section(const lj_graph *graph, const char *name);
/* Puts every symbol into its block's list. */
void lj_graph_index(lj_graph *graph);
/* Checks every invariant. MISUSE with the first that is broken, in words. */
lj_status lj_graph_verify(lj_graph *graph);
/* Splits eh-frames into one block per record, and makes each function's FDE live with the function
 * by a KeepAlive edge; the same for sections that are linked to another (SHF_LINK_ORDER). Once;
 * does nothing the second time. OBJ_MALFORMED, NO_MEMORY. */
lj_status lj_graph_relate(lj_graph *graph);
/* Marks LIVE what others may see: every definition that isn't local. */
void lj_graph_mark_exported(lj_graph *graph);
/* Removes every block that no live symbol or root block needs, with the symbols in it, and external
 * symbols that nothing refers to. NO_ALLOC blocks stay, keep nothing alive, and lose their edges to
 * what went. OBJ_MALFORMED, NO_MEMORY. */
lj_status lj_graph_prune(lj_graph *graph);
/* cffi: end */

/* Whether a block may be aligned so. MISUSE. */
lj_status lj_graph_check_align(lj_graph *graph, uint64_t align, uint64_t align_offset);
/* Whether a section may have these. MISUSE. */
lj_status lj_graph_check_memory(lj_graph *graph, uint32_t prot, uint32_t lifetime);
/* What adding does, without checks or room: there must be room. */
uint32_t lj_graph_append_symbol(lj_graph *graph, const lj_link_symbol *symbol);
/* A KeepAlive edge from `block` to the start of `kept`. */
lj_status lj_graph_keep_with(lj_graph *graph, uint32_t block, uint32_t kept);
/* Takes a symbol out of its block's list, or puts it in; the graph is indexed. */
void lj_graph_unlist_symbol(lj_graph *graph, uint32_t symbol);
void lj_graph_enlist_symbol(lj_graph *graph, uint32_t symbol);

#endif
