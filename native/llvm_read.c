/* Reading IR: text or bitcode, told by its magic, into a context of the caller's.
 *
 * What can be checked before LLVM sees it is checked here: NUL bytes, at which its parser would
 * stop without a word, and brackets nested so deep that its recursion would exhaust the stack.
 * (LLVM would survive that as told in llvm_protect.c, unless the last straw is a function of
 * libc's.)
 */
#define _GNU_SOURCE
#include "llvm_private.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

bool lj_llvm_is_bitcode(const char *bytes, size_t length) {
    return length >= 4 &&
           (!memcmp(bytes, "BC\xC0\xDE", 4) || !memcmp(bytes, "\xDE\xC0\x17\x0B", 4));
}

unsigned lj_llvm_reading_limit(const char *bytes, size_t length) {
    return lj_llvm_is_bitcode(bytes, length) ? 1 + (unsigned)(length >> 20) : 0;
}

/* LLVM's parser says "<string>:LINE:COLUMN: error: WORDS", then quotes the line and points at the
 * column. Line and column go into the fault as numbers, the words into its detail. */
static lj_status parse_fault(lj_fault *fault, const char *message) {
    unsigned line = 0, column = 0;
    const char *place = strchr(message, ':');
    if (!place || sscanf(place, ":%u:%u:", &line, &column) != 2)
        line = column = 0;
    const char *words = strstr(message, "error: ");
    words = words ? words + strlen("error: ") : message;
    lj_fail(fault, LJ_LLVM_PARSE, 0, column, "%.*s", (int)strcspn(words, "\n"), words);
    if (fault)
        fault->line = line;
    return LJ_LLVM_PARSE;
}

/* LLVM's parser recurses once for each bracket that is open: up to 1,340 bytes of stack a level, in
 * constant expressions. */
enum { STACK_PER_LEVEL = 2048 };

/* How deep brackets may be nested in what this thread parses. */
static size_t nesting_limit(void) {
    static _Thread_local uintptr_t lowest;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (!lowest || lowest > here) {
        pthread_attr_t attributes;
        void *address;
        size_t size;
        lowest = here - (512 << 10); /* when nothing is known */
        if (!pthread_getattr_np(pthread_self(), &attributes)) {
            if (!pthread_attr_getstack(&attributes, &address, &size) && (uintptr_t)address < here)
                lowest = (uintptr_t)address;
            pthread_attr_destroy(&attributes);
        }
    }
    return (here - lowest) / STACK_PER_LEVEL;
}

/* The line on which brackets are nested deeper than `limit`, or 0. */
static uint32_t nested_too_deep(const char *text, size_t length, size_t limit) {
    size_t depth = 0;
    uint32_t line = 1;
    for (const char *at = text, *end = text + length; at < end; at++) {
        switch (*at) {
        case '\n':
            line++;
            break;
        case '(':
        case '[':
        case '{':
        case '<':
            if (++depth > limit)
                return line;
            break;
        case ')':
        case ']':
        case '}':
        case '>':
            depth -= depth > 0;
            break;
        case ';':
            at = memchr(at, '\n', (size_t)(end - at));
            if (!at)
                return 0;
            line++;
            break;
        case '"':
            at = memchr(at + 1, '"', (size_t)(end - at - 1));
            if (!at)
                return 0;
            break;
        }
    }
    return 0;
}

static lj_status check_text(const char *text, size_t length, lj_fault *fault) {
    size_t whole = strnlen(text, length);
    if (whole != length)
        return lj_fail(fault, LJ_LLVM_PARSE, whole, 0, "NUL byte in the text");
    size_t limit = nesting_limit();
    uint32_t line = length > limit ? nested_too_deep(text, length, limit) : 0;
    if (!line)
        return LJ_OK;
    lj_fail(fault, LJ_LLVM_PARSE, 0, 0, "nested deeper than the %zu levels that the stack is for",
            limit);
    if (fault)
        fault->line = line;
    return LJ_LLVM_PARSE;
}

void *lj_llvm_read(void *context, const char *bytes, size_t length, lj_fault *fault,
                   lj_status *status) {
    const char *message = NULL;
    void *module;
    if (lj_llvm_is_bitcode(bytes, length))
        module = lj_llvm.ParseBitcode(context, bytes, length, (char **)&message);
    else {
        *status = check_text(bytes, length, fault);
        if (*status)
            return NULL;
        module = lj_llvm.ParseAssembly(context, bytes, &message);
    }
    if (!module)
        *status = parse_fault(fault, message ? message : "LLVM gave no reason");
    if (message)
        lj_llvm.DisposeString(message);
    return module;
}
