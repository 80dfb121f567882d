/* What a section does in a running program, by its name and flags.
 *
 * Most sections are only memory. Some are read by who runs the program: unwinders read call frame
 * information, threads start with a copy of the thread-local image, and arrays of pointers are
 * called before and after main. ELF marks some of these by section types, older tools by names
 * alone, and a graph that is made by hand has nothing but names; so both count here.
 */
#include "link_graph.h"

#include <elf.h>
#include <string.h>

/* Whether a name is `base`, or `base` with a suffix behind a dot. */
static int is_named(const char *name, const char *base) {
    size_t size = strlen(base);
    return strncmp(name, base, size) == 0 && (name[size] == 0 || name[size] == '.');
}

/* ".init_array.101" -> 101. Names with another ending have the default, as in GNU ld. */
static uint32_t priority_of(const char *name, const char *base) {
    if (!is_named(name, base))
        return LJ_PRIORITY_LAST;
    const char *digits = name + strlen(base);
    if (*digits++ != '.' || *digits < '0' || *digits > '9')
        return LJ_PRIORITY_LAST;
    uint32_t priority = 0;
    for (; *digits >= '0' && *digits <= '9' && priority <= LJ_PRIORITY_LAST; digits++)
        priority = priority * 10 + (uint32_t)(*digits - '0');
    return priority > LJ_PRIORITY_LAST ? LJ_PRIORITY_LAST : priority;
}

/* Old-style tables are numbered the other way round: .ctors.64535 is .init_array.01000. */
static uint32_t old_priority_of(const char *name, const char *base) {
    return name[strlen(base)] ? LJ_PRIORITY_LAST - priority_of(name, base) : LJ_PRIORITY_LAST;
}

void lj_section_give_role(lj_link_section *section, const char *name) {
    section->role = LJ_ROLE_PLAIN;
    section->priority = LJ_PRIORITY_LAST;
    if (section->flags & SHF_TLS) {
        section->role = LJ_ROLE_TLS;
    } else if (section->type == SHT_PROGBITS && strncmp(name, ".text", 5) == 0) {
        /* The usual case: tens of thousands, with a section for each function. */
    } else if (strcmp(name, ".eh_frame") == 0) {
        section->role = LJ_ROLE_EH_FRAME;
    } else if (section->type == SHT_INIT_ARRAY || is_named(name, ".init_array")) {
        section->role = LJ_ROLE_INIT;
        section->priority = priority_of(name, ".init_array");
    } else if (section->type == SHT_PREINIT_ARRAY || strcmp(name, ".preinit_array") == 0) {
        section->role = LJ_ROLE_INIT;
        section->priority = 0;
    } else if (section->type == SHT_FINI_ARRAY || is_named(name, ".fini_array")) {
        section->role = LJ_ROLE_FINI;
        section->priority = priority_of(name, ".fini_array");
    } else if (is_named(name, ".ctors")) {
        section->role = LJ_ROLE_CTORS;
        section->priority = old_priority_of(name, ".ctors");
    } else if (is_named(name, ".dtors")) {
        section->role = LJ_ROLE_DTORS;
        section->priority = old_priority_of(name, ".dtors");
    }
    section->region = section->role == LJ_ROLE_TLS ? LJ_RODATA : lj_region_of(section->prot);
}

int lj_section_is_thread_local(const char *name) {
    return is_named(name, ".tdata") || is_named(name, ".tbss");
}
