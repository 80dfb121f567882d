"""The JIT linker: object files into the session's arena.

arena      memory for code and data (`Arena`)
memory     memory managers: the interface; memory_arena, memory_slab, memory_null: three of them
passes     the lists of passes that a link runs (`PassConfiguration`)
placing    a graph's blocks into a manager's segments
graph      one object on its way to running code (`LinkGraph`)
views      its sections, blocks, symbols, edges as objects and NumPy arrays
runtime    exit handlers and thread-local variables of JIT'd code
archive    static libraries (`Archive`)
check      checks on linked memory
"""
