/* Calls that can be led elsewhere (see plugin_calls.h). */
#include "plugin_calls.h"

int lj_kind_is_branch(const lj_arch *arch, uint32_t kind) {
    return lj_arch_kind(arch, kind)->form == LJ_FORM_BRANCH;
}

void lj_call_slot_store(uint64_t slot, uint64_t target) {
    __atomic_store_n((uint64_t *)(uintptr_t)slot, target, __ATOMIC_RELEASE);
}

uint64_t lj_call_slot_load(uint64_t slot) {
    return __atomic_load_n((const uint64_t *)(uintptr_t)slot, __ATOMIC_ACQUIRE);
}
