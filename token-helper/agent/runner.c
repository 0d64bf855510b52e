/* runner.c - see runner.h: the agent's side, and what both sides use. */
#include "runner.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "runner_private.h"

#define SLICE_MS 100 /* how often *hurry is looked at */

/* Of the process as a whole, like the sandbox: -1, 0: there is no runner. */
static int control = -1;
static pid_t runner_pid;

/* --- bytes, on both sides ----------------------------------------------------------- */

/* 0 when the descriptor is ready, else ERR_TIMEOUT or ERR_TEMP. */
static int
wait_ready(int fd, short events, const struct deadline *deadline)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int ready = poll(&p, 1, deadline_left(deadline));

        if (ready > 0)
            return 0;
        if (ready == 0 && deadline_passed(deadline))
            return ERR_TIMEOUT;
        if (ready < 0 && errno != EINTR)
            return ERR_TEMP;
    }
}

int
runner_send(int fd, const void *bytes, size_t len, const struct deadline *deadline)
{
    const char *p = bytes;
    int r = 0;

    while (len > 0 && r == 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n > 0) {
            p += n;
            len -= (size_t)n;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            r = wait_ready(fd, POLLOUT, deadline);
        } else if (errno != EINTR) {
            r = ERR_TEMP;
        }
    }
    return r;
}

int
runner_receive(int fd, void *bytes, size_t len, const struct deadline *deadline)
{
    char *p = bytes;

    while (len > 0) {
        int r = wait_ready(fd, POLLIN, deadline);
        ssize_t n;

        if (r != 0)
            return r;
        n = recv(fd, p, len, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
            return ERR_TEMP;
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

/* --- asking ------------------------------------------------------------------------- */

/* One byte, and with it a descriptor (-1: none). Of a message that small all or nothing
 * is sent. */
static int
tell(char what, int fd)
{
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } u = {{0}};
    struct iovec iov = {&what, 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    if (fd >= 0) {
        struct cmsghdr *c;

        msg.msg_control = u.room;
        msg.msg_controllen = sizeof u.room;
        c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    do
        n = sendmsg(control, &msg, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == 1 ? 0 : ERR_TEMP;
}

static int
add_words(struct secret *words, char *const *word, bool variables, uint32_t *count_r)
{
    uint32_t count = 0;
    int r = 0;

    for (; word != NULL && *word != NULL && r == 0; word++) {
        if (variables && hook_variable_of(*word) == HOOK_VAR_COUNT)
            continue;
        r = secret_append(words, *word, strlen(*word) + 1);
        count++;
    }
    *count_r = count;
    return r;
}

static int
send_request(int fd, const struct program *p, struct err *err)
{
    struct deadline deadline = deadline_in(RUNNER_ASK_MS);
    struct runner_request q = {.deadline_ms = p->deadline_ms};
    struct secret words = {.max = RUNNER_WORDS_MAX};
    int r;

    snprintf(q.name, sizeof q.name, "%s", p->name != p->argv[0] ? p->name : "");
    if (p->output != NULL)
        q.output_max =
            (uint32_t)(p->output->max != 0 ? p->output->max : SECRET_MAX_DEFAULT);
    if ((r = add_words(&words, p->argv, false, &q.argc)) == 0)
        r = add_words(&words, p->environment, true, &q.own_count);
    if (r != 0) {
        err_set(err, r, "%s",
                r == ERR_NOMEM ? "out of memory" : "the command is too long");
        goto out;
    }
    q.words_len = (uint32_t)words.len;
    if ((r = runner_send(fd, &q, sizeof q, &deadline)) == 0)
        r = runner_send(fd, words.data, words.len, &deadline);
    if (r != 0)
        err_set(err, r, "%s: it could not be told to the process that runs it", p->name);
out:
    secret_clear(&words);
    return r;
}

/* Until there is an answer. Once *hurry is true the other side is told, by the end of
 * ours, and gives the command RUN_HURRY_MS more. */
static int
wait_answer(int fd, const struct program *p, struct deadline *deadline)
{
    bool hurried = false;

    for (;;) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        int ms, ready;

        if (!hurried && p->hurry != NULL && atomic_load(p->hurry)) {
            hurried = true;
            shutdown(fd, SHUT_WR);
            if (deadline_left(deadline) > RUN_HURRY_MS + RUNNER_ASK_MS)
                *deadline = deadline_in(RUN_HURRY_MS + RUNNER_ASK_MS);
        }
        ms = deadline_left(deadline);
        ready = poll(&poll_fd, 1, ms < SLICE_MS ? ms : SLICE_MS);
        if (ready > 0)
            return 0;
        if ((ready < 0 && errno != EINTR) || deadline_passed(deadline))
            return ERR_TIMEOUT;
    }
}

static int
receive_answer(int fd, const struct program *p, struct err *err)
{
    struct deadline deadline = deadline_in(p->deadline_ms + RUNNER_ASK_MS);
    struct runner_answer answer = {.err = ERR_INIT};
    int r = wait_answer(fd, p, &deadline);

    if (r == 0)
        r = runner_receive(fd, &answer, sizeof answer, &deadline);
    if (r == 0 && answer.output_len > 0) {
        /* It keeps to the maximum, and this is checked again here. */
        r = p->output != NULL ? secret_reserve(p->output, answer.output_len) : ERR_TEMP;
        if (r == 0)
            r = runner_receive(fd, p->output->data + p->output->len, answer.output_len,
                               &deadline);
        if (r == 0) {
            p->output->len += answer.output_len;
            p->output->data[p->output->len] = '\0';
        }
    }
    if (r == 0 && answer.result != 0 && err != NULL)
        *err = answer.err;
    if (r != 0)
        err_set(err, r, "%s: the process that runs it does not answer", p->name);
    return r != 0 ? r : answer.result;
}

static int
run_in_runner(const struct program *p, struct err *err)
{
    int fd[2], r = 0;

    if (p->input >= 0 || p->foreground)
        return err_set(err, ERR_TEMP, "%s: not for the agent to run", p->name);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
        return err_set(err, ERR_TEMP, "%s: %s", p->name, strerror(errno));
    if ((r = tell(RUNNER_RUN, fd[1])) != 0) {
        err_set(err, r, "%s: the process that runs it has ended", p->name);
        err_hint(err, "restart the agent");
    }
    close(fd[1]);
    if (r == 0 && (r = send_request(fd[0], p, err)) == 0)
        r = receive_answer(fd[0], p, err);
    close(fd[0]);
    if (r != 0 && p->output != NULL)
        secret_clear(p->output);
    return r;
}

/* --- life --------------------------------------------------------------------------- */

int
runner_start(const char *config, const struct accounts *accounts,
             void (*forget)(void *arg), void *arg, struct err *err)
{
    int fd[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0)
        return err_set(err, ERR_TEMP, "socketpair: %s", strerror(errno));
    if ((runner_pid = fork()) < 0) {
        close(fd[0]);
        close(fd[1]);
        return err_set(err, ERR_TEMP, "fork: %s", strerror(errno));
    }
    if (runner_pid == 0) {
        close(fd[0]);
        _exit(runner_serve(fd[1], config, accounts, forget, arg));
    }
    close(fd[1]);
    control = fd[0];
    run_program_elsewhere(run_in_runner);
    return 0;
}

void
runner_reload(void)
{
    if (control >= 0)
        (void)tell(RUNNER_RELOAD, -1); /* where it has ended, the next command says so */
}

void
runner_end(void)
{
    if (control < 0)
        return;
    run_program_elsewhere(NULL);
    close(control);
    control = -1;
    while (waitpid(runner_pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}
