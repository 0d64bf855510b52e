/* compare: starts two or more commands in turn, many times, and prints the median of
 * each.
 *
 * usage: compare ROUNDS COLUMNS COMMAND... -- COMMAND...
 *
 * COLUMNS 0: the time from before the start to after the end, in microseconds, standard
 * output going to a pipe. Otherwise: the medians of that many numbers, which the command
 * prints. Words NAME=VALUE in front of a command are put into its environment. One line
 * of output a command. The order within a round changes from round to round, so that none
 * is always the one behind a particular other.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define COMMANDS_MAX 4
#define COLUMNS_MAX 4
#define WARM_UP 5
#define OUTPUT_MAX 65536

struct command {
    char **argv;
    char **environment;
    double *values[COLUMNS_MAX];
};

/* The environment with the leading NAME=VALUE words of *argv in front, which are taken
 * off: of two of a name the first counts. */
static char **
environment_for(char ***argv)
{
    size_t own = 0;
    size_t given = 0;
    char **list = NULL;

    while (environ != NULL && environ[given] != NULL)
        given++;
    while ((*argv)[own] != NULL && strchr((*argv)[own], '=') != NULL)
        own++;
    list = bench_alloc(own + given + 1, sizeof(*list));
    for (given = 0; given < own; given++)
        list[given] = (*argv)[given];
    for (given = 0; environ != NULL && environ[given] != NULL; given++)
        list[own + given] = environ[given];
    *argv += own;
    return list;
}

/* Starts the command, reads all it prints, waits for it. Returns microseconds. */
static double
run(const struct command *command, char output[OUTPUT_MAX])
{
    posix_spawn_file_actions_t actions;
    double start = 0;
    size_t len = 0;
    int pipe_fd[2] = {-1, -1};
    int status = 0;
    pid_t pid = -1;

    if (pipe2(pipe_fd, O_CLOEXEC) == -1)
        bench_die("pipe2");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipe_fd[1], 1);
    start = bench_now();
    errno = posix_spawn(&pid, command->argv[0], &actions, NULL, command->argv,
                        command->environment);
    if (errno != 0)
        bench_die(command->argv[0]);
    close(pipe_fd[1]);
    for (;;) {
        ssize_t n = read(pipe_fd[0], output + len, OUTPUT_MAX - 1 - len);

        if (n <= 0)
            break;
        len += (size_t)n;
    }
    if (waitpid(pid, &status, 0) == -1)
        bench_die("waitpid");
    start = bench_now() - start;
    close(pipe_fd[0]);
    posix_spawn_file_actions_destroy(&actions);
    output[len] = '\0';
    if (status != 0 || len == 0) {
        fprintf(stderr, "%s failed (status %d, %zu bytes)\n", command->argv[0], status,
                len);
        exit(1);
    }
    return start;
}

static void
keep(struct command *command, size_t round, size_t columns, double took, char *output)
{
    char *at = output;
    size_t i;

    if (columns == 0) {
        command->values[0][round] = took;
        return;
    }
    for (i = 0; i < columns; i++) {
        char *end = NULL;

        command->values[i][round] = strtod(at, &end);
        if (end == at) {
            fprintf(stderr, "%s printed no %zu numbers\n", command->argv[0], columns);
            exit(1);
        }
        at = end;
    }
}

/* Splits the command line at "--". Returns how many commands there are; 0 when one of
 * them is empty. */
static size_t
commands_from(char **argv, struct command commands[COMMANDS_MAX])
{
    size_t count = 0;

    while (*argv != NULL && count < COMMANDS_MAX) {
        struct command *command = &commands[count++];

        command->argv = argv;
        while (*argv != NULL && strcmp(*argv, "--") != 0)
            argv++;
        if (*argv != NULL)
            *argv++ = NULL;
        command->environment = environment_for(&command->argv);
        if (command->argv[0] == NULL)
            return 0;
    }
    return count;
}

int
main(int argc, char **argv)
{
    static char output[OUTPUT_MAX];
    struct command commands[COMMANDS_MAX] = {{0}};
    size_t rounds = argc > 3 ? (size_t)bench_number(argv[1]) : 0;
    size_t columns =
        argc > 3 && strcmp(argv[2], "0") != 0 ? (size_t)bench_number(argv[2]) : 0;
    size_t count = argc > 3 ? commands_from(argv + 3, commands) : 0;
    size_t shown = columns == 0 ? 1 : columns;
    size_t round, i, j;

    if (count == 0 || columns > COLUMNS_MAX) {
        fprintf(stderr, "usage: compare ROUNDS COLUMNS COMMAND... -- COMMAND...\n");
        return 64;
    }
    for (i = 0; i < count; i++)
        for (j = 0; j < shown; j++)
            commands[i].values[j] = bench_alloc(rounds, sizeof(double));
    for (round = 0; round < rounds + WARM_UP; round++)
        for (i = 0; i < count; i++) {
            struct command *command = &commands[(i + round) % count];
            double took = run(command, output);

            if (round >= WARM_UP)
                keep(command, round - WARM_UP, columns, took, output);
        }
    for (i = 0; i < count; i++)
        for (j = 0; j < shown; j++)
            printf("%.3f%c", bench_median(commands[i].values[j], rounds),
                   j + 1 == shown ? '\n' : ' ');
    return 0;
}
