/* Addresses and names for whole lists at once; ir_known.h says what for. */
#include "ir_known.h"

#include <string.h>

/* One name at a time, so that no scratch memory is needed. */
static int32_t find(const lj_ir_index *index, const char *name, uint8_t *what) {
    int32_t id;
    lj_ir_index_find(index, 1, name, &id, what);
    return id;
}

uint32_t lj_ir_known(const lj_ir_index *index, uint32_t count, const char *names,
                     const uint64_t *stubs, const uint64_t *data, uint64_t *addresses,
                     int32_t *fresh, uint32_t *places) {
    const lj_ir_entity *entities = lj_ir_index_entities(index);
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++, names += strlen(names) + 1) {
        uint8_t what;
        int32_t id = find(index, names, &what);
        addresses[i] = 0;
        if (id < 0 || entities[id].flags & LJ_IR_WEAK)
            continue;
        if (what == LJ_IR_FOUND_DATA) {
            addresses[i] = data[id];
        } else if (what == LJ_IR_FOUND_STUB) {
            if (entities[id].kind == LJ_IR_ALIAS && entities[id].aliasee >= 0)
                id = entities[id].aliasee;
            addresses[i] = stubs[id];
            if (!stubs[id]) {
                fresh[found] = id;
                places[found++] = i;
            }
        }
    }
    return found;
}

uint64_t lj_ir_symbol_names(const lj_ir_index *index, uint32_t count, const int32_t *ids,
                            char *names, uint64_t room) {
    const lj_ir_entity *entities = lj_ir_index_entities(index);
    uint64_t needed = 0;
    for (uint32_t i = 0; i < count; i++) {
        int body = entities[ids[i]].kind == LJ_IR_FUNCTION;
        uint32_t left = needed < room ? (uint32_t)(room - needed) : 0;
        needed += lj_ir_index_symbol(index, ids[i], body, names + (left ? needed : 0), left);
        if (needed < room)
            names[needed] = '\0';
        needed++;
    }
    return needed;
}
