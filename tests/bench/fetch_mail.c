/* fetch_mail: reads the first COUNT messages of an inbox from a command that speaks IMAP
 * on its standard input and output and is signed in already, and throws them away.
 *
 * usage: fetch_mail COUNT COMMAND [ARGUMENT]...
 *
 * Prints how many bytes they had.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

static pid_t
start(char **argv, int *fd_r)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        bench_die("socketpair");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) != 0)
        bench_die(argv[0]);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *fd_r = ends[0];
    return pid;
}

static void
fail(const char *line)
{
    fprintf(stderr, "fetch_mail: unexpected: %s\n", line);
    exit(1);
}

/* Reads a line, which must begin with `start`. */
static void
expect(FILE *in, const char *begin, char line[512])
{
    if (fgets(line, 512, in) == NULL || strncmp(line, begin, strlen(begin)) != 0)
        fail(line);
}

static void
command(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        bench_die("write");
}

/* Drops the literal that `line` announces. Returns its size. */
static size_t
literal(FILE *in, const char *line)
{
    static char buf[65536];
    const char *brace = strrchr(line, '{');
    size_t size = brace != NULL ? (size_t)strtoull(brace + 1, NULL, 10) : 0;
    size_t left = size;

    if (left == 0)
        fail(line);
    while (left > 0) {
        size_t n = fread(buf, 1, left < sizeof(buf) ? left : sizeof(buf), in);

        if (n == 0)
            fail("the end of the session");
        left -= n;
    }
    return size;
}

int
main(int argc, char **argv)
{
    size_t bytes = 0;
    char line[512] = "";
    long count;
    int fd = -1;
    int status = 0;
    pid_t pid;
    FILE *in;

    if (argc < 3) {
        fprintf(stderr, "usage: fetch_mail COUNT COMMAND [ARGUMENT]...\n");
        return 64;
    }
    count = bench_number(argv[1]);
    pid = start(argv + 2, &fd);
    if ((in = fdopen(fd, "r")) == NULL)
        bench_die("fdopen");
    expect(in, "* PREAUTH", line);
    command(fd, "a SELECT INBOX\r\n");
    do {
        if (fgets(line, sizeof(line), in) == NULL)
            fail("the end of the session");
    } while (line[0] == '*');
    for (long i = 1; i <= count; i++) {
        char fetch[64];

        snprintf(fetch, sizeof(fetch), "b FETCH %ld BODY[]\r\n", i);
        command(fd, fetch);
        expect(in, "* ", line);
        bytes += literal(in, line);
        /* the rest of the line behind the literal, perhaps flags, then the end */
        while (strncmp(line, "b OK", 4) != 0)
            if (fgets(line, sizeof(line), in) == NULL)
                fail("the end of the session");
    }
    command(fd, "c LOGOUT\r\n");
    shutdown(fd, SHUT_WR);
    while (fgets(line, sizeof(line), in) != NULL)
        ;
    fclose(in);
    if (waitpid(pid, &status, 0) != pid || status != 0)
        fail("the tunnel's exit status");
    printf("%zu\n", bytes);
    return 0;
}
