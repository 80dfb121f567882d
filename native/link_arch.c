/* Looking architectures and kinds up; what is the same for all. */
#include "link_arch.h"

#include <string.h>

#define LJ_FORM(name, needs) [LJ_FORM_##name] = needs,
const uint16_t lj_form_needs[LJ_FORM_COUNT] = {LJ_FORMS(LJ_FORM)};
#undef LJ_FORM

#define LJ_KIND(name, bytes, range, form)                                                          \
    [LJ_KIND_##name - LJ_KIND_OWN] = {#name, bytes, LJ_RANGE_##range, LJ_FORM_##form},
static const lj_kind own_kinds[LJ_KIND_END - LJ_KIND_OWN] = {LJ_OWN_KINDS(LJ_KIND)};
#undef LJ_KIND

#define LJ_ARCH(name) &lj_arch_##name,
static const lj_arch *const archs[] = {LJ_ARCHS(LJ_ARCH)};
#undef LJ_ARCH
enum { ARCH_COUNT = sizeof archs / sizeof archs[0] };

const lj_arch *lj_arch_of(uint32_t machine) {
    for (int i = 0; i < ARCH_COUNT; i++)
        if (archs[i]->machine == machine)
            return archs[i];
    return NULL;
}

const lj_arch *lj_arch_named(const char *name) {
    for (int i = 0; i < ARCH_COUNT; i++)
        if (strcmp(archs[i]->name, name) == 0)
            return archs[i];
    return NULL;
}

const char *lj_arch_name(const lj_arch *arch) {
    return arch->name;
}

int lj_arch_runs_here(const lj_arch *arch) {
    return arch->is_host;
}

const char *lj_arch_prefix(const lj_arch *arch) {
    return arch->prefix;
}

const lj_kind *lj_arch_kind(const lj_arch *arch, uint32_t number) {
    static const lj_kind unknown = {NULL, 0, LJ_RANGE_ANY, LJ_FORM_UNKNOWN};
    if (number < arch->kind_count)
        return &arch->kinds[number];
    if (number >= LJ_KIND_OWN && number < LJ_KIND_END)
        return &own_kinds[number - LJ_KIND_OWN];
    return &unknown;
}

const char *lj_relocation_name(const lj_arch *arch, uint32_t kind) {
    return lj_arch_kind(arch, kind)->name;
}

uint32_t lj_relocation_number(const lj_arch *arch, const char *name) {
    for (uint32_t i = 0; i < arch->kind_count; i++)
        if (arch->kinds[i].name && strcmp(arch->kinds[i].name, name) == 0)
            return i;
    for (uint32_t i = LJ_KIND_OWN; i < LJ_KIND_END; i++)
        if (strcmp(own_kinds[i - LJ_KIND_OWN].name, name) == 0)
            return i;
    return UINT32_MAX;
}

uint32_t lj_relocation_bytes(const lj_arch *arch, uint32_t kind) {
    const lj_kind *row = lj_arch_kind(arch, kind);
    return row->name ? row->bytes : UINT32_MAX;
}

int lj_range_fits(int range, uint64_t value) {
    int64_t number = (int64_t)value;
    switch (range) {
    case LJ_RANGE_S32:
        return number == (int32_t)number;
    case LJ_RANGE_U32:
        return value == (uint32_t)value;
    case LJ_RANGE_S16:
        return number == (int16_t)number;
    case LJ_RANGE_I16:
        return number >= INT16_MIN && number <= UINT16_MAX;
    case LJ_RANGE_S8:
        return number == (int8_t)number;
    case LJ_RANGE_I8:
        return number >= INT8_MIN && number <= UINT8_MAX;
    }
    return 1;
}
