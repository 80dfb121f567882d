// One dylib of two: it calls its own definitions, whatever main and the other dylib define.
int everywhere(void) { return 1; }
int in_both(void) { return 10 + everywhere(); }
int only_in_one(void) { return 100 * in_both() + everywhere(); }
