/* hook_pass.c - see hook_pass.h. */
#include "hook_pass.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../base/run_program.h"
#include "../client/deadline.h"

#define ANSWER_MAX (ERR_TEXT_MAX + ERR_HINT_MAX)
#define SLICE_MS 100 /* how often *hurry is looked at */

const char *const hook_variables[HOOK_VAR_COUNT] = {
    [HOOK_VAR_EVENT] = "MAILBEARER_EVENT",   [HOOK_VAR_ACCOUNT] = "MAILBEARER_ACCOUNT",
    [HOOK_VAR_STATE] = "MAILBEARER_STATE",   [HOOK_VAR_REASON] = "MAILBEARER_REASON",
    [HOOK_VAR_REMEDY] = "MAILBEARER_REMEDY",
};

enum hook_variable
hook_variable_of(const char *assignment)
{
    for (int i = 0; i < HOOK_VAR_COUNT; i++) {
        size_t n = strlen(hook_variables[i]);

        if (strncmp(assignment, hook_variables[i], n) == 0 && assignment[n] == '=')
            return (enum hook_variable)i;
    }
    return HOOK_VAR_COUNT;
}

char **
hook_environment(char *const own[HOOK_VAR_COUNT])
{
    size_t count = 0, n = 0;
    char **environment;

    while (environ != NULL && environ[count] != NULL)
        count++;
    if ((environment = calloc(count + HOOK_VAR_COUNT + 1, sizeof *environment)) == NULL)
        return NULL;
    for (int i = 0; i < HOOK_VAR_COUNT; i++)
        if (own[i] != NULL)
            environment[n++] = own[i];
    for (size_t i = 0; i < count; i++)
        if (hook_variable_of(environ[i]) == HOOK_VAR_COUNT)
            environment[n++] = environ[i];
    return environment;
}

/* --- telling ----------------------------------------------------------------------- */

struct wait {
    struct deadline deadline;
    const atomic_bool *hurry;
    bool hurried;
};

/* 0 when the descriptor is ready, else ERR_TIMEOUT or ERR_TEMP. */
static int
wait_for(struct wait *wait, int fd, short events, struct err *err)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int ms, ready;

        if (wait->hurry != NULL && !wait->hurried && atomic_load(wait->hurry)) {
            wait->hurried = true;
            if (deadline_left(&wait->deadline) > RUN_HURRY_MS)
                wait->deadline = deadline_in(RUN_HURRY_MS);
        }
        ms = deadline_left(&wait->deadline);
        ready = poll(&p, 1, ms < SLICE_MS ? ms : SLICE_MS);
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return err_set(err, ERR_TEMP, "poll: %s", strerror(errno));
        if (ready == 0 && deadline_passed(&wait->deadline))
            return err_set(err, ERR_TIMEOUT, "%s",
                           wait->hurried ? "the command had not ended when the agent did"
                                         : "no answer about the command in time");
    }
}

static int
connect_to(const char *path, int *fd_r, struct err *err)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd, e;

    if (strlen(path) >= sizeof addr.sun_path)
        return err_set(err, ERR_USAGE, "%s is too long for a socket", path);
    memcpy(addr.sun_path, path, strlen(path) + 1);
    if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
        return err_set(err, ERR_TEMP, "socket: %s", strerror(errno));
    while (connect(fd, (struct sockaddr *)&addr, sizeof addr) != 0) {
        if ((e = errno) == EINTR)
            continue;
        close(fd);
        return err_set(err, e == ENOENT || e == ECONNREFUSED ? ERR_NOAGENT : ERR_TEMP,
                       "%s: %s", path, strerror(e));
    }
    *fd_r = fd;
    return 0;
}

