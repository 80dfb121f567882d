/* The lexical shape of LLVM IR text: just enough of it to find where things begin and end.
 *
 * LLVM's lexer reads bytes, so ours does. What matters here:
 *
 *   ; to the end of the line (LF or CR), and slash-star to star-slash, are comments;
 *   "..." is a string: it ends at the next quote, whatever stands before it (a quote inside is
 *       written \22), may span lines, and is the only place where brackets need not balance;
 *   @ % $ ! # ^ start names: bare ([-a-zA-Z$._][-a-zA-Z$._0-9]*), quoted, or numbers;
 *   a NUL inside the text is blank.
 *
 * A text always has a NUL at text[length] (see ir_index.h), so loops over name characters stop
 * there by themselves; all others compare against `end`.
 */
#ifndef LAZYJIT_IR_LEX_H
#define LAZYJIT_IR_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    LJ_C_NAME = 1,  /* may stand in a bare name or a word */
    LJ_C_BLANK = 2, /* between tokens */
    LJ_C_DIGIT = 4,
    LJ_C_OPEN = 8,
    LJ_C_CLOSE = 16,
    LJ_C_STOP = 32, /* makes carving look twice: @ % ! # " ; and the slash */
};
extern const uint8_t lj_ir_class[256];

static inline bool lj_is(char c, int classes) {
    return lj_ir_class[(uint8_t)c] & classes;
}

typedef enum {
    LJ_T_END,
    LJ_T_WORD,    /* keywords, types, numbers, labels; also "..." */
    LJ_T_GLOBAL,  /* @x */
    LJ_T_LOCAL,   /* %x */
    LJ_T_COMDAT,  /* $x */
    LJ_T_META,    /* !x or !7: `numbered` tells */
    LJ_T_BANG,    /* ! before something else */
    LJ_T_HASH,    /* #7 */
    LJ_T_SUMMARY, /* ^7 */
    LJ_T_STRING,
    LJ_T_OPEN,
    LJ_T_CLOSE,
    LJ_T_OTHER,  /* one character of punctuation, in *start */
    LJ_T_BROKEN, /* an unterminated string or quoted name, from `start` */
} lj_ir_token_kind;

typedef struct lj_ir_token {
    lj_ir_token_kind kind;
    const char *start, *end; /* the whole token */
    const char *name;        /* without sigil and quotes; of strings: the contents */
    uint32_t name_length;
    uint32_t number; /* when numbered; saturates at UINT32_MAX */
    bool numbered;
    bool escaped; /* the name holds a backslash */
} lj_ir_token;

/* Where the last comments were, so that a look back from a token can step over them. Two runs of
 * comments (with only blanks inside each) are enough for the two gaps of `blockaddress ( @f`. */
typedef struct lj_ir_comments {
    const char *start[2], *end[2];
} lj_ir_comments;

/* The end of the comment at `p`, or NULL when there is none. */
const char *lj_ir_comment_end(const char *p, const char *end);
void lj_ir_note_comment(lj_ir_comments *seen, const char *start, const char *end);
const char *lj_ir_skip_blank_slow(const char *p, const char *end);

static inline const char *lj_ir_skip_blank(const char *p, const char *end) {
    while (p < end && lj_is(*p, LJ_C_BLANK))
        p++;
    return p < end && (*p == ';' || *p == '/') ? lj_ir_skip_blank_slow(p, end) : p;
}

/* Reads the token at or after `p`; returns where the next may start. */
const char *lj_ir_next(const char *p, const char *end, lj_ir_token *token);
/* Reads the name after a sigil at `p`. False when there is no name or it is unterminated. */
bool lj_ir_read_name(const char *p, const char *end, lj_ir_token *token);
/* From an opening bracket to behind its closing one, or NULL when it has none. */
const char *lj_ir_skip_group(const char *open, const char *end);
/* Behind the type at `p`; NULL when there is none. Not a grammar: exact on valid types. */
const char *lj_ir_skip_type(const char *p, const char *end);
/* At a separating comma of this depth, at an unmatched closing bracket, or at `end`. */
const char *lj_ir_skip_to_comma(const char *p, const char *end);
/* Whether the @ at `at` is the function of a blockaddress; looks back no further than `floor`. */
bool lj_ir_after_blockaddress(const char *at, const char *floor, const lj_ir_comments *seen);

static inline bool lj_ir_is_word(const lj_ir_token *token, const char *word) {
    size_t length = strlen(word);
    return token->kind == LJ_T_WORD && (size_t)(token->end - token->start) == length &&
           !memcmp(token->start, word, length);
}

static inline bool lj_ir_is(const lj_ir_token *token, char c) {
    return token->kind >= LJ_T_OPEN && token->kind <= LJ_T_OTHER && *token->start == c;
}

/* Turns \\ into a backslash and \xx into a byte. `out` has room for `length`; returns the length.
 */
uint32_t lj_ir_unescape(const char *in, uint32_t length, char *out);
uint32_t lj_ir_count_lines(const char *from, const char *to);

#endif
