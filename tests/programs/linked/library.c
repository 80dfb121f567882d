// Built by gcc as a shared library, which is found by -l and -L or named with --dlopen.
int library_value = 5;
int library_function(int x) { return x * library_value; }
