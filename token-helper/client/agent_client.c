/* agent_client.c - see agent_client.h; the protocol is described in PROTOCOL.md. */
#include "agent_client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "deadline.h"
#include "socketmap.h"

#define PAUSE_MS 60     /* between two questions to an agent that restarts */
#define READ_SIZE 8192u /* holds most replies, so that the buffer does not grow */
#define FRAME_EXTRA 16u /* digits, colon and comma around the longest reply */
#define START_HINT "start the agent, see mailbearer-agent(8)"

struct place {
    struct sockaddr_un addr;
    bool own; /* the peer must be this user or root */
};

/* What asking one place came to, beside the ERR_* code. */
enum next {
    NEXT_STOP, /* that is the answer */
    NEXT_TRY,  /* nobody there, or it does not know the account: the next place */
    NEXT_WAIT, /* it refused the connection: the next place, but it may be restarting */
    NEXT_AGAIN /* it went away before it answered: it restarts, ask it once more */
};

static int
place_set(struct place *p, bool own, const char *path, struct err *err)
{
    size_t len = strlen(path);

    /* A path that is cut would be somebody else's socket. */
    if (len >= sizeof(p->addr.sun_path))
        return err_set(err, ERR_USAGE,
                       "the path of the agent's socket is longer than %zu",
                       sizeof(p->addr.sun_path) - 1);
    memset(p, 0, sizeof(*p));
    p->addr.sun_family = AF_UNIX;
    memcpy(p->addr.sun_path, path, len + 1);
    p->own = own;
    return 0;
}

static int
place_set_user(struct place *p, struct err *err)
{
    char path[sizeof(p->addr.sun_path) + 1];
    const char *dir = secure_getenv("XDG_RUNTIME_DIR");
    int n;

    /* The XDG specification: a relative path is to be ignored. */
    if (dir != NULL && dir[0] == '/')
        n = snprintf(path, sizeof(path), "%s/" AGENT_SOCKET_USER, dir);
    else
        n = snprintf(path, sizeof(path), "/run/user/%lu/" AGENT_SOCKET_USER,
                     (unsigned long)geteuid());
    if (n < 0)
        return err_set(err, ERR_USAGE, "the path of the agent's socket cannot be made");
    return place_set(p, true, path, err);
}

static int
places_list(const struct agent_query *query, struct place places[2], int *count_r,
            struct err *err)
{
    const char *named =
        query->path != NULL ? query->path : secure_getenv(AGENT_SOCKET_ENV);
    int where = query->where;
    int count = 0;
    int r;

    if (named != NULL && named[0] != '\0') {
        *count_r = 1;
        return place_set(&places[0], false, named, err);
    }
    if ((where & AGENT_USER) != 0 && (r = place_set_user(&places[count++], err)) != 0)
        return r;
    if ((where & AGENT_SYSTEM) != 0 &&
        (r = place_set(&places[count++], false, AGENT_SOCKET_SYSTEM, err)) != 0)
        return r;
    *count_r = count;
    return 0;
}

/* poll(2) for `events` until the deadline. 0 or ERR_TIMEOUT, ERR_TEMP. */
static int
wait_for(int fd, short events, const struct deadline *dl, struct err *err)
{
    struct pollfd p = {fd, events, 0};

    for (;;) {
        int left = deadline_left(dl);
        int n = poll(&p, 1, left);

        if (n > 0)
            return 0;
        if (n == 0 && left == 0)
            return err_set(err, ERR_TIMEOUT, "the agent did not answer in time");
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return err_set(err, ERR_TEMP, "cannot wait for the agent: %m");
    }
}

static void
pause_for(int ms, const struct deadline *dl)
{
    int left = deadline_left(dl);

    poll(NULL, 0, ms < left ? ms : left);
}

static int
connect_failed(const struct place *p, enum next *next_r, struct err *err)
{
    *next_r = errno == ECONNREFUSED ? NEXT_WAIT : NEXT_TRY;
    err_set(err, ERR_NOAGENT, "no agent at %s: %m", p->addr.sun_path);
    err_hint(err, START_HINT);
    return ERR_NOAGENT;
}

/* Connects to a place and checks who is there. */
static int
place_connect(const struct place *p, const struct deadline *dl, int *fd_r,
              enum next *next_r, struct err *err)
{
    const struct sockaddr *addr = (const struct sockaddr *)&p->addr;
    struct ucred peer = {0, (uid_t)-1, (gid_t)-1};
    socklen_t len = sizeof(peer);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = 0;

    *next_r = NEXT_STOP;
    if (fd == -1)
        return err_set(err, ERR_TEMP, "cannot make a socket: %m");
    while (connect(fd, addr, sizeof(p->addr)) == -1) {
        /* A full queue: UNIX sockets then say EAGAIN and there is nothing to poll for. */
        if (errno == EAGAIN && !deadline_passed(dl))
            pause_for(PAUSE_MS / 3, dl);
        else if (errno == EAGAIN)
            r = err_set(err, ERR_TIMEOUT, "the agent did not answer in time");
        else if (errno != EINTR)
            r = connect_failed(p, next_r, err);
        if (r != 0)
            goto out;
    }
    if (p->own && (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1 ||
                   (peer.uid != geteuid() && peer.uid != 0))) {
        *next_r = NEXT_TRY;
        r = err_set(err, ERR_NOAGENT, "the agent at %s is not this user's",
                    p->addr.sun_path);
        err_hint(err, START_HINT);
        goto out;
    }
    *fd_r = fd;
    fd = -1;
out:
    if (fd != -1)
        close(fd);
    return r;
}

