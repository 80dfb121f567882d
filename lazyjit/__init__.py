"""lazyjit: a concurrent, lazy-compilation runtime for LLVM IR, driven from Python."""
