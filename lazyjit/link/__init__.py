"""The JIT linker: object files into the session's arena.

arena      memory for code and data (`Arena`)
graph      one object on its way to running code (`LinkGraph`)
views      its sections, blocks, symbols, edges as objects and NumPy arrays
runtime    exit handlers and thread-local variables of JIT'd code
archive    static libraries (`Archive`)
check      checks on linked memory
"""
