/* exec_witness.c - LD_PRELOAD library that writes down what each program was started
 * with.
 *
 * Used by:  clients.bash, which compiles it
 *
 * Every program that starts adds one line to the file named by EXEC_WITNESS: its
 * arguments, separated by spaces. A token among its environment is written down too, as
 * one line "environment: NAME". So a token on a command line, however short-lived, is
 * found.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 65536
#define WORD "CANARY" /* tests/check-secrets.sh */

static char line[LINE_MAX_BYTES];

/* In one write, so that programs which start at once do not mix their lines. */
static void
write_arguments(int fd, int argc, char **argv)
{
    size_t length = 0, n;
    int i;

    for (i = 0; i < argc; i++) {
        n = strlen(argv[i]);
        if (length + n + 2 > sizeof(line))
            abort();
        memcpy(line + length, argv[i], n);
        length += n;
        line[length++] = ' ';
    }
    line[length++] = '\n';
    if (write(fd, line, length) < 0)
        abort();
}

__attribute__((constructor)) static void
witness(int argc, char **argv, char **envp)
{
    const char *path = getenv("EXEC_WITNESS");
    int fd;

    if (path == NULL || (fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)) < 0)
        return;
    write_arguments(fd, argc, argv);
    for (; *envp != NULL; envp++)
        if (strstr(*envp, WORD) != NULL)
            dprintf(fd, "environment: %.*s\n", (int)strcspn(*envp, "="), *envp);
    close(fd);
}
