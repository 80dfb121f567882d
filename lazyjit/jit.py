"""`JIT`: everything put together, LLJIT's and LLLazyJIT's counterpart.

    with lazyjit.JIT() as jit:
        jit.add("kernels.ll")
        scale = jit.function("scale", ctypes.c_double, ctypes.c_double)
        scale(3.0)  # compiles `scale` and what it calls, now

A program is handed over whole. Nothing is compiled until it is called; a call compiles what it
needs on a pool of threads, and the next call is one indirect jump. All the rooms below can be used
without this one; what it adds is the usual choice at each point, and one place to close everything.
"""

from __future__ import annotations

from lazyjit.face.adding import Adding

__all__ = ["JIT"]


class JIT(Adding):
    """A session with dylibs, a compiler, a linker and a thread pool. A context manager.

    Every method may be called from any thread. Options:

    - `opt_level` 0..3: LLVM's default pipeline at that level, on each unit
    - `codegen_level` 0..3: the code generator's effort (default: as `opt_level`)
    - `compile_threads`: how many threads compile (default: the processors this process may use)
    - `lazy`: compile what is called; when False, a module is compiled whole as soon as a symbol of
      it is looked up
    - `unit_policy`: what is compiled together, see `UnitPolicy`
    - `tiered`: make code quickly at first, at level 0, and again with the options above on threads
      that nobody waits for; a function that is called once and runs long stays at level 0
    - `speculate`: let idle compile threads make what is likely to be called next
    - `cpu`, `features`: as LLVM spells them (default: the host's)
    - `relocation_model`, `code_model`: as LLVM spells them
    - `process_symbols`: whether code may use what this process exports (the C library, ...), or a
      predicate that tells of which names it may; on any thread, perhaps several times for a name
    - `arena_size`: bytes of address space for code and data, 64 KiB to 2000 MiB (default: 768 MiB)
    - `on_unit`: called with a `UnitInfo` before each unit is compiled, on the compiling thread
    - `memory_manager`: where linked code and data go (default: the arena); stubs stay in the arena
    - `debugger_support`: show code to debuggers, with lines of the source where there is debug
      information, and keep it where they can write breakpoints (see `lazyjit.layers.plugins.gdb`)
    - `perf_support`: tell Linux perf the names of functions (see `lazyjit.layers.plugins.perf`)
    - `lazy_compile_failure`: where a failed first call goes that no Python call led to (an address)

    Raises UsageError for options out of range, ResourceError when the system refuses memory.
    """