/* The variables, and the end. */
static int
tell(int fd, char *const own[HOOK_VAR_COUNT], struct wait *wait, struct err *err)
{
    for (int i = 0; i < HOOK_VAR_COUNT; i++) {
        const char *p = own[i];
        size_t left = p != NULL ? strlen(p) + 1 : 0;
        int r;

        while (left > 0) {
            ssize_t n = send(fd, p, left, MSG_NOSIGNAL | MSG_DONTWAIT);

            if (n >= 0) {
                p += n;
                left -= (size_t)n;
            } else if (errno != EINTR && errno != EAGAIN) {
                return err_set(err, ERR_TEMP, "telling the event: %s", strerror(errno));
            } else if ((r = wait_for(wait, fd, POLLOUT, err)) != 0) {
                return r;
            }
        }
    }
    shutdown(fd, SHUT_WR);
    return 0;
}

static int
hear(int fd, struct wait *wait, struct err *err)
{
    char answer[ANSWER_MAX + 1];
    size_t len = 0;
    ssize_t n = 1;
    int r;

    while (n != 0 && len < ANSWER_MAX) {
        if ((r = wait_for(wait, fd, POLLIN, err)) != 0)
            return r;
        n = recv(fd, answer + len, ANSWER_MAX - len, MSG_DONTWAIT);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return err_set(err, ERR_TEMP, "waiting for the command: %s", strerror(errno));
        len += n > 0 ? (size_t)n : 0;
    }
    while (len > 0 && answer[len - 1] == '\n')
        len--;
    answer[len] = '\0';
    if (strcmp(answer, "ok") == 0)
        return 0;
    return err_set(err, ERR_TEMP, "%s",
                   len > 0 ? answer : "`mailbearer hook` ended without an answer");
}

int
hook_pass(const char *path, char *const own[HOOK_VAR_COUNT], int deadline_ms,
          const atomic_bool *hurry, struct err *err)
{
    struct wait wait = {.deadline = deadline_in(deadline_ms), .hurry = hurry};
    int fd = -1, r;

    if ((r = connect_to(path, &fd, err)) != 0)
        return r;
    if ((r = tell(fd, own, &wait, err)) == 0)
        r = hear(fd, &wait, err);
    close(fd);
    return r;
}

/* --- being told -------------------------------------------------------------------- */

static int
read_message(int fd, struct deadline *deadline, struct secret *message, struct err *err)
{
    struct wait wait = {.deadline = *deadline};
    char buf[4096];
    ssize_t n = 1;
    int r;

    message->max = HOOK_MESSAGE_MAX;
    while (n != 0) {
        if (wait_for(&wait, fd, POLLIN, err) != 0)
            return err_set(err, ERR_TIMEOUT, "no event was told in time");
        if ((n = read(fd, buf, sizeof buf)) < 0) {
            if (errno != EINTR && errno != EAGAIN)
                return err_set(err, ERR_TEMP, "reading the event: %s", strerror(errno));
            n = 1;
        } else if (n > 0 && (r = secret_append(message, buf, (size_t)n)) != 0) {
            return err_set(err, r, "%s",
                           r == ERR_NOMEM ? "out of memory" : "the event is too long");
        }
    }
    return 0;
}

static bool
has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

int
hook_receive(int fd, int deadline_ms, struct secret *message, char *own_r[HOOK_VAR_COUNT],
             struct err *err)
{
    struct deadline deadline = deadline_in(deadline_ms);
    char *own[HOOK_VAR_COUNT] = {NULL};
    int r;

    if ((r = read_message(fd, &deadline, message, err)) != 0)
        return r;
    for (size_t at = 0; at < message->len; at += strlen(message->data + at) + 1) {
        char *assignment = message->data + at;
        enum hook_variable v = hook_variable_of(assignment);

        if (v == HOOK_VAR_COUNT || own[v] != NULL || has_control(assignment))
            return err_set(err, ERR_PROTOCOL, "not an event of the agent's");
        own[v] = assignment;
    }
    if (own[HOOK_VAR_EVENT] == NULL || own[HOOK_VAR_ACCOUNT] == NULL)
        return err_set(err, ERR_PROTOCOL, "not an event of the agent's");
    memcpy(own_r, own, sizeof own);
    return 0;
}
