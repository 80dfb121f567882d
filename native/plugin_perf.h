/* Linux perf's marker: how `perf inject` learns of a dump of JIT'd code.
 *
 * perf records which files a process maps executable. A process that keeps a jitdump file maps a
 * page of it so, once, never to run it: from that record `perf inject --jit` has the file's path.
 * Everything else of a dump is written by lazyjit/layers/plugins/jitdump.py.
 */
#ifndef LAZYJIT_PLUGIN_PERF_H
#define LAZYJIT_PLUGIN_PERF_H

#include "status.h"

/* cffi: begin */
/* Maps the start of the open file, until the process ends. SYSTEM with value = errno: a file system
 * that is mounted noexec refuses. Any thread. */
lj_status lj_perf_mark(int file, lj_fault *fault);
/* cffi: end */

#endif
