/* conn.c - one client: its requests and our replies; see conn.h. */
#include "conn_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "../accounts/upstream.h"
#include "../base/log.h"
#include "../client/deadline.h"
#include "../client/socketmap.h"

static void
forget_question(struct conn *c)
{
    free(c->account);
    free(c->user);
    c->account = c->user = NULL;
}

void
conn_free(struct conn *c)
{
    keeper_forget(c->conns->keeper, &c->ask);
    loop_remove(c->conns->loop, &c->source);
    conns_remove(c->conns, c);
    conns_leave(c->conns, c->peer);
    close(c->source.fd);
    forget_question(c);
    secret_clear(&c->in);
    secret_clear(&c->out);
    free(c);
}

/* --- replies ------------------------------------------------------------------------ */

static void
log_answer(const struct conn *c, const char *outcome)
{
    log_debug("uid %lu: %s %s: %s", (unsigned long)c->uid,
              c->understood ? question_name(c->kind) : "request",
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

/* For the log. */
static void
note(struct conn *c, const struct question *q)
{
    c->understood = true;
    c->kind = q->kind;
    if (q->account != NULL)
        c->account = strdup(q->account->name);
}

static void
handle(struct conn *c, const struct question *q)
{
    struct keeper *k = c->conns->keeper;
    struct secret text = SECRET_INIT;
    struct err err = ERR_INIT;

    note(c, q);
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
    c->understood = false;
    c->asked = true;
    if (r != 0) {
        err.code = ERR_PERSON; /* on the wire PERM: sending it again is of no use */
        reply_err(c, &err);
        c->closing = true;
        return true;
    }
    r = question_read(accounts, *c->conns->permits, payload, len, c->uid, &q, &err);
    if (r == 0) {
        handle(c, &q);
    } else {
        if (r == ERR_DENIED &&
            question_read(accounts, NULL, payload, len, c->uid, &q, NULL) == 0)
            note(c, &q);
        reply_err(c, &err);
    }
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
    conns_remove(c->conns, c); /* it is not the longest idle any more */
    conns_append(c->conns, c);
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

/* --- arriving -------------------------------------------------------------------------
 */

void
conn_start(struct conns *cs, int fd, struct peer *peer)
{
    struct conn *c = calloc(1, sizeof *c);

    if (c == NULL) {
        conns_leave(cs, peer);
        close(fd);
        return;
    }
    c->source = (struct loop_source){fd, on_ready};
    c->conns = cs;
    c->peer = peer;
    c->uid = peer->uid;
    c->in.max = SOCKETMAP_REQUEST_MAX + 4096 + 16; /* a frame, and one read more */
    c->out.max = SOCKETMAP_REPLY_MAX + 16;
    c->events = EPOLLIN;
    c->stall_ms = deadline_now() + CONN_STALL_MS; /* for its first request */
    conns_append(cs, c);
    if (loop_add(cs->loop, &c->source, c->events, NULL) != 0)
        conn_free(c);
    else
        on_ready(&c->source, EPOLLIN); /* a client sends right after connecting */
}
