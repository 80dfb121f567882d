/* The indexing pass's inner loops: over brackets, 64 bytes at a time, noting references.
 *
 * Most of a module's bytes are in function bodies, of which only strings, comments, braces and
 * names of the @ namespace matter. A mask of such bytes is made for 64 at once; the loop then
 * jumps from bit to bit.
 */
#include "ir_build.h"

#include <emmintrin.h>

static inline __m128i any_of(__m128i x, bool body) {
    __m128i m = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
    m = _mm_or_si128(m, _mm_cmpeq_epi8(x, _mm_set1_epi8(';')));
    m = _mm_or_si128(m, _mm_cmpeq_epi8(x, _mm_set1_epi8('/')));
    m = _mm_or_si128(m, _mm_cmpeq_epi8(x, _mm_set1_epi8('@')));
    if (body) {
        m = _mm_or_si128(m, _mm_cmpeq_epi8(x, _mm_set1_epi8('{')));
        return _mm_or_si128(m, _mm_cmpeq_epi8(x, _mm_set1_epi8('}')));
    }
    __m128i folded = _mm_and_si128(x, _mm_set1_epi8((char)0xdf)); /* { } onto [ ] */
    m = _mm_or_si128(m, _mm_cmpeq_epi8(folded, _mm_set1_epi8('[')));
    m = _mm_or_si128(m, _mm_cmpeq_epi8(folded, _mm_set1_epi8(']')));
    folded = _mm_and_si128(x, _mm_set1_epi8((char)0xfe)); /* ) onto ( */
    m = _mm_or_si128(m, _mm_cmpeq_epi8(folded, _mm_set1_epi8('(')));
    folded = _mm_and_si128(x, _mm_set1_epi8((char)0xfd)); /* > onto < */
    return _mm_or_si128(m, _mm_cmpeq_epi8(folded, _mm_set1_epi8('<')));
}

static inline uint64_t interesting(const char *p, const char *end, bool body) {
    char last[64];
    if (end - p < 64) {
        memset(last, 0, sizeof last);
        memcpy(last, p, (size_t)(end - p));
        p = last;
    }
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
        mask |= (uint64_t)(uint16_t)_mm_movemask_epi8(any_of(x, body)) << (16 * i);
    }
    return mask;
}

bool lj_ir_build_ref(lj_ir_builder *b, const lj_ir_token *token) {
    lj_ir_index *ix = b->index;
    int32_t target = lj_ir_build_entity(b, token);
    if (target < 0)
        return false;
    if (b->first_ref < 0)
        b->first_ref = target;
    if (b->current < 0) {
        ix->entities[target].uses++;
        ix->entities[target].flags |= LJ_IR_ADDRESS_TAKEN;
        return true;
    }
    lj_ir_entity *from = &ix->entities[b->current];
    uint8_t how = LJ_IR_REF_ADDRESS;
    if (from->kind == LJ_IR_FUNCTION && from->body) {
        const char *next = lj_ir_skip_blank(token->end, b->end);
        if (next < b->end && *next == '(')
            how = LJ_IR_REF_CALL;
    }
    if (how == LJ_IR_REF_ADDRESS &&
        lj_ir_after_blockaddress(token->start, b->floor, &b->comments)) {
        how = LJ_IR_REF_BLOCK;
        from->flags |= LJ_IR_BLOCKADDRESS;
        /* The address is of a block of its one body: a copy's branch must not go there. */
        ix->entities[target].flags |= LJ_IR_NOINLINE;
        if (target != b->current && !lj_ir_build_pair(b, &b->ties, &b->tie_count, &b->tie_room,
                                                      (uint32_t)b->current, (uint32_t)target))
            return false;
    }
    if (how == LJ_IR_REF_ADDRESS)
        ix->entities[target].flags |= LJ_IR_ADDRESS_TAKEN;
    uint32_t seen = b->stamps[target];
    if (seen > from->refs) { /* it is among this referrer's already */
        ix->ref_flags[seen - 1] |= how;
        return true;
    }
    uint32_t flag_room = ix->ref_room;
    if (!lj_ir_grow((void **)&ix->refs, &ix->ref_room, ix->ref_count, sizeof *ix->refs) ||
        !lj_ir_grow((void **)&ix->ref_flags, &flag_room, ix->ref_count, 1)) {
        lj_ir_build_no_memory(b);
        return false;
    }
    ix->refs[ix->ref_count] = target;
    ix->ref_flags[ix->ref_count++] = how;
    b->stamps[target] = ix->ref_count;
    from->ref_count++;
    ix->entities[target].uses++;
    return true;
}

