/* The state of the indexing pass; for ir_index.c, ir_scan.c, ir_entity.c and ir_finish.c. */
#ifndef LAZYJIT_IR_BUILD_H
#define LAZYJIT_IR_BUILD_H

#include "ir_tables.h"

typedef struct lj_ir_pair {
    uint32_t entity, other;
} lj_ir_pair;

typedef struct lj_ir_builder {
    lj_ir_index *index;
    const char *text, *end;
    const char *floor;    /* where the entity at hand starts: no look back goes further */
    const char *last_end; /* behind the last token that belongs to the entity at hand */
    lj_fault *fault;
    lj_status status;
    int32_t current;  /* the referring entity, or -1: metadata, whose uses are only counted */
    uint32_t *stamps; /* by entity: where the current referrer's reference to it is, plus one */
    uint32_t stamp_room;
    lj_ir_comments comments;
    char *scratch; /* for unescaping one name */
    uint32_t scratch_room;
    lj_ir_pair *attributes; /* entity, attribute group: resolved when all groups are known */
    uint32_t attribute_count, attribute_room;
    lj_ir_pair *ties; /* two entities that must be defined in one unit */
    uint32_t tie_count, tie_room;
    int32_t first_ref; /* the last `lj_ir_build_rest`'s first reference, or -1 */
} lj_ir_builder;

/* Records a failure at `at` and returns NULL, for functions that return where they got to. */
const char *lj_ir_build_fail(lj_ir_builder *b, lj_status status, const char *at, const char *words,
                             const lj_ir_token *token);
const char *lj_ir_build_no_memory(lj_ir_builder *b);

/* The entity of a @ token, made when new; -1 when out of memory. */
int32_t lj_ir_build_entity(lj_ir_builder *b, const lj_ir_token *token);
/* The record of a name, made when new (*made) in `table`. */
lj_ir_named *lj_ir_build_named(lj_ir_builder *b, lj_ir_nameds *table, const lj_ir_token *token,
                               bool *made);
bool lj_ir_build_numbered(lj_ir_builder *b, lj_ir_numbereds *table, uint32_t number,
                          const char *start, const char *end);
bool lj_ir_build_pair(lj_ir_builder *b, lj_ir_pair **at, uint32_t *count, uint32_t *room,
                      uint32_t entity, uint32_t other);
/* Notes that the current entity refers to the @ token. */
bool lj_ir_build_ref(lj_ir_builder *b, const lj_ir_token *token);

/* From behind an opening bracket to behind the closing one, noting references; NULL on failure.
 * `body` is for function bodies: only braces count, and @f( is a call. */
const char *lj_ir_build_scan(lj_ir_builder *b, const char *open, bool body);
/* Over what belongs to the entity at hand, noting references: to the next entity, the end, or (when
 * `stop_at_comma`) the first comma outside of brackets. NULL on failure. */
const char *lj_ir_build_rest(lj_ir_builder *b, const char *p, bool stop_at_comma);
/* Whether this token, `after` which the next one stands, starts a top-level entity. */
bool lj_ir_starts_entity(const lj_ir_builder *b, const lj_ir_token *token, const char *after);

/* `define` or `declare` (the token), and @x = ... */
const char *lj_ir_build_function(lj_ir_builder *b, const lj_ir_token *keyword, const char *p);
const char *lj_ir_build_variable(lj_ir_builder *b, const lj_ir_token *name, const char *p);

/* Once all text is read: resolves what could not be before. */
bool lj_ir_build_finish(lj_ir_builder *b);

#endif
