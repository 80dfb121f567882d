// The other dylib: the same names with other values.
int everywhere(void) { return 2; }
int in_both(void) { return 20 + everywhere(); }
int only_in_two(void) { return 100 * in_both() + everywhere(); }
