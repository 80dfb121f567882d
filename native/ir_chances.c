/* Static branch prediction, in one pass over a function's text.
 *
 * A call behind a branch that is rarely taken is rarely made, and its callee is not worth compiling
 * with the caller. The chances of a branch's ways are, in this order:
 *
 *   - its weights, where the front end or a profile has left some (`!prof`);
 *   - a way that leads back to a block that is behind us repeats; the other is taken in the end;
 *   - equality with a constant: 1/8 with any but 0 and 1, for which it is 3/8;
 *   - even.
 *
 * (The second and third are among the heuristics of Ball and Larus, "Branch prediction for free",
 * 1993.) The cases of a switch have 1/2 each, for a dispatcher comes by more than once; unwinding
 * has none. A block's chance is the sum of those that lead to it from blocks before it in the text,
 * the order in which compilers write them. Calls in a block that ends in `unreachable` have none.
 *
 * Like all of the index this is lexical: what isn't understood is taken as even.
 */
#include "ir_chances.h"

#include <stdlib.h>

enum { CERTAIN = 255, WAYS = 256 };

typedef struct block {
    const char *name; /* NULL: a free slot */
    uint32_t length;
    bool seen;
    float chance;
} block;

typedef enum { NOTHING, BRANCH, SWITCH, INVOKE, COMPARISON } instruction;

typedef struct estimate {
    const lj_ir_index *index;
    const lj_ir_entity *function;
    uint8_t *chances;
    block *blocks;
    uint32_t mask, count;
    float chance; /* of the block that we are in */
    bool dead;
    uint32_t calls[64]; /* made in it: references */
    uint32_t call_count;
    instruction at;
    block *ways[WAYS]; /* of the instruction that ends it */
    uint32_t way_count;
    lj_ir_token condition;
    float weights[2];
    bool weighted;
    /* The last comparison for equality. */
    lj_ir_token result;
    bool equal, unequal, to_constant;
    float equal_chance;
} estimate;

/* --- blocks ------------------------------------------------------------------------------- */

