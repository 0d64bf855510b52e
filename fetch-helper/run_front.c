/* run_front.c - see run_front.h. */
#include "run_front.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "../token-helper/client/deadline.h"

#ifndef MAILBEARER_BINDIR
#define MAILBEARER_BINDIR "/usr/local/bin"
#endif
#define FRONT_ENV "MAILBEARER_FRONT"
#define NAME "mailbearer"
#define PATH_MAX_BYTES 4096
#define ARGS_MAX 8
#define OUT_MAX 100000u
#define ERR_MAX 4096u

static const char *
find_front(char path[PATH_MAX_BYTES])
{
    const char *named = secure_getenv(FRONT_ENV);
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX_BYTES - sizeof NAME);
    char *slash;

    if (named != NULL && named[0] == '/')
        return named;
    if (n > 0 && (size_t)n < PATH_MAX_BYTES - sizeof NAME) {
        path[n] = '\0';
        if ((slash = strrchr(path, '/')) != NULL) {
            memcpy(slash + 1, NAME, sizeof NAME);
            if (access(path, X_OK) == 0)
                return path;
        }
    }
    return MAILBEARER_BINDIR "/" NAME;
}

/* One of the child's output pipes. */
struct pipe_end {
    int fd; /* -1: at its end */
    struct secret *into;
};

/* Starts the child with the pipes on 1 and 2. The signals it begins with are the usual
 * ones: this program ignores SIGPIPE. */
static int
spawn(const char *program, char *const argv[], int out, int errors, pid_t *pid_r)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t defaults;
    int r;

    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    if ((r = posix_spawn_file_actions_init(&files)) != 0)
        return r;
    if ((r = posix_spawnattr_init(&attr)) != 0) {
        posix_spawn_file_actions_destroy(&files);
        return r;
    }
    if ((r = posix_spawnattr_setsigdefault(&attr, &defaults)) == 0 &&
        (r = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF)) == 0 &&
        (r = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY,
                                              0)) == 0 &&
        (r = posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO)) == 0 &&
        (r = posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO)) == 0)
        r = posix_spawn(pid_r, program, &files, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return r;
}

/* Reads what is there; at the end of the stream closes it. Straight into the secret, so
 * that no other copy has to be wiped. */
static int
drain(struct pipe_end *end, struct err *err)
{
    struct secret *s = end->into;
    ssize_t n;

    if (secret_reserve(s, s->max - s->len < 4096 ? s->max - s->len : 4096) != 0 ||
        s->cap - s->len < 2)
        return err_set(err, ERR_PROTOCOL, NAME " printed more than it should");
    n = read(end->fd, s->data + s->len, s->cap - s->len - 1);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n <= 0) {
        close(end->fd);
        end->fd = -1;
        return 0;
    }
    s->len += (size_t)n;
    s->data[s->len] = '\0';
    return 0;
}

static int
collect(struct pipe_end ends[2], const struct deadline *dl, struct err *err)
{
    int r = 0;

    while (r == 0 && (ends[0].fd != -1 || ends[1].fd != -1)) {
        struct pollfd p[2] = {{ends[0].fd, POLLIN, 0}, {ends[1].fd, POLLIN, 0}};
        int n = poll(p, 2, deadline_left(dl));

        if (n < 0 && errno != EINTR && errno != EAGAIN)
            r = err_set(err, ERR_TEMP, "cannot listen to " NAME ": %s", strerror(errno));
        if (n == 0 && deadline_passed(dl))
            r = err_set(err, ERR_TIMEOUT, NAME " did not answer in time");
        for (int i = 0; n > 0 && i < 2 && r == 0; i++)
            if (p[i].revents != 0)
                r = drain(&ends[i], err);
    }
    return r;
}

static int
code_for(int status)
{
    static const int codes[] = {ERR_USAGE, ERR_NOACCOUNT, ERR_NOAGENT, ERR_STORE,
                                ERR_TEMP,  ERR_PERSON,    ERR_CONFIG};

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (err_exit_status(codes[i]) == status)
            return codes[i];
    return ERR_TEMP;
}

