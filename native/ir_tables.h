/* What an index is made of; for the ir_*.c files alone. */
#ifndef LAZYJIT_IR_TABLES_H
#define LAZYJIT_IR_TABLES_H

#include "ir_index.h"
#include "ir_lex.h"

/* A hash table of records that each start with name, name_length and flags. A slot holds a hash
 * (upper half) and a record's number plus one, so that a miss rarely touches a record. */
typedef struct lj_ir_names {
    uint64_t *slots;
    uint32_t mask, count;
} lj_ir_names;

typedef struct lj_ir_key {
    const char *bytes;
    uint32_t length, hash, number;
    bool numbered;
} lj_ir_key;

/* A record of a named type, a comdat or named metadata. */
typedef struct lj_ir_named {
    uint32_t name, name_length, flags;
    uint32_t start, length;
} lj_ir_named;

/* A record of something numbered: sorted by number once the pass is over. */
typedef struct lj_ir_numbered {
    uint32_t number, start, length;
} lj_ir_numbered;

typedef struct lj_ir_nameds {
    lj_ir_named *at;
    uint32_t count, room;
    lj_ir_names names;
} lj_ir_nameds;

typedef struct lj_ir_numbereds {
    lj_ir_numbered *at;
    uint32_t count, room;
} lj_ir_numbereds;

struct lj_ir_index {
    const char *text;
    size_t length;
    uint32_t ordinal;
    lj_ir_entity *entities;
    uint32_t entity_count, entity_room;
    lj_ir_names names;
    char *aside; /* unescaped names, one after the other */
    uint32_t aside_length, aside_room;
    int32_t *refs;
    uint8_t *ref_flags;
    uint32_t ref_count, ref_room;
    lj_ir_nameds types, comdats, named_metadata, module_asm; /* of the last: the strings */
    lj_ir_numbereds numbered_types, attributes, metadata;
    uint64_t type_filter[4]; /* Bloom filter of the named types' names, see lj_ir_filter_bit */
    uint32_t *group_starts;
    int32_t *group_members;
    uint32_t group_count;
    lj_ir_numbered source_filename, triple, datalayout; /* spans */
    int32_t *module_flags; /* metadata indexes of the flags that units get */
    uint32_t module_flag_count;
};

/* Grows an array for one more element; false when out of memory. */
bool lj_ir_grow(void **at, uint32_t *room, uint32_t count, size_t size);

uint32_t lj_ir_hash(const char *bytes, size_t length);
/* The key for a name as the lexer found it. `scratch` has room for name_length bytes, needed only
 * when the name is escaped. */
lj_ir_key lj_ir_key_of(const lj_ir_token *token, char *scratch);
lj_ir_key lj_ir_key_of_bytes(const char *bytes, uint32_t length);
int32_t lj_ir_names_find(const lj_ir_index *index, const lj_ir_names *names, const void *records,
                         size_t size, const lj_ir_key *key);
bool lj_ir_names_add(lj_ir_names *names, uint32_t hash, uint32_t id);
/* The bytes of a record's name (not numbered). */
const char *lj_ir_name_bytes(const lj_ir_index *index, const void *record);

int32_t lj_ir_find_entity(const lj_ir_index *index, const lj_ir_key *key);
int32_t lj_ir_find_named(const lj_ir_index *index, const lj_ir_nameds *table, const lj_ir_key *key);
const lj_ir_numbered *lj_ir_find_numbered(const lj_ir_numbereds *table, uint32_t number);

static inline uint32_t lj_ir_filter_bit(const char *name, uint32_t length) {
    return ((uint32_t)(uint8_t)name[0] * 7 + (uint32_t)(uint8_t)name[length - 1] + length * 31) &
           255;
}

static inline bool lj_ir_in_unit(const lj_ir_entity *entity) { /* some unit will define it */
    return (entity->kind == LJ_IR_FUNCTION || entity->kind == LJ_IR_VARIABLE ||
            entity->kind == LJ_IR_ALIAS || entity->kind == LJ_IR_IFUNC) &&
           !(entity->flags & LJ_IR_NO_UNIT);
}

#endif
