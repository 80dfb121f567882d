/* Fuzzes the IR index and the carver: whatever the text, no crash, no read or write out of bounds,
 * no leak, and time in proportion. Every entity of what indexes is carved, alone and with company,
 * and every symbol name is found again.
 *
 * Built and run by hand (see the options' meaning in libFuzzer's documentation):
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -Inative native/fuzz/ir_index_fuzz.c \
 *       native/ir_*.c native/status.c -o ir_index_fuzz && ./ir_index_fuzz corpus tests/ir/inputs
 */
#include "ir_unit.h"

#include <stdlib.h>
#include <string.h>

enum { CARVED = 64, LINES = 8 };

static void carve(const lj_ir_index *index, int32_t *ids, uint32_t count, uint32_t budget) {
    lj_ir_carve_options options = {.inline_budget = budget, .inline_limit = budget / 2};
    lj_ir_unit unit;
    lj_fault fault;
    if (lj_ir_carve(index, count, ids, &options, &unit, &fault) != LJ_OK)
        return;
    if (strlen(unit.text) > unit.length)
        abort();
    for (uint32_t line = 0; line < LINES; line++)
        lj_ir_unit_original_line(&unit, index, line * 5);
    lj_ir_unit_dispose(&unit);
}

static void find(const lj_ir_index *index, int32_t id) {
    char name[512];
    for (int body = 0; body < 2; body++) {
        uint32_t length = lj_ir_index_symbol(index, id, body, name, sizeof name);
        int32_t found;
        uint8_t what;
        if (length >= sizeof name)
            continue;
        name[length] = '\0';
        lj_ir_index_find(index, 1, name, &found, &what, NULL);
    }
}

static void use(const lj_ir_index *index) {
    lj_ir_counts counts;
    lj_ir_index_counts(index, &counts);
    uint8_t *states = calloc(counts.entities + 1, 1);
    int32_t ids[CARVED], more[CARVED];
    for (uint32_t i = 0; states && i < counts.entities && i < CARVED; i++) {
        int32_t id = (int32_t)i;
        find(index, id);
        carve(index, &id, 1, 0);
        lj_ir_seed_options options = {.max_functions = 4, .size_budget = 1 << 16};
        uint32_t chosen = lj_ir_seed(index, id, states, &options, ids, CARVED);
        carve(index, ids, chosen, 1 << 12);
        states[i] = (uint8_t)(i % 3);
        lj_ir_suggest(index, chosen, ids, states, more, CARVED);
    }
    free(states);
    int64_t priorities[4];
    int32_t functions[4], data[4];
    lj_ir_index_structors(index, 0, priorities, functions, data, 4);
    lj_ir_index_structors(index, 1, priorities, functions, data, 4);
    lj_ir_index_conflicts(index, 1, &index, ids, CARVED);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    char *text = malloc(size + 1); /* exactly as long as it must be: over-reads are seen */
    if (!text)
        return 0;
    if (size)
        memcpy(text, bytes, size);
    text[size] = '\0';
    lj_ir_index *index;
    lj_fault fault = {0};
    if (lj_ir_index_new(text, size, 3, &index, &fault) == LJ_OK) {
        use(index);
        lj_ir_index_dispose(index);
    } else if (!fault.line || fault.offset > size) {
        abort();
    }
    free(text);
    return 0;
}
