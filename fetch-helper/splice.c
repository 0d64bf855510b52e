/* splice.c - see splice.h. */
#include "splice.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SEND_SIZE 16384u /* one TLS record */
#define ROUNDS 16        /* in one direction before the other has its turn */

/* One direction. It is filled only when empty, so that what waits to be sent never moves:
 * after STREAM_AGAIN the very same bytes must be offered. */
struct flow {
    char *buf;
    size_t start, end;
    size_t stuck; /* offered to send() and not taken */
    bool ended;   /* nothing more comes in */
    bool closed;  /* nothing more goes out */
};

struct work {
    struct splice *s;
    struct flow up, down;
    bool more;     /* the server may have more than poll(2) knows */
    bool readable; /* the client has something */
    bool writable; /* poll(2) says that it takes something */
    struct deadline drain;
    bool draining;
    struct err broke;
};

static bool
is_empty(const struct flow *f)
{
    return f->start == f->end;
}

static void
drop(struct flow *f)
{
    f->start = f->end = f->stuck = 0;
}

/* --- from the server to the client -----------------------------------------------------
 */

/* Fills the buffer as far as the server has something. */
static void
take_from_server(struct work *w)
{
    struct flow *f = &w->down;
    size_t n = 0;

    f->start = f->end = 0;
    while (f->end < SPLICE_SIZE) {
        switch (w->s->server->recv(w->s->server, f->buf + f->end, SPLICE_SIZE - f->end,
                                   &n, &w->broke)) {
        case STREAM_DONE:
            f->end += n;
            w->s->down += n;
            break;
        case STREAM_AGAIN:
            w->more = false;
            return;
        case STREAM_END:
        case STREAM_FAILED:
            f->ended = true;
            w->more = false;
            return;
        }
    }
    w->more = true;
}

static void
give_to_client(struct work *w)
{
    struct flow *f = &w->down;
    size_t n = 0;

    while (!is_empty(f) && !f->closed) {
        enum stream_result result;

        if (w->s->client->out_blocks && !w->writable)
            return;
        w->writable = false;
        result = client_write(w->s->client, f->buf + f->start, f->end - f->start, &n,
                              &w->broke);
        if (result == STREAM_AGAIN)
            return;
        if (result == STREAM_DONE)
            f->start += n;
        else
            f->closed = true;
    }
    if (f->closed)
        drop(f); /* nobody reads: the server is heard all the same */
}

static void
pump_down(struct work *w)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (!is_empty(&w->down)) {
            give_to_client(w);
            if (!is_empty(&w->down))
                return;
        }
        if (w->down.ended)
            return;
        take_from_server(w);
        if (is_empty(&w->down))
            return;
        if (w->draining && !w->down.closed)
            w->drain = deadline_in(w->s->drain_ms);
    }
    w->more = true;
}

/* --- from the client to the server -----------------------------------------------------
 */

static void
take_from_client(struct work *w)
{
    struct flow *f = &w->up;
    size_t n = 0;

    if (!is_empty(f) || f->ended || !w->readable)
        return;
    w->readable = w->s->client->tls != NULL; /* it may hold more than poll(2) shows */
    f->start = f->end = 0;
    switch (client_read(w->s->client, f->buf, SPLICE_SIZE, &n, &w->broke)) {
    case STREAM_DONE:
        f->end = n;
        w->s->up += n;
        break;
    case STREAM_AGAIN:
        w->readable = false;
        break;
    case STREAM_END:
    case STREAM_FAILED:
        f->ended = true;
    }
}

