/* The state of carving one unit; for ir_carve.c, ir_copy.c, ir_emit.c and ir_meta.c. */
#ifndef LAZYJIT_IR_CARVER_H
#define LAZYJIT_IR_CARVER_H

#include "ir_tables.h"
#include "ir_unit.h"

typedef struct lj_ir_list {
    uint32_t *at;
    uint32_t count, room;
} lj_ir_list;

/* What the unit's set knows things by. */
enum {
    LJ_IR_KEY_ENTITY,
    LJ_IR_KEY_TYPE,
    LJ_IR_KEY_NUMBERED_TYPE,
    LJ_IR_KEY_ATTRIBUTE,
    LJ_IR_KEY_META
};

enum { /* what the set knows of an entity */
       LJ_IR_NEEDED = 1,
       LJ_IR_CALLED = 2,
       LJ_IR_DEFINED = 4, /* this unit defines it */
};

typedef struct lj_ir_carver {
    const lj_ir_index *index;
    const lj_ir_carve_options *options;
    char *out;
    size_t length, room;
    bool failed; /* out of memory: all goes on, nothing is written */
    /* Open addressing; a slot is (kind << 32 | id) + 1, shifted over 8 bits of state. */
    uint64_t *set;
    uint32_t set_mask, set_count;
    lj_ir_list entities, types, numbered_types, attributes, metadata; /* in order of need */
    lj_ir_list defines, compile_units;
    lj_ir_chunk *chunks;
    uint32_t chunk_count, chunk_room;
    uint32_t spent, carried, functions;
    char *scratch;
    uint32_t scratch_room;
} lj_ir_carver;

enum lj_ir_region {
    LJ_IR_REGION_PLAIN,
    LJ_IR_REGION_BODY,    /* a function's: calls bind within the unit, debug records are dropped */
    LJ_IR_REGION_ALIASEE, /* functions are their bodies */
};

void lj_ir_put(lj_ir_carver *c, const char *bytes, size_t length);
void lj_ir_put_string(lj_ir_carver *c, const char *string);
void lj_ir_put_number(lj_ir_carver *c, uint32_t number);
/* @ and the entity's name in units, in quotes if it must be. */
void lj_ir_put_symbol(lj_ir_carver *c, int32_t id, bool body);
/* Copies text[from, to), noting what it needs and changing names. */
void lj_ir_copy(lj_ir_carver *c, const char *from, const char *to, enum lj_ir_region region);
/* Copies one name of the @ namespace. */
void lj_ir_copy_global(lj_ir_carver *c, const lj_ir_token *token, bool call, bool body);
/* Starts a chunk: what follows in the unit came from `original`. */
void lj_ir_chunk_here(lj_ir_carver *c, const char *original);

/* The state byte of an entity, 0 when unknown; setting ORs. True when it was new. */
uint8_t lj_ir_state(const lj_ir_carver *c, uint32_t kind, uint32_t id);
bool lj_ir_mark(lj_ir_carver *c, uint32_t kind, uint32_t id, uint8_t state);
void lj_ir_need_entity(lj_ir_carver *c, int32_t id, bool call);
void lj_ir_need_type(lj_ir_carver *c, const lj_ir_token *token);
void lj_ir_need_attribute(lj_ir_carver *c, uint32_t number);
void lj_ir_need_metadata(lj_ir_carver *c, uint32_t number);
void lj_ir_append(lj_ir_carver *c, lj_ir_list *list, uint32_t value);
void lj_ir_dispose_list(lj_ir_list *list);

enum lj_ir_form { LJ_IR_FORM_DEFINE, LJ_IR_FORM_CARRY, LJ_IR_FORM_PRIVATE, LJ_IR_FORM_DECLARE };
void lj_ir_emit_function(lj_ir_carver *c, int32_t id, enum lj_ir_form form);
void lj_ir_emit_variable(lj_ir_carver *c, int32_t id, enum lj_ir_form form);
void lj_ir_emit_alias(lj_ir_carver *c, int32_t id);
/* A declaration of an alias or ifunc, from its value type. */
void lj_ir_emit_alias_declaration(lj_ir_carver *c, int32_t id);

void lj_ir_emit_metadata(lj_ir_carver *c, const lj_ir_numbered *node);
void lj_ir_emit_named_metadata(lj_ir_carver *c);

#endif
