/* Tokens of IR text; see ir_lex.h. */
#include "ir_lex.h"

#define NAME LJ_C_NAME
#define DIGIT (LJ_C_NAME | LJ_C_DIGIT)
#define STOP LJ_C_STOP
const uint8_t lj_ir_class[256] = {
    ['\0'] = LJ_C_BLANK, ['\t'] = LJ_C_BLANK,   ['\n'] = LJ_C_BLANK,  ['\r'] = LJ_C_BLANK,
    [' '] = LJ_C_BLANK,  ['-'] = NAME,          ['.'] = NAME,         ['$'] = NAME,
    ['_'] = NAME,        ['0' ... '9'] = DIGIT, ['a' ... 'z'] = NAME, ['A' ... 'Z'] = NAME,
    ['('] = LJ_C_OPEN,   ['['] = LJ_C_OPEN,     ['{'] = LJ_C_OPEN,    ['<'] = LJ_C_OPEN,
    [')'] = LJ_C_CLOSE,  [']'] = LJ_C_CLOSE,    ['}'] = LJ_C_CLOSE,   ['>'] = LJ_C_CLOSE,
    ['@'] = STOP,        ['%'] = STOP,          ['!'] = STOP,         ['#'] = STOP,
    ['"'] = STOP,        [';'] = STOP,          ['/'] = STOP,
};

const char *lj_ir_comment_end(const char *p, const char *end) {
    if (*p == ';') {
        while (p < end && *p != '\n' && *p != '\r')
            p++;
        return p;
    }
    if (*p != '/' || end - p < 2 || p[1] != '*')
        return NULL;
    for (p += 2; end - p >= 2; p++) {
        p = memchr(p, '*', (size_t)(end - p));
        if (!p || end - p < 2)
            break;
        if (p[1] == '/')
            return p + 2;
    }
    return end; /* LLVM says "unterminated comment" when it gets there */
}

const char *lj_ir_skip_blank_slow(const char *p, const char *end) {
    for (;;) {
        while (p < end && lj_is(*p, LJ_C_BLANK))
            p++;
        const char *after = p < end ? lj_ir_comment_end(p, end) : NULL;
        if (!after)
            return p;
        p = after;
    }
}

void lj_ir_note_comment(lj_ir_comments *seen, const char *start, const char *end) {
    const char *p = start;
    while (seen->end[0] && p > seen->end[0] && lj_is(p[-1], LJ_C_BLANK))
        p--;
    if (!seen->end[0] || p != seen->end[0]) {
        seen->start[1] = seen->start[0];
        seen->end[1] = seen->end[0];
        seen->start[0] = start;
    }
    seen->end[0] = end;
}

/* Back over blanks and known comments. */
static const char *blank_before(const char *p, const char *floor, const lj_ir_comments *seen) {
    while (p > floor) {
        if (p == seen->end[0] && seen->start[0] >= floor)
            p = seen->start[0];
        else if (p == seen->end[1] && seen->start[1] >= floor)
            p = seen->start[1];
        else if (lj_is(p[-1], LJ_C_BLANK))
            p--;
        else
            break;
    }
    return p;
}

bool lj_ir_after_blockaddress(const char *at, const char *floor, const lj_ir_comments *seen) {
    static const char word[] = "blockaddress";
    const char *p = blank_before(at, floor, seen);
    if (p <= floor || p[-1] != '(')
        return false;
    p = blank_before(p - 1, floor, seen);
    size_t length = sizeof word - 1;
    if ((size_t)(p - floor) < length || memcmp(p - length, word, length))
        return false;
    p -= length;
    return p == floor || !lj_is(p[-1], LJ_C_NAME);
}

bool lj_ir_read_name(const char *p, const char *end, lj_ir_token *token) {
    token->numbered = token->escaped = false;
    token->number = 0;
    token->name_length = 0;
    if (p >= end)
        return false;
    if (*p == '"') {
        const char *close = memchr(p + 1, '"', (size_t)(end - p - 1));
        if (!close)
            return false;
        token->name = p + 1;
        token->name_length = (uint32_t)(close - p - 1);
        token->escaped = memchr(p + 1, '\\', token->name_length) != NULL;
        token->end = close + 1;
        return true;
    }
    token->name = p;
    if (lj_is(*p, LJ_C_DIGIT)) {
        uint64_t number = 0;
        for (; p < end && lj_is(*p, LJ_C_DIGIT); p++)
            if (number <= UINT32_MAX)
                number = number * 10 + (uint64_t)(*p - '0');
        token->number = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
        token->numbered = true;
    } else {
        while (p < end && lj_is(*p, LJ_C_NAME))
            p++;
    }
    token->name_length = (uint32_t)(p - token->name);
    token->end = p;
    return token->name_length > 0;
}