static void
give_to_server(struct work *w)
{
    struct flow *f = &w->up;
    size_t n = 0;

    while (!is_empty(f)) {
        size_t len = f->end - f->start;

        if (len > SEND_SIZE)
            len = SEND_SIZE;
        if (f->stuck > 0)
            len = f->stuck;
        switch (w->s->server->send(w->s->server, f->buf + f->start, len, &n, &w->broke)) {
        case STREAM_DONE:
            f->start += n;
            f->stuck = 0;
            break;
        case STREAM_AGAIN:
            f->stuck = len;
            return;
        case STREAM_END:
        case STREAM_FAILED:
            /* It takes nothing more, but may have said why: that is still to be read. */
            drop(f);
            f->ended = f->closed = true;
            return;
        }
    }
}

/* --- the loop --------------------------------------------------------------------------
 */

/* The client has ended and all it said is sent: from now on the clock runs. */
static void
look_for_end(struct work *w)
{
    if (!w->draining && w->up.ended && is_empty(&w->up)) {
        w->draining = true;
        w->drain = deadline_in(w->s->drain_ms);
    }
}

static int
wait_ms(const struct work *w)
{
    if ((w->more && is_empty(&w->down)) ||
        (w->readable && is_empty(&w->up) && !w->up.ended))
        return 0;
    return w->draining ? deadline_left(&w->drain) : -1;
}

/* A client that cannot be written to any more shows by POLLERR (a pipe nobody reads) or
 * POLLHUP (a socket closed altogether); what it sent before is still carried. */
static void
look_at_client(struct work *w, short in, short out)
{
    if ((in & (POLLIN | POLLHUP | POLLERR)) != 0)
        w->readable = true;
    if ((out & POLLOUT) != 0)
        w->writable = true;
    if ((out & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
        w->down.closed = true;
        drop(&w->down);
    }
}

/* -1: poll(2) itself does not work. */
static int
wait_for_something(struct work *w)
{
    const struct client *c = w->s->client;
    bool to_server = !is_empty(&w->up), to_client = !is_empty(&w->down);
    struct pollfd p[3] = {
        {w->up.ended || to_server ? -1 : c->in, POLLIN, 0},
        {w->down.closed ? -1 : c->out, to_client ? POLLOUT : 0, 0},
        {w->s->server->fd,
         (short)((to_client || w->down.ended ? 0 : POLLIN) | (to_server ? POLLOUT : 0)),
         0},
    };
    int n;

    if (p[2].events == 0)
        p[2].fd = -1; /* or its end would be reported for ever */
    n = poll(p, 3, wait_ms(w));
    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -1;
    look_at_client(w, p[0].revents, p[1].revents);
    return 0;
}

static int
carry(struct work *w, struct err *err)
{
    for (;;) {
        pump_down(w);
        take_from_client(w);
        give_to_server(w);
        look_for_end(w);
        if (w->down.ended && is_empty(&w->down))
            break;
        if ((w->draining && deadline_passed(&w->drain)) ||
            (w->s->stop != NULL && *w->s->stop))
            break;
        if (wait_for_something(w) != 0)
            return err_set(err, ERR_TEMP, "poll does not work: %s", strerror(errno));
    }
    client_finish(w->s->client);
    if (w->broke.code == ERR_NONE)
        return 0;
    if (err != NULL)
        *err = w->broke;
    return w->broke.code;
}

static int
flow_init(struct flow *f, const char *first, size_t len, struct err *err)
{
    if (len > SPLICE_SIZE || (f->buf = malloc(SPLICE_SIZE)) == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    memcpy(f->buf, first, len);
    f->end = len;
    return 0;
}

int
splice_run(struct splice *splice, struct err *err)
{
    struct work w = {.s = splice,
                     /* TLS may hold more of the record that the sign-in came in */
                     .readable = splice->client->tls != NULL,
                     .broke = ERR_INIT};
    int r;

    splice->up = splice->from_client_len;
    splice->down = splice->from_server_len;
    if ((r = flow_init(&w.up, splice->from_client, splice->from_client_len, err)) == 0 &&
        (r = flow_init(&w.down, splice->from_server, splice->from_server_len, err)) == 0)
        r = carry(&w, err);
    free(w.up.buf);
    free(w.down.buf);
    return r;
}