static block *slot_of(const estimate *s, const char *name, uint32_t length) {
    uint32_t hash = 2166136261u;
    for (uint32_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    uint32_t i = hash & s->mask;
    while (s->blocks[i].name &&
           (s->blocks[i].length != length || memcmp(s->blocks[i].name, name, length)))
        i = (i + 1) & s->mask;
    return &s->blocks[i];
}

/* The block of that name; NULL once the table is full: what follows is left as even. */
static block *block_of(estimate *s, const char *name, uint32_t length) {
    block *found = slot_of(s, name, length);
    if (!found->name) {
        if (s->count > s->mask / 2)
            return NULL;
        s->count++;
        *found = (block){.name = name, .length = length};
    }
    return found;
}

static void lead(block *to, float chance) {
    if (to && !to->seen)
        to->chance = to->chance + chance > 1 ? 1 : to->chance + chance;
}

/* --- branches ----------------------------------------------------------------------------- */

static bool same(const lj_ir_token *a, const lj_ir_token *b) {
    return a->name_length && a->name_length == b->name_length &&
           !memcmp(a->name, b->name, a->name_length);
}

/* The chance of a conditional branch's first way. */
static float first_way(const estimate *s) {
    if (s->weighted)
        return s->weights[0] / (s->weights[0] + s->weights[1]);
    bool back[2] = {s->ways[0] && s->ways[0]->seen, s->ways[1] && s->ways[1]->seen};
    if (back[0] != back[1])
        return back[0] ? 0 : 1;
    if ((s->equal || s->unequal) && s->to_constant && same(&s->condition, &s->result))
        return s->equal ? s->equal_chance : 1 - s->equal_chance;
    return 0.5f;
}

/* The block ends: its calls have its chance, and its ways have theirs. */
static void end_block(estimate *s) {
    for (uint32_t i = 0; i < s->call_count; i++) {
        uint8_t chance = s->dead ? 0 : (uint8_t)(s->chance * CERTAIN);
        if (s->chances[s->calls[i]] < chance)
            s->chances[s->calls[i]] = chance;
    }
    if (s->at == BRANCH && s->way_count == 2) {
        float first = first_way(s);
        lead(s->ways[0], s->chance * first);
        lead(s->ways[1], s->chance * (1 - first));
    } else {
        for (uint32_t i = 0; i < s->way_count; i++)
            lead(s->ways[i], s->at == BRANCH   ? s->chance
                             : s->at == INVOKE ? s->chance * (i == 0)
                                               : s->chance / 2);
    }
    s->call_count = s->way_count = 0;
    s->at = NOTHING;
    s->dead = s->weighted = s->equal = s->unequal = false;
}

static void begin_block(estimate *s, const char *name, uint32_t length) {
    end_block(s);
    block *here = block_of(s, name, length);
    /* One that nothing before it leads to, or whose way here was lost, may still be reached. */
    s->chance = here && here->chance > 0 ? here->chance : 0.5f;
    if (here)
        here->seen = true;
}

/* `!prof !N`, where N is !{!"branch_weights", i32 A, i32 B} with perhaps a string in between. */
static void read_weights(estimate *s, uint32_t number) {
    const lj_ir_numbered *node = lj_ir_find_numbered(&s->index->metadata, number);
    if (!node)
        return;
    const char *p = s->index->text + node->start, *end = p + node->length;
    uint32_t found = 0;
    bool value = false;
    for (lj_ir_token token; p < end;) {
        p = lj_ir_next(p, end, &token);
        if (value && token.kind == LJ_T_WORD && found < 2)
            s->weights[found++] = (float)strtoul(token.start, NULL, 10);
        value = lj_ir_is_word(&token, "i32");
    }
    s->weighted = found == 2 && s->weights[0] + s->weights[1] > 0;
}

/* --- calls -------------------------------------------------------------------------------- */

static void note_call(estimate *s, const lj_ir_token *token) {
    if (token->escaped) {
        return; /* rare: such a callee is on its own */
    }
    lj_ir_key key = lj_ir_key_of(token, NULL);
    int32_t id = lj_ir_find_entity(s->index, &key);
    for (uint32_t i = 0; i < s->function->ref_count; i++)
        if (s->index->refs[s->function->refs + i] == id) {
            if (s->call_count == sizeof s->calls / sizeof *s->calls) {
                /* Too many to wait for the block's end, which is then taken to return. */
                if (s->chances[s->calls[0]] < (uint8_t)(s->chance * CERTAIN))
                    s->chances[s->calls[0]] = (uint8_t)(s->chance * CERTAIN);
                s->calls[0] = i;
            } else {
                s->calls[s->call_count++] = i;
            }
            return;
        }
}

/* --- the pass ----------------------------------------------------------------------------- */

static void read_word(estimate *s, const lj_ir_token *token, const lj_ir_token *last_local) {
    switch (token->end - token->start) {
    case 2:
        if (lj_ir_is_word(token, "br")) {
            s->at = BRANCH;
            s->condition.name_length = 0;
        } else if (s->at == COMPARISON && lj_ir_is_word(token, "eq")) {
            s->equal = true;
        } else if (s->at == COMPARISON && lj_ir_is_word(token, "ne")) {
            s->unequal = true;
        }
        break;
    case 4:
        if (lj_ir_is_word(token, "icmp")) {
            s->at = COMPARISON;
            s->result = *last_local;
            s->equal = s->unequal = s->to_constant = false;
        }
        break;
    case 6:
        if (lj_ir_is_word(token, "switch"))
            s->at = SWITCH;
        else if (lj_ir_is_word(token, "invoke"))
            s->at = INVOKE;
        break;
    case 10:
        if (lj_ir_is_word(token, "indirectbr"))
            s->at = SWITCH;
        break;
    case 11:
        s->dead |= lj_ir_is_word(token, "unreachable");
        break;
    default:
        break;
    }
}

static void read_body(estimate *s, const char *p, const char *end) {
    uint32_t depth = 0;
    bool label = false, comma = false, prof = false;
    lj_ir_token token, last_local = {0};
    while (p < end) {
        p = lj_ir_next(p, end, &token);
        if (token.kind == LJ_T_END || token.kind == LJ_T_BROKEN)
            return;
        if (depth == 1 && (token.kind == LJ_T_WORD || token.kind == LJ_T_STRING) && p < end &&
            *p == ':') {
            const char *name = token.kind == LJ_T_STRING ? token.name : token.start;
            begin_block(s, name,
                        token.kind == LJ_T_STRING ? token.name_length
                                                  : (uint32_t)(token.end - name));
        } else if (token.kind == LJ_T_OPEN) {
            depth++;
        } else if (token.kind == LJ_T_CLOSE) {
            depth--;
        } else if (token.kind == LJ_T_LOCAL) {
            if (label && s->way_count < WAYS)
                s->ways[s->way_count++] = block_of(s, token.name, token.name_length);
            else if (s->at == BRANCH && !s->way_count)
                s->condition = token;
            last_local = token;
        } else if (token.kind == LJ_T_GLOBAL && depth == 1 && *lj_ir_skip_blank(p, end) == '(') {
            note_call(s, &token);
        } else if (token.kind == LJ_T_META && prof && token.numbered) {
            read_weights(s, token.number);
        } else if (token.kind == LJ_T_WORD && depth == 1) {
            if (comma && s->at == COMPARISON) {
                bool common = token.end - token.start == 1 && *token.start <= '1';
                s->to_constant = true;
                s->equal_chance = common || lj_ir_is_word(&token, "null") ? 0.375f : 0.125f;
                s->at = NOTHING;
            } else if (!label) {
                read_word(s, &token, &last_local);
            }
        }
        prof = token.kind == LJ_T_META && !token.numbered && token.name_length == 4 &&
               !memcmp(token.name, "prof", 4) && s->at == BRANCH;
        label = lj_ir_is_word(&token, "label");
        comma = lj_ir_is(&token, ',');
    }
    end_block(s);
}

void lj_ir_estimate(const lj_ir_index *index, int32_t id, uint8_t *chances) {
    const lj_ir_entity *e = &index->entities[id];
    const char *body = index->text + e->body, *end = index->text + e->start + e->length;
    /* A block takes ten bytes of text at the least. */
    uint32_t room = 64;
    while (room < (uint32_t)(end - body) / 8 && room < 1u << 16)
        room *= 2;
    estimate *s = calloc(1, sizeof *s);
    block *blocks = calloc(room, sizeof *blocks);
    if (e->ref_count)
        memset(chances, s && blocks ? 0 : CERTAIN, e->ref_count);
    if (s && blocks) {
        s->index = index;
        s->function = e;
        s->chances = chances;
        s->blocks = blocks;
        s->mask = room - 1;
        s->chance = 1;
        read_body(s, body, end);
    }
    free(blocks);
    free(s);
}
