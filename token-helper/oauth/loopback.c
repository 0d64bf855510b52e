/* loopback.c - see loopback.h: who connects, and when it ends. */
#include "loopback.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "../client/deadline.h"
#include "loopback_private.h"

static struct loopback_connection *
make_room(struct loopback *l)
{
    struct loopback_connection *oldest = NULL;

    for (size_t i = 0; i < LOOPBACK_CONNECTIONS; i++) {
        struct loopback_connection *c = &l->connection[i];

        if (c->phase == LOOPBACK_FREE)
            return c;
        if (c->phase != LOOPBACK_HELD &&
            (oldest == NULL || c->since_ms < oldest->since_ms))
            oldest = c;
    }
    loopback_drop(oldest); /* at most one is held, so there is one */
    return oldest;
}

static void
take_new(struct loopback *l, int listener)
{
    for (int n = 0; n < LOOPBACK_CONNECTIONS; n++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct epoll_event e = {.events = EPOLLIN};
        struct loopback_connection *c;

        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0) {
            if (errno != EAGAIN)
                poll(NULL, 0, 50); /* out of descriptors: it would be reported at once */
            return;
        }
        c = make_room(l);
        *c = (struct loopback_connection){.phase = LOOPBACK_READING, .fd = fd};
        c->in.max = WEB_HEAD_MAX + 4096;
        c->since_ms = deadline_now();
        c->until_ms = c->since_ms + LOOPBACK_HEAD_MS;
        e.data.ptr = c;
        if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
            loopback_drop(c);
    }
}

static void
end_late(struct loopback *l)
{
    int64_t now = deadline_now();

    for (size_t i = 0; i < LOOPBACK_CONNECTIONS; i++) {
        struct loopback_connection *c = &l->connection[i];

        if (c->phase == LOOPBACK_FREE || now < c->until_ms)
            continue;
        /* browsers open connections that they may want later: these just end */
        if (c->phase == LOOPBACK_READING && c->in.len > 0) {
            loopback_too_slow(l, c);
        } else {
            loopback_drop(c);
        }
    }
}

void
loopback_step(struct loopback *l)
{
    struct epoll_event event[LOOPBACK_CONNECTIONS + 2];
    int n = epoll_wait(l->epoll, event, LOOPBACK_CONNECTIONS + 2, 0);

    /* Listeners last: a new connection may take the place of one that is in the list. */
    for (int i = 0; i < n; i++)
        if (event[i].data.ptr != NULL)
            loopback_advance(l, event[i].data.ptr, event[i].events);
    for (int i = 0; i < n; i++)
        if (event[i].data.ptr == NULL)
            for (size_t k = 0; k < l->listening.count; k++)
                take_new(l, l->listening.fd[k]);
    end_late(l);
}

int
loopback_timeout(const struct loopback *l)
{
    int64_t next = INT64_MAX, now = deadline_now();

    for (size_t i = 0; i < LOOPBACK_CONNECTIONS; i++)
        if (l->connection[i].phase != LOOPBACK_FREE && l->connection[i].until_ms < next)
            next = l->connection[i].until_ms;
    if (next == INT64_MAX)
        return -1;
    return next <= now ? 0 : (int)(next - now);
}

/* --- begin and end ---------------------------------------------------------------------
 */

int
loopback_open(const struct loopback_options *options, struct loopback **loopback_r,
              struct err *err)
{
    struct loopback *l = calloc(1, sizeof *l);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
    int r;

    if (l == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    l->options = *options;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    r = l->epoll < 0
            ? err_set(err, ERR_TEMP, "cannot listen: %s", strerror(errno))
            : loopback_listen(options->address, options->port, &l->listening, err);
    for (size_t i = 0; r == 0 && i < l->listening.count; i++)
        if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->listening.fd[i], &e) != 0)
            r = err_set(err, ERR_TEMP, "cannot listen: %s", strerror(errno));
    if (r != 0) {
        loopback_close(&l);
        return r;
    }
    *loopback_r = l;
    return 0;
}

int
loopback_local_port(const struct loopback *l)
{
    return l->listening.port;
}

int
loopback_fd(const struct loopback *l)
{
    return l->epoll;
}

void
loopback_finish(struct loopback *l, const struct web_page *page)
{
    for (size_t i = 0; i < LOOPBACK_CONNECTIONS; i++)
        if (l->connection[i].phase == LOOPBACK_HELD)
            loopback_begin_answer(l, &l->connection[i], page);
}

static bool
is_busy(const struct loopback *l)
{
    for (size_t i = 0; i < LOOPBACK_CONNECTIONS; i++)
        if (l->connection[i].phase == LOOPBACK_WRITING ||
            l->connection[i].phase == LOOPBACK_DRAINING)
            return true;
    return false;
}

void
loopback_flush(struct loopback *l)
{
    struct deadline deadline = deadline_in(LOOPBACK_ANSWER_MS);

    loopback_sockets_close(&l->listening);
    while (is_busy(l) && !deadline_passed(&deadline)) {
        struct pollfd p = {.fd = l->epoll, .events = POLLIN};
        int left = deadline_left(&deadline), timeout = loopback_timeout(l);

        poll(&p, 1, timeout >= 0 && timeout < left ? timeout : left);
        loopback_step(l);
    }
}

void
loopback_close(struct loopback **loopback)
{
    struct loopback *l = *loopback;

    if (l == NULL)
        return;
    for (size_t i = 0; i < LOOPBACK_CONNECTIONS; i++)
        loopback_drop(&l->connection[i]);
    loopback_sockets_close(&l->listening);
    if (l->epoll >= 0)
        close(l->epoll);
    free(l);
    *loopback = NULL;
}