const char *lj_ir_build_scan(lj_ir_builder *b, const char *open, bool body) {
    size_t depth = 1;
    const char *p = open;
    while (p < b->end) {
        const char *block = p;
        uint64_t mask = interesting(p, b->end, body);
        p = b->end - block < 64 ? b->end : block + 64;
        while (mask) {
            const char *q = block + __builtin_ctzll(mask), *after;
            mask &= mask - 1;
            lj_ir_token token;
            switch (*q) {
            case '"':
                after = memchr(q + 1, '"', (size_t)(b->end - q - 1));
                if (!after)
                    return lj_ir_build_fail(b, LJ_IR_SYNTAX, q, "unterminated string", NULL);
                after++;
                break;
            case ';':
            case '/':
                after = lj_ir_comment_end(q, b->end);
                if (!after)
                    continue;
                lj_ir_note_comment(&b->comments, q, after);
                break;
            case '@':
                if (!lj_ir_read_name(q + 1, b->end, &token)) {
                    if (q + 1 < b->end && q[1] == '"')
                        return lj_ir_build_fail(b, LJ_IR_SYNTAX, q, "unterminated name", NULL);
                    continue;
                }
                token.start = q;
                if (!lj_ir_build_ref(b, &token))
                    return NULL;
                after = token.end;
                break;
            default:
                if (lj_is(*q, LJ_C_OPEN))
                    depth++;
                else if (--depth == 0)
                    return q + 1;
                continue;
            }
            if (after >= block + 64) {
                p = after;
                break;
            }
            mask &= ~(uint64_t)0 << (after - block);
        }
    }
    return lj_ir_build_fail(b, LJ_IR_SYNTAX, open - 1, "unbalanced bracket", NULL);
}

bool lj_ir_starts_entity(const lj_ir_builder *b, const lj_ir_token *token, const char *after) {
    static const char *const always[] = {"define",          "declare",      "attributes",
                                         "source_filename", "uselistorder", "uselistorder_bb"};
    lj_ir_token next;
    switch (token->kind) {
    case LJ_T_WORD:
        for (size_t i = 0; i < sizeof always / sizeof *always; i++)
            if (lj_ir_is_word(token, always[i]))
                return true;
        if (lj_ir_is_word(token, "module") || lj_ir_is_word(token, "target")) {
            lj_ir_next(after, b->end, &next);
            return lj_ir_is_word(&next, "asm") || lj_ir_is_word(&next, "triple") ||
                   lj_ir_is_word(&next, "datalayout");
        }
        return false;
    case LJ_T_GLOBAL:
    case LJ_T_LOCAL:
    case LJ_T_COMDAT:
    case LJ_T_META:
    case LJ_T_SUMMARY:
        after = lj_ir_skip_blank(after, b->end);
        return after < b->end && *after == '=';
    default:
        return false;
    }
}

const char *lj_ir_build_rest(lj_ir_builder *b, const char *p, bool stop_at_comma) {
    b->first_ref = -1;
    for (;;) {
        lj_ir_token token;
        const char *after = lj_ir_next(p, b->end, &token);
        if (token.start > p && (memchr(p, ';', (size_t)(token.start - p)) ||
                                memchr(p, '/', (size_t)(token.start - p))))
            lj_ir_note_comment(&b->comments, p, token.start);
        if (token.kind == LJ_T_END || (stop_at_comma && lj_ir_is(&token, ',')) ||
            lj_ir_starts_entity(b, &token, after))
            return token.start;
        if (token.kind == LJ_T_BROKEN)
            return lj_ir_build_fail(b, LJ_IR_SYNTAX, token.start, "unterminated string", NULL);
        if (token.kind == LJ_T_CLOSE)
            return lj_ir_build_fail(b, LJ_IR_SYNTAX, token.start, "unbalanced bracket", NULL);
        if (token.kind == LJ_T_OPEN) {
            after = lj_ir_build_scan(b, after, false);
            if (!after)
                return NULL;
        } else if (token.kind == LJ_T_GLOBAL && !lj_ir_build_ref(b, &token)) {
            return NULL;
        }
        b->last_end = p = after;
    }
}