/* What it said on standard error, two lines of complain.h:
 *     mailbearer: SUBJECT: what happened
 *     mailbearer: to mend it: what to do */
static int
failed(int status, const char *subject, const struct secret *said, struct err *err)
{
    size_t n = strlen(subject);
    static const char name[] = NAME ": ", mend[] = NAME ": to mend it: ";
    const char *line = secret_str(said);
    const char *end = strchrnul(line, '\n');
    const char *next = *end != '\0' ? end + 1 : end;
    int code = code_for(WIFEXITED(status) ? WEXITSTATUS(status) : EX_TEMPFAIL);

    if (strncmp(line, name, sizeof name - 1) == 0)
        line += sizeof name - 1;
    if (strncmp(line, subject, n) == 0 && strncmp(line + n, ": ", 2) == 0)
        line += n + 2;
    if (line < end)
        err_set(err, code, "%.*s", (int)(end - line), line);
    else
        err_set(err, code, NAME " failed (status %d)", status);
    if (strncmp(next, mend, sizeof mend - 1) == 0) {
        next += sizeof mend - 1;
        err_hint(err, "%.*s", (int)strcspn(next, "\n"), next);
    }
    return code;
}

/* Waits for it, after stopping one that is still to be waited for in vain. */
static int
reap(pid_t pid, bool stop)
{
    int status = 0;

    if (stop)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
        ;
    return status;
}

/* *status_r: how it ended, as waitpid(2) tells. */
static int
run(const char *program, char *const argv[], int deadline_ms, struct secret *out,
    struct secret *said, int *status_r, struct err *err)
{
    struct deadline dl = deadline_in(deadline_ms);
    int outs[2] = {-1, -1}, errs[2] = {-1, -1};
    struct pipe_end ends[2] = {{-1, out}, {-1, said}};
    pid_t pid = 0;
    int r = ERR_TEMP;

    if (pipe2(outs, O_CLOEXEC) != 0 || pipe2(errs, O_CLOEXEC) != 0)
        err_set(err, ERR_TEMP, "cannot make a pipe: %s", strerror(errno));
    else if ((r = spawn(program, argv, outs[1], errs[1], &pid)) != 0)
        r = err_set(err, ERR_NOAGENT, "no agent answers, and cannot run %s: %s", program,
                    strerror(r));
    for (int i = 0; i < 2; i++) {
        int fd = i == 0 ? outs[1] : errs[1];

        if (fd != -1)
            close(fd);
    }
    ends[0].fd = outs[0];
    ends[1].fd = errs[0];
    if (r == 0) {
        r = collect(ends, &dl, err);
        *status_r = reap(pid, r != 0);
    }
    for (int i = 0; i < 2; i++)
        if (ends[i].fd != -1)
            close(ends[i].fd);
    return r;
}

int
run_front(const char *config, const char *const args[], const char *subject,
          int deadline_ms, struct secret *out_r, struct err *err)
{
    struct secret out = {.max = OUT_MAX}, said = {.max = ERR_MAX};
    char path[PATH_MAX_BYTES];
    const char *program = find_front(path);
    const char *list[ARGS_MAX] = {NAME};
    char *argv[ARGS_MAX] = {NULL};
    size_t n = 1;
    int status = 0;
    int r;

    if (config != NULL) {
        list[n++] = "-c";
        list[n++] = config;
    }
    for (size_t i = 0; args[i] != NULL && n < ARGS_MAX - 1; i++)
        list[n++] = args[i];
    memcpy(argv, list, n * sizeof *argv); /* execve() changes no argument */
    r = run(program, argv, deadline_ms, &out, &said, &status, err);
    if (r == 0 && status != 0)
        r = failed(status, subject, &said, err);
    if (r == 0)
        secret_move(out_r, &out);
    secret_clear(&out);
    secret_clear(&said);
    return r;
}
