/* conn.c - see conn.h. */
#include "conn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "../accounts/upstream.h"
#include "../base/log.h"
#include "../client/deadline.h"
#include "../client/socketmap.h"
#include "question.h"

struct conn {
    struct loop_source source; /* first, so that an event leads back to its conn */
    struct ask ask;
    struct conns *conns;
    struct conn *next, *prev; /* the longest idle first */
    uid_t uid;
    struct secret in, out;
    enum question_kind kind; /* of the question being answered */
    char *account;    /* its account's name and mailbox: copies, since a reload may */
    char *user;       /* take the account away while we wait */
    int64_t stall_ms; /* drop it then; 0: it owes us nothing */
    unsigned events;
    bool closing; /* after what is in `out` */
};

struct conns {
    struct loop *loop;
    struct keeper *keeper;
    struct permits *const *permits;
    struct conn *first, *last;
    unsigned count;
    int spare; /* a descriptor in reserve, see turn_away() */
};

int
conns_new(struct loop *loop, struct keeper *keeper, struct permits *const *permits,
          struct conns **conns_r, struct err *err)
{
    struct conns *cs = calloc(1, sizeof *cs);

    if (cs == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    *cs = (struct conns){.loop = loop, .keeper = keeper, .permits = permits};
    cs->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    *conns_r = cs;
    return 0;
}

static void
list_remove(struct conns *cs, struct conn *c)
{
    *(c->prev != NULL ? &c->prev->next : &cs->first) = c->next;
    *(c->next != NULL ? &c->next->prev : &cs->last) = c->prev;
    cs->count--;
}

static void
list_append(struct conns *cs, struct conn *c)
{
    c->next = NULL;
    c->prev = cs->last;
    *(cs->last != NULL ? &cs->last->next : &cs->first) = c;
    cs->last = c;
    cs->count++;
}

static void
forget_question(struct conn *c)
{
    free(c->account);
    free(c->user);
    c->account = c->user = NULL;
}

static void
conn_free(struct conn *c)
{
    keeper_forget(c->conns->keeper, &c->ask);
    loop_remove(c->conns->loop, &c->source);
    list_remove(c->conns, c);
    close(c->source.fd);
    forget_question(c);
    secret_clear(&c->in);
    secret_clear(&c->out);
    free(c);
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

/* --- replies ------------------------------------------------------------------------ */

static void
log_answer(const struct conn *c, const char *outcome)
{
    log_debug("uid %lu: %s %s: %s", (unsigned long)c->uid, question_name(c->kind),
              c->account != NULL ? c->account : "-", outcome);
}

/* A reply that cannot be composed ends the connection: the client asks again. */
static void
reply_ok(struct conn *c, const char *text, size_t len)
{
    log_answer(c, "OK");
    if (socketmap_reply_ok(text, len, &c->out) != 0)
        c->closing = true;
    forget_question(c);
}

static void
reply_err(struct conn *c, const struct err *err)
{
    char line[ERR_LINE_MAX];

    log_answer(c, err_line(err, line));
    if (socketmap_reply_err(err, &c->out) != 0)
        c->closing = true;
    forget_question(c);
}

static void
reply_token(struct conn *c, const struct secret *token)
{
    struct secret pair = SECRET_INIT;

    if (c->kind != QUESTION_SASL) {
        reply_ok(c, token->data, token->len);
        return;
    }
    if (secret_append_str(&pair, c->user) == 0 && secret_append_char(&pair, ':') == 0 &&
        secret_append(&pair, token->data, token->len) == 0)
        reply_ok(c, pair.data, pair.len);
    else
        c->closing = true;
    secret_clear(&pair);
}

/* --- one request ----------------------------------------------------------------------
 */

static bool flush(struct conn *c);

/* The keeper's answer, perhaps long after the question. What else the client has asked is
 * then left to the loop: the keeper may be in the middle of a reload. */
static void
on_token(struct ask *ask, const struct secret *token, const struct err *err)
{
    struct conn *c = (struct conn *)((char *)ask - offsetof(struct conn, ask));
    bool later = c->stall_ms < 0, more;
    struct err passing = ERR_INIT;

    if (token != NULL) {
        reply_token(c, token);
    } else if (c->kind == QUESTION_SASL && err->code == ERR_NOACCOUNT) {
        /* A reload took the account away meanwhile. NOTFOUND would send Postfix on its
         * way without a sign-in, and Exchange would bounce the mail. */
        err_set(&passing, ERR_TEMP, "%s", err->text);
        reply_err(c, &passing);
    } else {
        reply_err(c, err);
    }
    if (!later)
        return;
    if (!flush(c)) {
        conn_free(c);
        return;
    }
    more = c->out.len > 0 || c->in.len > 0;
    if (!more) { /* it may be idle for long */
        secret_clear(&c->in);
        secret_clear(&c->out);
    }
    c->stall_ms = more ? deadline_now() + CONN_STALL_MS : 0;
    c->events = more ? EPOLLOUT : EPOLLIN;
    loop_change(c->conns->loop, &c->source, c->events);
}

static void
ask_for_token(struct conn *c, const struct account *account)
{
    if (account == NULL || (c->user = strdup(account->user)) == NULL) {
        c->closing = true;
        return;
    }
    c->ask.answer = on_token;
    c->stall_ms = 0;
    keeper_ask(c->conns->keeper, account, &c->ask);
    if (c->ask.entry != NULL)
        c->stall_ms = -1; /* waits: the keeper has a deadline of its own */
}

static void
reply_text(struct conn *c, int r, const struct secret *text, const struct err *err)
{
    if (r == 0)
        reply_ok(c, secret_str(text), text->len);
    else
        reply_err(c, err);
}

static void
handle(struct conn *c, const struct question *q)
{
    struct keeper *k = c->conns->keeper;
    struct secret text = SECRET_INIT;
    struct err err = ERR_INIT;

    c->kind = q->kind;
    if (q->account != NULL)
        c->account = strdup(q->account->name);
    switch (q->kind) {
    case QUESTION_TOKEN:
    case QUESTION_SASL:
        ask_for_token(c, q->account);
        break;
    case QUESTION_REJECTED:
        keeper_rejected(k, q->account, q->token, q->token_len);
        reply_ok(c, "", 0);
        break;
    case QUESTION_UPSTREAM:
        reply_text(c, upstream_json(q->account, q->protocol, &text, &err), &text, &err);
        break;
    case QUESTION_STATUS:
        reply_text(c, keeper_status(k, q->account, &text, &err), &text, &err);
        break;
    case QUESTION_VERSION:
        reply_ok(c, "mailbearer " MAILBEARER_VERSION,
                 strlen("mailbearer " MAILBEARER_VERSION));
        break;
    }
    secret_clear(&text);
}

/* Takes the next whole request, or what is none, out of `in`. False when it is not whole
 * yet. */
static bool
next_request(struct conn *c)
{
    const struct accounts *accounts = keeper_accounts(c->conns->keeper);
    struct question q = {.kind = QUESTION_VERSION};
    struct err err = ERR_INIT;
    const char *payload;
    size_t len, used;
    int r = socketmap_unframe(secret_str(&c->in), c->in.len, SOCKETMAP_REQUEST_MAX,
                              &payload, &len, &used, &err);

    if (r == ERR_TEMP)
        return false;
    c->kind = QUESTION_VERSION;
    if (r != 0) {
        err.code = ERR_PERSON; /* on the wire PERM: sending it again is of no use */
        reply_err(c, &err);
        c->closing = true;
        return true;
    }
    if (question_read(accounts, *c->conns->permits, payload, len, c->uid, &q, &err) != 0)
        reply_err(c, &err);
    else
        handle(c, &q);
    secret_consume(&c->in, used);
    return true;
}

/* --- bytes ----------------------------------------------------------------------------
 */

/* False when the connection is at its end. */
static bool
flush(struct conn *c)
{
    while (c->out.len > 0) {
        ssize_t n = send(c->source.fd, c->out.data, c->out.len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        secret_consume(&c->out, (size_t)n);
    }
    return !c->closing;
}

/* Handles what is there, writes what can be written, and waits for the right thing. */
static void
conn_go_on(struct conn *c)
{
    int64_t anew = deadline_now() + CONN_STALL_MS;
    int64_t stall = c->stall_ms > 0 ? c->stall_ms : anew; /* a drip gains no time */
    bool owed = c->out.len > 0;
    unsigned events = EPOLLIN;

    c->stall_ms = 0;
    for (;;) {
        if (!flush(c)) {
            conn_free(c);
            return;
        }
        if (owed && c->out.len == 0)
            stall = anew; /* it has taken its reply */
        if (c->out.len > 0 || c->ask.entry != NULL || !next_request(c))
            break;
        stall = anew;
    }
    if (c->out.len > 0) {
        c->stall_ms = stall;
        events = EPOLLOUT;
    } else if (c->ask.entry != NULL) {
        c->stall_ms = -1;
        events =
            0; /* its further requests can wait; that it left is noticed all the same */
    } else if (c->in.len > 0) {
        c->stall_ms = stall;
    } else {
        secret_clear(&c->in);
        secret_clear(&c->out);
    }
    if (events != c->events)
        loop_change(c->conns->loop, &c->source, events);
    c->events = events;
}

static void
on_ready(struct loop_source *source, unsigned events)
{
    struct conn *c = (struct conn *)source;
    char buf[4096];
    ssize_t n;

    if (c->ask.entry != NULL) { /* it waits: this can only be its end */
        conn_free(c);
        return;
    }
    list_remove(c->conns, c); /* it is not the longest idle any more */
    list_append(c->conns, c);
    if (events & EPOLLOUT) {
        conn_go_on(c);
        return;
    }
    n = recv(c->source.fd, buf, sizeof buf, 0);
    if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
        return;
    if (n <= 0 || secret_append(&c->in, buf, (size_t)n) != 0)
        conn_free(c);
    else
        conn_go_on(c);
    explicit_bzero(buf, sizeof buf);
}

/* --- arriving and leaving
 * --------------------------------------------------------------- */

/* Makes room for a new client by dropping the longest idle; where none is, the longest
 * silent of those that owe us something. Nobody who waits for a token is dropped. */
static bool
drop_idle(struct conns *cs)
{
    struct conn *owes = NULL, *c;

    for (c = cs->first; c != NULL && c->stall_ms != 0; c = c->next)
        if (owes == NULL && c->stall_ms > 0)
            owes = c;
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

static void
conn_open(struct conns *cs, int fd)
{
    struct conn *c = calloc(1, sizeof *c);
    struct ucred peer = {.uid = PERMITS_UNMAPPED};
    socklen_t len = sizeof peer;

    if (c == NULL || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
        free(c);
        close(fd);
        return;
    }
    c->source = (struct loop_source){fd, on_ready};
    c->conns = cs;
    c->uid = peer.uid;
    c->in.max = SOCKETMAP_REQUEST_MAX + 4096 + 16; /* a frame, and one read more */
    c->out.max = SOCKETMAP_REPLY_MAX + 16;
    c->events = EPOLLIN;
    c->stall_ms = deadline_now() + CONN_STALL_MS; /* for its first request */
    list_append(cs, c);
    if (loop_add(cs->loop, &c->source, c->events, NULL) != 0)
        conn_free(c);
    else
        on_ready(&c->source, EPOLLIN); /* a client sends right after connecting */
}

void
conns_accept(struct conns *cs, int listen_fd)
{
    /* Bounded, so that those already here have their turn. */
    for (int i = 0; i < 64; i++) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            if (cs->count >= CONN_MAX && !drop_idle(cs))
                close(fd); /* all of them wait: as in turn_away() */
            else
                conn_open(cs, fd);
        } else if (errno == EMFILE || errno == ENFILE) {
            if (!somebody_waits(listen_fd) ||
                (!drop_idle(cs) && !turn_away(cs, listen_fd)))
                return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
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
