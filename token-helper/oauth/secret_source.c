/* secret_source.c - see secret_source.h. */
#include "secret_source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include "../base/file.h"
#include "../client/deadline.h"

/* Starts `sh -c command` in a process group of its own, so that all of it can be ended;
 * no input, output into the pipe. */
static int
command_start(const char *command, int out_fd, pid_t *pid_r)
{
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, NULL, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, defaults;
    char *copy = strdup(command);
    int e;

    if (copy == NULL)
        return ENOMEM;
    argv[2] = copy;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    if ((e = posix_spawn_file_actions_init(&files)) != 0)
        goto out_copy;
    if ((e = posix_spawnattr_init(&attr)) != 0)
        goto out_files;
    if ((e = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)) ==
            0 &&
        (e = posix_spawn_file_actions_adddup2(&files, out_fd, 1)) == 0 &&
        (e = posix_spawnattr_setpgroup(&attr, 0)) == 0 &&
        (e = posix_spawnattr_setsigmask(&attr, &none)) == 0 &&
        (e = posix_spawnattr_setsigdefault(&attr, &defaults)) == 0 &&
        (e = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP |
                                                 POSIX_SPAWN_SETSIGMASK |
                                                 POSIX_SPAWN_SETSIGDEF)) == 0)
        e = posix_spawn(pid_r, "/bin/sh", &files, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
out_files:
    posix_spawn_file_actions_destroy(&files);
out_copy:
    free(copy);
    return e;
}

/* Reads until the end of the output. 0, ERR_TIMEOUT, ERR_TEMP, ERR_NOMEM. */
static int
command_read(int fd, const struct deadline *dl, struct secret *out, struct err *err)
{
    char buf[4096];
    ssize_t n = 1; /* poll(2) may be interrupted before the first read */
    int r = 0;

    do {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int ready = poll(&p, 1, deadline_left(dl));

        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0) {
            r = err_set(err, ERR_TIMEOUT, "client_secret_command took longer than %d s",
                        SECRET_COMMAND_MS / 1000);
            break;
        }
        n = read(fd, buf, sizeof buf);
        if (n < 0 && errno == EINTR)
            n = 1; /* go round again */
        else if (n < 0)
            r = err_set(err, ERR_TEMP, "client_secret_command: %s", strerror(errno));
        else if (n > 0 && secret_append(out, buf, (size_t)n) != 0)
            r = err_set(err, ERR_TEMP, "client_secret_command printed more than %u bytes",
                        SECRET_COMMAND_MAX);
    } while (r == 0 && n > 0);
    explicit_bzero(buf, sizeof buf);
    return r;
}

/* Waits for the end; kills the group when the deadline passes. */
static int
command_wait(pid_t pid, const struct deadline *dl, int r, struct err *err)
{
    int status = 0;
    pid_t got;

    /* Before it is collected, while its group is certainly still its own: what it left in
     * the background may be what keeps the pipe open. */
    if (r != 0)
        kill(-pid, SIGKILL);
    while ((got = waitpid(pid, &status, WNOHANG)) == 0 && r == 0 && !deadline_passed(dl))
        poll(NULL, 0, 10);
    if (got == 0) {
        kill(-pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            continue;
        if (r == 0)
            r = err_set(err, ERR_TIMEOUT, "client_secret_command took longer than %d s",
                        SECRET_COMMAND_MS / 1000);
    }
    if (r == 0 && got > 0 && status != 0) {
        if (WIFSIGNALED(status))
            err_set(err, ERR_TEMP, "client_secret_command was ended by signal %d",
                    WTERMSIG(status));
        else
            err_set(err, ERR_TEMP, "client_secret_command ended with status %d",
                    WEXITSTATUS(status));
        r = ERR_TEMP;
    }
    if (r != 0)
        err_hint(err,
                 "run that command as the state directory's owner and see what it says");
    return r;
}

static int
run_command(const char *command, struct secret *out, struct err *err)
{
    struct deadline dl = deadline_in(SECRET_COMMAND_MS);
    int fd[2], e, r;
    pid_t pid;

    if (pipe2(fd, O_CLOEXEC) != 0)
        return err_set(err, ERR_TEMP, "client_secret_command: %s", strerror(errno));
    e = command_start(command, fd[1], &pid);
    close(fd[1]);
    if (e != 0) {
        close(fd[0]);
        return err_set(err, ERR_TEMP, "client_secret_command: %s", strerror(e));
    }
    r = command_read(fd[0], &dl, out, err);
    close(fd[0]);
    return command_wait(pid, &dl, r, err);
}

/* The first line, as for a secret file. */
static int
take_first_line(struct secret *printed, struct secret *secret_r, struct err *err)
{
    size_t n = 0;

    /* not strcspn(): a NUL in the line must be seen and refused */
    while (n < printed->len && printed->data[n] != '\r' && printed->data[n] != '\n')
        n++;
    if (n == 0) {
        err_set(err, ERR_CONFIG, "client_secret_command printed nothing");
        err_hint(err, "it must print the secret as its first line");
        return ERR_CONFIG;
    }
    if (secret_set(secret_r, printed->data, n) != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (secret_has_control(secret_r)) {
        secret_clear(secret_r);
        err_set(err, ERR_CONFIG, "client_secret_command printed a control character");
        err_hint(err, "it must print the secret as one line of plain text");
        return ERR_CONFIG;
    }
    return 0;
}

int
secret_source_read(const struct account *account, struct secret *secret_r,
                   struct err *err)
{
    struct secret printed = {.max = SECRET_COMMAND_MAX};
    int r;

    secret_clear(secret_r);
    if (account->client_secret_file != NULL) {
        r = file_read_secret_line(account->client_secret_file, "client secret", secret_r,
                                  err);
        if (r != 0 && err != NULL && err->hint[0] == '\0')
            err_hint(err, "put the secret there; uid %lu must be able to read it",
                     (unsigned long)geteuid());
        return r;
    }
    if (account->client_secret_command == NULL) {
        r = secret_set(secret_r, account->client_secret.data, account->client_secret.len);
        return r == 0 ? 0 : err_set(err, ERR_NOMEM, "out of memory");
    }
    r = run_command(account->client_secret_command, &printed, err);
    if (r == 0)
        r = take_first_line(&printed, secret_r, err);
    secret_clear(&printed);
    return r;
}
