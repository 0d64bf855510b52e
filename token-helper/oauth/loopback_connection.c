/* loopback_connection.c - see loopback.h: one connection, from its request to its page.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "../client/deadline.h"
#include "loopback_private.h"

#define DRAIN_MS 1000 /* for the browser to close after us */

/* --- connections -----------------------------------------------------------------------
 */

static void
note(struct loopback *l, const char *text)
{
    l->notes++;
    if (l->notes <= LOOPBACK_NOTES_MAX)
        l->options.note(l->options.arg, text);
    if (l->notes == LOOPBACK_NOTES_MAX)
        l->options.note(l->options.arg, "further ones like this are not shown");
}

void
loopback_drop(struct loopback_connection *c)
{
    if (c->phase == LOOPBACK_FREE)
        return;
    close(c->fd);
    secret_clear(&c->in);
    secret_clear(&c->out);
    *c = (struct loopback_connection){.phase = LOOPBACK_FREE, .fd = -1};
}

static void
watch(struct loopback *l, struct loopback_connection *c, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = c};

    epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &e);
}

void
loopback_begin_answer(struct loopback *l, struct loopback_connection *c,
                      const struct web_page *page)
{
    if (web_page_compose(page, &c->out) != 0) {
        loopback_drop(c);
        return;
    }
    c->phase = LOOPBACK_WRITING;
    c->until_ms = deadline_now() + LOOPBACK_ANSWER_MS;
    watch(l, c, EPOLLOUT);
}

static void
refuse(struct loopback *l, struct loopback_connection *c, int status, const char *text,
       const char *line)
{
    struct web_page page = {.status = status, .title = "this is not the sign-in"};

    snprintf(page.text, sizeof page.text, "%s", text);
    snprintf(page.hint, sizeof page.hint,
             "The sign-in is still being waited for. Go on in the window or tab where it "
             "was begun, or open the address that the terminal shows.");
    if (line != NULL)
        note(l, line);
    loopback_begin_answer(l, c, &page);
}

/* --- what was asked --------------------------------------------------------------------
 */

static bool
is_our_path(const struct loopback *l, const struct web_request *q)
{
    const char *path = l->options.path[0] != '\0' ? l->options.path : "/";

    return strlen(path) == q->path_len && memcmp(path, q->path, q->path_len) == 0;
}

static void
handle_get(struct loopback *l, struct loopback_connection *c, const struct web_request *q)
{
    static const char icon[] = "/favicon.ico";
    struct web_page page = {.status = 400, .title = ""};

    if (!is_our_path(l, q)) {
        /* browsers ask for it by themselves: nobody needs to hear of that */
        bool quiet =
            q->path_len == sizeof icon - 1 && memcmp(q->path, icon, sizeof icon - 1) == 0;

        refuse(l, c, 404, "Nothing is at this path.",
               quiet ? NULL : "a page came back on another path: refused");
        return;
    }
    if (l->answered) {
        refuse(l, c, 409,
               "The sign-in has been answered already; this answer is one too "
               "many.",
               "a second answer came: refused");
        return;
    }
    if (l->options.arrived(l->options.arg, q->query, q->query_len, &page) ==
        LOOPBACK_HOLD) {
        l->answered = true;
        c->phase = LOOPBACK_HELD;
        c->until_ms = INT64_MAX;
        watch(l, c, 0);
        return;
    }
    note(l, page.text);
    loopback_begin_answer(l, c, &page);
}

static void
handle_request(struct loopback *l, struct loopback_connection *c)
{
    struct web_request q;

    switch (web_request_parse(c->in.data, c->in.len, &q)) {
    case WEB_MORE:
        return;
    case WEB_GET:
        handle_get(l, c, &q);
        break;
    case WEB_METHOD:
        refuse(l, c, 405, "Only GET is answered here.",
               "a request that is not GET came: refused");
        break;
    case WEB_TOO_BIG:
        refuse(l, c, 431, "The request is too long.", "a request too long came: refused");
        break;
    case WEB_BAD:
        refuse(l, c, 400, "That is no HTTP request.",
               "something that is no HTTP request came: refused");
        break;
    }
    secret_clear(&c->in);
}

/* --- moving bytes ----------------------------------------------------------------------
 */

static void
read_some(struct loopback *l, struct loopback_connection *c)
{
    char buf[2048];
    ssize_t n = recv(c->fd, buf, sizeof buf, 0);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0 || secret_append(&c->in, buf, (size_t)n) != 0)
        loopback_drop(c); /* gone, in the middle of a request */
    else
        handle_request(l, c);
    explicit_bzero(buf, sizeof buf);
}

static void
write_some(struct loopback *l, struct loopback_connection *c)
{
    ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n < 0) {
        loopback_drop(c);
        return;
    }
    c->sent += (size_t)n;
    if (c->sent < c->out.len)
        return;
    shutdown(c->fd, SHUT_WR);
    c->phase = LOOPBACK_DRAINING;
    c->until_ms = deadline_now() + DRAIN_MS;
    watch(l, c, EPOLLIN);
}

static void
drain_some(struct loopback_connection *c)
{
    char buf[4096];
    ssize_t n = recv(c->fd, buf, sizeof buf, 0);

    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        loopback_drop(c);
    explicit_bzero(buf, sizeof buf);
}

void
loopback_advance(struct loopback *l, struct loopback_connection *c, uint32_t events)
{
    switch (c->phase) {
    case LOOPBACK_READING:
        read_some(l, c);
        break;
    case LOOPBACK_HELD:
        if ((events & (EPOLLHUP | EPOLLERR)) != 0)
            loopback_drop(c); /* the browser was closed: the sign-in goes on without it */
        break;
    case LOOPBACK_WRITING:
        write_some(l, c);
        break;
    case LOOPBACK_DRAINING:
        drain_some(c);
        break;
    case LOOPBACK_FREE:
        break;
    }
}

void
loopback_too_slow(struct loopback *l, struct loopback_connection *c)
{
    secret_clear(&c->in);
    refuse(l, c, 408, "The request came too slowly.",
           "a request came too slowly: refused");
}
