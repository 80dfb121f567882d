"""The JIT linker: object files into the session's arena."""
