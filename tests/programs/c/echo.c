// The program's surroundings: argv, environment, standard input to output and error, exit code.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

int main(int argc, char **argv, char **envp) {
    printf("%d arguments\n", argc);
    for (int i = 0; i < argc; i++)
        printf("[%s]\n", argv[i]);
    printf("%d %d\n", argv[argc] == NULL, envp[0] == environ[0]);
    const char *value = getenv("LAZYJIT_TEST_VALUE");
    printf("%s\n", value ? value : "(unset)");
    char line[256];
    int lines = 0;
    size_t bytes = 0;
    while (fgets(line, sizeof line, stdin)) {
        lines++;
        bytes += strlen(line);
        for (char *c = line; *c; c++)
            *c = (char)toupper((unsigned char)*c);
        fputs(line, lines % 2 ? stdout : stderr);
    }
    printf("%d lines, %zu bytes, %d\n", lines, bytes, feof(stdin) != 0);
    fprintf(stderr, "done\n");
    return argc > 1 ? atoi(argv[1]) : 200;
}