static int
went_away(enum next *next_r, struct err *err)
{
    *next_r = NEXT_AGAIN;
    return err_set(err, ERR_PROTOCOL,
                   "the agent closed the connection without an answer");
}

static int
send_all(int fd, const struct secret *bytes, const struct deadline *dl, struct err *err)
{
    size_t done = 0;

    while (done < bytes->len) {
        ssize_t n = send(fd, bytes->data + done, bytes->len - done, MSG_NOSIGNAL);
        int r = 0;

        if (n >= 0)
            done += (size_t)n;
        else if (errno == EAGAIN)
            r = wait_for(fd, POLLOUT, dl, err);
        else if (errno == EPIPE || errno == ECONNRESET)
            return 0; /* it may have answered before it hung up: reading tells */
        else if (errno != EINTR)
            r = err_set(err, ERR_TEMP, "cannot write to the agent: %m");
        if (r != 0)
            return r;
    }
    return 0;
}

/* Reads one netstring; its payload borrows from `buf`. */
static int
receive(int fd, const struct deadline *dl, struct secret *buf, const char **payload_r,
        size_t *len_r, enum next *next_r, struct err *err)
{
    for (;;) {
        size_t used = 0;
        ssize_t n;
        int r = socketmap_unframe(secret_str(buf), buf->len, SOCKETMAP_REPLY_MAX,
                                  payload_r, len_r, &used, err);

        if (r != ERR_TEMP)
            return r;
        if ((r = wait_for(fd, POLLIN, dl, err)) != 0)
            return r;
        if (buf->cap - buf->len < 2 &&
            (r = secret_reserve(buf, buf->max - buf->len > READ_SIZE
                                         ? READ_SIZE
                                         : buf->max - buf->len)) != 0)
            return err_set(err, r, "no room for the agent's reply");
        n = recv(fd, buf->data + buf->len, buf->cap - buf->len - 1, 0);
        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return went_away(next_r, err);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return err_set(err, ERR_TEMP, "cannot read from the agent: %m");
        if (n > 0) {
            buf->len += (size_t)n;
            buf->data[buf->len] = '\0';
        }
    }
}

/* Makes `buf` hold nothing but text[0..len), which is a part of it. */
static void
keep_only(struct secret *buf, const char *text, size_t len)
{
    secret_consume(buf, (size_t)(text - buf->data));
    explicit_bzero(buf->data + len, buf->len - len);
    buf->len = len;
}

/* Asks one place. */
static int
ask_place(const struct place *p, const struct secret *request, const struct deadline *dl,
          struct secret *reply_r, enum next *next_r, struct err *err)
{
    struct secret buf = SECRET_INIT;
    const char *payload = NULL;
    const char *text = NULL;
    size_t len = 0;
    int fd = -1;
    int r;

    buf.max = SOCKETMAP_REPLY_MAX + FRAME_EXTRA;
    if ((r = place_connect(p, dl, &fd, next_r, err)) != 0 ||
        (r = send_all(fd, request, dl, err)) != 0 ||
        (r = receive(fd, dl, &buf, &payload, &len, next_r, err)) != 0)
        goto out;
    r = socketmap_reply_read(payload, len, &text, &len, err);
    if (r == ERR_NOACCOUNT)
        *next_r = NEXT_TRY;
    if (r != 0)
        goto out;
    keep_only(&buf, text, len);
    secret_move(reply_r, &buf);
out:
    secret_clear(&buf);
    if (fd != -1)
        close(fd);
    return r;
}

/* Asks the places one after the other. *again_r: one of them may be restarting. When none
 * has the answer, "no such account" is reported before "no agent": somebody was there. */
static int
ask_round(const struct place *places, int count, const struct secret *request,
          const struct deadline *dl, struct secret *reply_r, bool *again_r,
          struct err *err)
{
    struct err worst = ERR_INIT;

    *again_r = false;
    worst.code = ERR_NOAGENT;
    for (int i = 0; i < count; i++) {
        struct err one = ERR_INIT;
        enum next next = NEXT_STOP;
        int r = ask_place(&places[i], request, dl, reply_r, &next, &one);

        if (r == 0)
            return 0;
        if (next == NEXT_WAIT || next == NEXT_AGAIN)
            *again_r = true;
        if (next == NEXT_STOP || next == NEXT_AGAIN) {
            worst = one;
            if (next == NEXT_STOP)
                *again_r = false;
            break;
        }
        if (worst.text[0] == '\0' || worst.code != ERR_NOACCOUNT)
            worst = one;
    }
    *err = worst;
    return worst.code;
}

int
agent_client_ask(const struct agent_query *query, struct secret *reply_r, struct err *err)
{
    struct secret request = SECRET_INIT;
    struct deadline dl = deadline_in(query->deadline_ms);
    struct deadline restart = deadline_in(query->restart_ms);
    struct place places[2];
    struct err last = ERR_INIT; /* *err is for a failure in the end, not on the way */
    bool again = false;
    int count = 0;
    int r;

    if ((r = places_list(query, places, &count, err)) != 0)
        return r;
    if (count == 0)
        return err_set(err, ERR_NOAGENT, "no agent is named by " AGENT_SOCKET_ENV);
    if ((r = socketmap_request(query->map, query->key, &request, err)) != 0)
        goto out;
    for (;;) {
        r = ask_round(places, count, &request, &dl, reply_r, &again, &last);
        if (r == 0 || !again || deadline_passed(&restart))
            break;
        /* A question without the time for an answer would only hide the reason. */
        if (deadline_left(&dl) <= 2 * PAUSE_MS)
            break;
        pause_for(PAUSE_MS, &dl);
    }
    if (r != 0 && err != NULL)
        *err = last;
out:
    secret_clear(&request);
    return r;
}
