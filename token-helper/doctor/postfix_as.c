/* postfix_as.c - see postfix_as.h. */
#include "postfix_as.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../client/agent_client.h"
#include "../client/deadline.h"

#define GRACE_MS 1000 /* the child has the same deadline; it only has to say so */

struct question {
    const struct postfix_as *as;
    const char *map, *key; /* for the agent, or */
    const char *path;      /* a file */
    bool wants_user;
};

/* What goes through the pipe, in one write(2). */
struct answer {
    struct err err; /* code 0: done */
    char user[POSTFIX_AS_USER_MAX];
};
_Static_assert(sizeof(struct answer) <= 4096, "one atomic write");

/* --- in the child ---------------------------------------------------------------- */

static int
become(const struct postfix_as *as, struct err *err)
{
    if (!as->change)
        return 0;
    if (as->root != NULL && (chroot(as->root) != 0 || chdir("/") != 0))
        return err_set(err, ERR_STORE, "cannot enter %s: %m", as->root);
    /* as Postfix does: no further groups */
    if (setgroups(1, &as->gid) != 0 || setgid(as->gid) != 0 || setuid(as->uid) != 0)
        return err_set(err, ERR_STORE, "cannot become Postfix's user: %m");
    return 0;
}

/* The environment smtp(8) has. */
static int
environment_set(const struct postfix_as *as)
{
    unsetenv("XDG_RUNTIME_DIR");
    if (as->socket == NULL)
        return unsetenv(AGENT_SOCKET_ENV);
    return setenv(AGENT_SOCKET_ENV, as->socket, 1);
}

static void
ask(const struct question *q, struct answer *a)
{
    struct agent_query query = {.map = q->map,
                                .key = q->key,
                                .where = AGENT_ANY,
                                .deadline_ms = q->as->deadline_ms};
    struct secret reply = SECRET_INIT;
    const char *colon;

    if (environment_set(q->as) != 0) {
        err_set(&a->err, ERR_NOMEM, "out of memory");
        return;
    }
    a->err.code = agent_client_ask(&query, &reply, &a->err);
    if (a->err.code == 0 && q->wants_user &&
        (colon = strchr(secret_str(&reply), ':')) != NULL &&
        (size_t)(colon - reply.data) < sizeof a->user)
        memcpy(a->user, reply.data, (size_t)(colon - reply.data));
    secret_clear(&reply);
}

static void
look(const struct question *q, struct answer *a)
{
    int fd = open(q->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    struct stat st;

    if (fd == -1 || fstat(fd, &st) != 0)
        err_set(&a->err, ERR_CONFIG, "the token file %s: %m", q->path);
    else if (!S_ISREG(st.st_mode))
        err_set(&a->err, ERR_CONFIG, "the token file %s is not a regular file", q->path);
    else if (st.st_size == 0)
        err_set(&a->err, ERR_TEMP, "the token file %s is empty", q->path);
    if (fd != -1)
        close(fd);
}

static void __attribute__((noreturn)) child(const struct question *q, int fd)
{
    struct answer a;
    ssize_t n;

    memset(&a, 0, sizeof a); /* all of it goes through the pipe */
    if (become(q->as, &a.err) == 0) {
        if (q->path != NULL)
            look(q, &a);
        else
            ask(q, &a);
    }
    do
        n = write(fd, &a, sizeof a);
    while (n == -1 && errno == EINTR);
    _exit(0); /* what the parent has buffered is the parent's to write */
}

/* --- in the parent --------------------------------------------------------------- */

static bool
collect(int fd, int ms, struct answer *a)
{
    struct deadline dl = deadline_in(ms);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    ssize_t n = -1;

    for (;;) {
        int ready = poll(&p, 1, deadline_left(&dl));

        if (ready == 0 && deadline_passed(&dl))
            return false;
        if (ready > 0 && (n = read(fd, a, sizeof *a)) != -1)
            return n == (ssize_t)sizeof *a;
        if (ready < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        if (ready > 0 && errno != EINTR)
            return false;
    }
}

static int
run(const struct question *q, struct answer *a, struct err *err)
{
    int fd[2], status;
    pid_t pid;
    bool told;

    if (pipe2(fd, O_CLOEXEC) != 0)
        return err_set(err, ERR_STORE, "cannot make a pipe: %m");
    pid = fork();
    if (pid == 0)
        child(q, fd[1]);
    close(fd[1]);
    told = pid > 0 && collect(fd[0], q->as->deadline_ms + GRACE_MS, a);
    close(fd[0]);
    if (pid < 0)
        return err_set(err, ERR_STORE, "cannot start a process: %m");
    if (!told)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
        continue;
    if (!told)
        return err_set(err, ERR_TIMEOUT, "no answer within %d s",
                       q->as->deadline_ms / 1000);
    if (a->err.code != 0)
        *err = a->err;
    return a->err.code;
}

int
postfix_as_ask(const struct postfix_as *as, const char *map, const char *key,
               char *user_r, struct err *err)
{
    struct question q = {as, map, key, NULL, user_r != NULL};
    struct answer a;
    int r;

    memset(&a, 0, sizeof a);
    r = run(&q, &a, err);
    if (r == 0 && user_r != NULL)
        memcpy(user_r, a.user, sizeof a.user);
    return r;
}

int
postfix_as_read(const struct postfix_as *as, const char *path, struct err *err)
{
    struct question q = {as, NULL, NULL, path, false};
    struct answer a;

    memset(&a, 0, sizeof a);
    return run(&q, &a, err);
}
