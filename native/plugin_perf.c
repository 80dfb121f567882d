/* The marker of a jitdump file (see plugin_perf.h). */
#include "plugin_perf.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

lj_status lj_perf_mark(int file, lj_fault *fault) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    /* The page stays: unmapping it is what nobody would gain from, and a recorder that attaches
     * later finds it in /proc/PID/maps. */
    void *marker = mmap(NULL, page, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
    if (marker == MAP_FAILED)
        return lj_fail(fault, LJ_SYSTEM, 0, (uint64_t)errno, "can't map the dump for perf: %s",
                       strerror(errno));
    return LJ_OK;
}
