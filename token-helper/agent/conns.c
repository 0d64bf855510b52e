/* conns.c - all clients: who may come, who has to go; see conn.h. */
#include "conn_private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/socket.h>

#include "../base/log.h"
#include "../client/deadline.h"

int
conns_new(struct loop *loop, struct keeper *keeper, struct permits *const *permits,
          struct conns **conns_r, struct err *err)
{
    struct conns *cs = calloc(1, sizeof *cs);

    if (cs == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    *cs = (struct conns){
        .loop = loop, .keeper = keeper, .permits = permits, .own = geteuid()};
    cs->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    *conns_r = cs;
    return 0;
}

void
conns_remove(struct conns *cs, struct conn *c)
{
    *(c->prev != NULL ? &c->prev->next : &cs->first) = c->next;
    *(c->next != NULL ? &c->next->prev : &cs->last) = c->prev;
    cs->count--;
}

void
conns_append(struct conns *cs, struct conn *c)
{
    c->next = NULL;
    c->prev = cs->last;
    *(cs->last != NULL ? &cs->last->next : &cs->first) = c;
    cs->last = c;
    cs->count++;
}

/* NULL: out of memory. */
static struct peer *
peer_take(struct conns *cs, uid_t uid)
{
    struct peer *p;

    for (p = cs->peers; p != NULL && p->uid != uid; p = p->next)
        continue;
    if (p == NULL) {
        if ((p = calloc(1, sizeof *p)) == NULL)
            return NULL;
        *p = (struct peer){.next = cs->peers, .uid = uid};
        cs->peers = p;
    }
    p->count++;
    return p;
}

void
conns_leave(struct conns *cs, struct peer *p)
{
    struct peer **link = &cs->peers;

    if (--p->count > 0)
        return;
    while (*link != p)
        link = &(*link)->next;
    *link = p->next;
    free(p);
}

void
conns_free(struct conns **conns)
{
    if (*conns == NULL)
        return;
    while ((*conns)->first != NULL)
        conn_free((*conns)->first);
    if ((*conns)->spare >= 0)
        close((*conns)->spare);
    free(*conns);
    *conns = NULL;
}

/* Makes room for a new client by dropping the longest idle (of that user, or of all where
 * it is NULL); where none is, the longest silent of those that owe us something. Nobody
 * who waits for a token is dropped. */
static bool
drop_idle(struct conns *cs, const struct peer *peer)
{
    struct conn *owes = NULL, *c;

    for (c = cs->first; c != NULL; c = c->next) {
        if (peer != NULL && c->peer != peer)
            continue;
        if (c->stall_ms == 0)
            break;
        if (owes == NULL && c->stall_ms > 0)
            owes = c;
    }
    c = c != NULL ? c : owes;
    if (c != NULL)
        conn_free(c);
    return c != NULL;
}

/* Without a descriptor to give, accept(2) does not tell whether somebody is there. */
static bool
somebody_waits(int listen_fd)
{
    struct pollfd p = {.fd = listen_fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

/* No descriptor, nobody idle: a client that is left in the queue would keep the listening
 * socket ready and the loop spinning, so it is closed; it asks again. */
static bool
turn_away(struct conns *cs, int listen_fd)
{
    int fd;

    close(cs->spare);
    fd = accept(listen_fd, NULL, NULL);
    if (fd >= 0)
        close(fd);
    cs->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd >= 0;
}

/* One user must not keep the others out. The new one counts already. */
static bool
may_stay(struct conns *cs, struct peer *peer)
{
    if (peer->count <= CONN_USER_MAX || peer->uid == 0 || peer->uid == cs->own)
        return true;
    if (!peer->told)
        log_warning("uid %lu has more than %d connections: the longest idle are dropped",
                    (unsigned long)peer->uid, CONN_USER_MAX);
    peer->told = true;
    return drop_idle(cs, peer);
}

static void
welcome(struct conns *cs, int fd)
{
    struct ucred cred = {.uid = PERMITS_UNMAPPED};
    socklen_t len = sizeof cred;
    struct peer *peer = NULL;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
        (peer = peer_take(cs, cred.uid)) != NULL && may_stay(cs, peer)) {
        conn_start(cs, fd, peer);
        return;
    }
    if (peer != NULL)
        conns_leave(cs, peer);
    close(fd);
}

void
conns_accept(struct conns *cs, int listen_fd)
{
    /* Bounded, so that those already here have their turn. */
    for (int i = 0; i < 64; i++) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            if (cs->count >= CONN_MAX && !drop_idle(cs, NULL))
                close(fd); /* all of them wait: as in turn_away() */
            else
                welcome(cs, fd);
        } else if (errno == EMFILE || errno == ENFILE) {
            if (!somebody_waits(listen_fd) ||
                (!drop_idle(cs, NULL) && !turn_away(cs, listen_fd)))
                return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

/* Has it sent something that was not read yet, or gone? */
static bool
has_news(const struct conn *c)
{
    struct pollfd p = {.fd = c->source.fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

unsigned
conns_part(struct conns *cs)
{
    struct conn *next;

    for (struct conn *c = cs->first; c != NULL; c = next) {
        next = c->next;
        if (c->asked && c->stall_ms == 0 && !has_news(c))
            conn_free(c);
    }
    return cs->count;
}

void
conns_tick(struct conns *cs)
{
    int64_t now = deadline_now();
    struct conn *next;

    for (struct conn *c = cs->first; c != NULL; c = next) {
        next = c->next;
        if (c->stall_ms > 0 && now >= c->stall_ms) {
            log_debug("uid %lu: dropped, it stalled", (unsigned long)c->uid);
            conn_free(c);
        }
    }
}