static lj_ir_token_kind read_meta(const char *p, const char *end, lj_ir_token *token) {
    token->numbered = token->escaped = false;
    const char *q = p + 1;
    token->name = q;
    if (q < end && lj_is(*q, LJ_C_DIGIT))
        return lj_ir_read_name(q, end, token) ? LJ_T_META : LJ_T_BANG;
    for (; q < end && (lj_is(*q, LJ_C_NAME) || *q == '\\'); q++)
        token->escaped |= *q == '\\';
    token->name_length = (uint32_t)(q - token->name);
    token->end = q;
    return q > p + 1 ? LJ_T_META : LJ_T_BANG;
}

const char *lj_ir_next(const char *p, const char *end, lj_ir_token *token) {
    p = lj_ir_skip_blank(p, end);
    token->start = p;
    token->end = p;
    token->name = p;
    token->name_length = 0;
    token->numbered = token->escaped = false;
    if (p >= end) {
        token->kind = LJ_T_END;
        return p;
    }
    lj_ir_token_kind sigil = LJ_T_OTHER;
    switch (*p) {
    case '@':
        sigil = LJ_T_GLOBAL;
        break;
    case '%':
        sigil = LJ_T_LOCAL;
        break;
    case '$':
        sigil = LJ_T_COMDAT;
        break;
    case '#':
        sigil = LJ_T_HASH;
        break;
    case '^':
        sigil = LJ_T_SUMMARY;
        break;
    case '!':
        token->kind = read_meta(p, end, token);
        return token->end;
    case '"':
        token->kind = lj_ir_read_name(p, end, token) ? LJ_T_STRING : LJ_T_BROKEN;
        return token->end;
    default:
        break;
    }
    if (sigil != LJ_T_OTHER) {
        if (lj_ir_read_name(p + 1, end, token)) {
            token->kind = sigil;
            return token->end;
        }
        token->kind = p + 1 < end && p[1] == '"' ? LJ_T_BROKEN : LJ_T_OTHER;
        token->end = p + 1;
        return p + 1;
    }
    if (lj_is(*p, LJ_C_NAME)) {
        while (p < end && lj_is(*p, LJ_C_NAME))
            p++;
        token->kind = LJ_T_WORD;
    } else {
        token->kind = lj_is(*p, LJ_C_OPEN)    ? LJ_T_OPEN
                      : lj_is(*p, LJ_C_CLOSE) ? LJ_T_CLOSE
                                              : LJ_T_OTHER;
        p++;
    }
    token->end = p;
    return p;
}

const char *lj_ir_skip_group(const char *open, const char *end) {
    size_t depth = 0;
    for (const char *p = open; p < end;) {
        char c = *p;
        if (lj_is(c, LJ_C_OPEN)) {
            depth++;
        } else if (lj_is(c, LJ_C_CLOSE)) {
            if (--depth == 0)
                return p + 1;
        } else if (c == '"') {
            p = memchr(p + 1, '"', (size_t)(end - p - 1));
            if (!p)
                return NULL;
        } else if (c == ';' || c == '/') {
            const char *after = lj_ir_comment_end(p, end);
            if (after) {
                p = after;
                continue;
            }
        }
        p++;
    }
    return NULL;
}

const char *lj_ir_skip_type(const char *p, const char *end) {
    lj_ir_token token, next;
    p = lj_ir_next(p, end, &token);
    if (token.kind == LJ_T_LOCAL)
        return p;
    if (token.kind == LJ_T_OPEN && *token.start != '(')
        return lj_ir_skip_group(token.start, end);
    if (token.kind != LJ_T_WORD)
        return NULL;
    const char *after = lj_ir_next(p, end, &next);
    if (lj_ir_is_word(&token, "target") && lj_ir_is(&next, '('))
        return lj_ir_skip_group(next.start, end);
    if (lj_ir_is_word(&token, "ptr") && lj_ir_is_word(&next, "addrspace")) {
        lj_ir_next(after, end, &next);
        return lj_ir_is(&next, '(') ? lj_ir_skip_group(next.start, end) : NULL;
    }
    return p;
}

const char *lj_ir_skip_to_comma(const char *p, const char *end) {
    for (;;) {
        lj_ir_token token;
        const char *after = lj_ir_next(p, end, &token);
        if (token.kind == LJ_T_END || token.kind == LJ_T_CLOSE || lj_ir_is(&token, ','))
            return token.start;
        if (token.kind == LJ_T_BROKEN)
            return end;
        if (token.kind == LJ_T_OPEN) {
            after = lj_ir_skip_group(token.start, end);
            if (!after)
                return end;
        }
        p = after;
    }
}

static int hex(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

uint32_t lj_ir_unescape(const char *in, uint32_t length, char *out) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < length; i++) {
        if (in[i] == '\\' && i + 1 < length && in[i + 1] == '\\') {
            out[n++] = '\\';
            i++;
        } else if (in[i] == '\\' && i + 2 < length && hex(in[i + 1]) >= 0 && hex(in[i + 2]) >= 0) {
            out[n++] = (char)(hex(in[i + 1]) * 16 + hex(in[i + 2]));
            i += 2;
        } else {
            out[n++] = in[i];
        }
    }
    return n;
}

uint32_t lj_ir_count_lines(const char *from, const char *to) {
    uint32_t lines = 0;
    for (; from < to; from++)
        lines += *from == '\n';
    return lines;
}
