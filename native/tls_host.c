/* Thread-local variables of the process's own libraries, for JIT'd code.
 *
 * `dlsym` on such a variable gives its address for the calling thread, which is no use to code that
 * all threads run. The variable's module is the one in whose block of this thread the address lies,
 * and its offset the distance from that block's start; both are the same in every thread.
 * libstdc++'s headers need this: std::call_once stores into two thread-local variables of the
 * library.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tls.h"

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>

typedef struct search {
    const char *name;
    uint64_t address, module, offset;
} search;

static int module_of(struct dl_phdr_info *info, size_t size, void *data) {
    search *wanted = data;
    if (size < offsetof(struct dl_phdr_info, dlpi_tls_data) + sizeof info->dlpi_tls_data ||
        !info->dlpi_tls_data)
        return 0;
    uint64_t start = (uint64_t)(uintptr_t)info->dlpi_tls_data;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_TLS && wanted->address >= start &&
            wanted->address - start < header->p_memsz) {
            wanted->module = info->dlpi_tls_modid;
            wanted->offset = wanted->address - start;
            return 1;
        }
    }
    return 0;
}

int lj_tls_host_variable(const char *name, uint64_t *module, uint64_t *offset) {
    search wanted = {.name = name};
    wanted.address = (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, name);
    /* A library opened without RTLD_GLOBAL isn't searched by default. */
    if (!wanted.address) {
        void *library = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_NOLOAD);
        if (library) {
            wanted.address = (uint64_t)(uintptr_t)dlsym(library, name);
            dlclose(library);
        }
    }
    if (!wanted.address || !dl_iterate_phdr(module_of, &wanted))
        return 0;
    *module = wanted.module;
    *offset = wanted.offset;
    return 1;
}
