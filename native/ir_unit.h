/* Carving: from entities that are to be defined to the text of a unit that defines them.
 *
 * A unit is a module of its own: its definitions, and the transitive closure of what they need
 * (types, attribute groups, metadata, declarations, private constants), copied from the index's
 * text with names changed on the way. Nothing of the module is visited that the unit doesn't name,
 * so that the time is proportional to the unit.
 *
 *   f           a function's canonical address: its stub. Every use but those below
 *   f$body      its code: what a unit defines; what calls of f within that unit call, unless f may
 *               be overridden; what a blockaddress names
 *   x$7         a local entity of module 7, hidden
 *
 * A unit's definitions are strong, whatever they were: the session has already chosen who defines
 * a name. Debug metadata keeps lines, scopes and inlining; types and variables are cut.
 */
#ifndef LAZYJIT_IR_UNIT_H
#define LAZYJIT_IR_UNIT_H

#include "ir_index.h"

/* cffi: begin */
typedef struct lj_ir_carve_options {
    uint32_t inline_budget; /* bytes of text of others' bodies and constants to carry; 0: none */
    uint32_t inline_limit;  /* ... of one of them */
    uint32_t indirect;      /* nonzero: calls within the unit go through stubs, too */
} lj_ir_carve_options;

typedef struct lj_ir_chunk { /* text from here on ... */
    uint32_t unit, original; /* ... in the unit, came from here in the module, line by line */
} lj_ir_chunk;

typedef struct lj_ir_unit {
    char *text; /* NUL-terminated */
    uint64_t length;
    int32_t *defines; /* functions (their bodies) and data, in the order asked for */
    uint32_t define_count;
    uint32_t functions; /* how many of `defines` are */
    uint32_t carried;   /* bodies and constants of others that are in it for inlining */
    lj_ir_chunk *chunks;
    uint32_t chunk_count;
} lj_ir_unit;

/* Makes the unit that defines `ids` and what must be defined with them. Aliases and ifuncs of code
 * have no definition of their own and are passed over. MISUSE when an id is not this module's to
 * define; NO_MEMORY. Any thread. */
lj_status lj_ir_carve(const lj_ir_index *index, uint32_t count, const int32_t *ids,
                      const lj_ir_carve_options *options, lj_ir_unit *out, lj_fault *fault);
/* Frees what a unit holds. Does nothing the second time. */
void lj_ir_unit_dispose(lj_ir_unit *unit);
/* The module's line that line `line` of the unit came from; 0 when it was made here. */
uint32_t lj_ir_unit_original_line(const lj_ir_unit *unit, const lj_ir_index *index, uint32_t line);

/* What is known of an entity while units are made: a byte each. */
enum {
    LJ_IR_FREE,
    LJ_IR_TAKEN, /* a unit defines it */
    LJ_IR_WANTED /* it was asked for, and no unit defines it yet */
};

typedef struct lj_ir_seed_options {
    uint32_t max_functions;
    uint32_t size_budget; /* bytes of text, of the functions together */
    uint32_t take;        /* nonzero: what is chosen is TAKEN from then on */
} lj_ir_seed_options;

/* Chooses what to define in one unit with entity `id`: what must be; functions that are likely to
 * run with it (callees, breadth first, locals first); if that makes a small unit, others that are
 * WANTED, in the text's order; and the data that these refer to. TAKEN entities are left out, but
 * for `id` itself. Writes at most `room` ids: `id` first, then functions, then data; returns how
 * many there are. Any thread. */
uint32_t lj_ir_seed(const lj_ir_index *index, int32_t id, uint8_t *states,
                    const lj_ir_seed_options *options, int32_t *ids, uint32_t room);
/* The room in which lj_ir_seed_many leaves nothing out. */
uint32_t lj_ir_seed_room(const lj_ir_index *index, uint32_t count, const int32_t *around,
                         const lj_ir_seed_options *options);
/* The same as lj_ir_seed for `count` units that are made in one go, around `around`, one behind the
 * other: `sizes` gets how many ids each has; none if it is in one of those before. The bounds are
 * for all of them together. What is chosen is TAKEN, whatever the options say. */
void lj_ir_seed_many(const lj_ir_index *index, uint32_t count, const int32_t *around,
                     uint8_t *states, const lj_ir_seed_options *options, int32_t *ids,
                     uint32_t *sizes);
/* What may be wanted next: functions of this module that `ids` call and that are FREE, in
 * the text's order, each once. Writes the first `room` of them; returns how many. Any thread. */
uint32_t lj_ir_suggest(const lj_ir_index *index, uint32_t count, const int32_t *ids,
                       const uint8_t *states, int32_t *out, uint32_t room);
/* cffi: end */

#endif
