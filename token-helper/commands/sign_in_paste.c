/* sign_in_paste.c - see sign_in.h: the browser is elsewhere, and the address it was sent
 * back to is pasted here. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/wallclock.h"
#include "../client/deadline.h"
#include "../oauth/http.h"
#include "find_endpoints.h"
#include "sign_in.h"

#define LINE_BYTES_MAX REDIRECT_QUERY_MAX
#define TERMINAL_LINE                                                                    \
    4095 /* of what is typed or pasted as one line, the kernel keeps so                  \
            much and drops the rest */

struct input {
    struct secret pending; /* read, not yet looked at */
    struct deadline deadline;
};

/* One line, without its end. 0; ERR_PERSON: the input ended, or nothing came in time;
 * ERR_NOMEM. */
static int
read_line(struct input *in, struct secret *line_r, struct err *err)
{
    char buf[4096];
    int r = -1;

    secret_reset(line_r);
    while (r == -1) {
        struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
        char *end =
            in->pending.len > 0 ? memchr(in->pending.data, '\n', in->pending.len) : NULL;
        size_t n = end != NULL ? (size_t)(end - in->pending.data) : in->pending.len;
        ssize_t got;

        if (end != NULL || n > LINE_BYTES_MAX) {
            r = secret_set(line_r, in->pending.data, n) == 0 ? 0 : ERR_NOMEM;
            secret_consume(&in->pending, end != NULL ? n + 1 : n);
            break;
        }
        if (poll(&p, 1, deadline_left(&in->deadline)) == 0) {
            r = err_set(err, ERR_PERSON, "nobody signed in within %d minutes",
                        SIGN_IN_MS / 60000);
            break;
        }
        got = read(STDIN_FILENO, buf, sizeof buf);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got > 0)
            r = secret_append(&in->pending, buf, (size_t)got) == 0 ? -1 : ERR_NOMEM;
        else if (n > 0) /* a last line without its end */
            r = secret_append_char(&in->pending, '\n') == 0 ? -1 : ERR_NOMEM;
        else
            r = err_set(err, ERR_PERSON, "no address was given");
    }
    explicit_bzero(buf, sizeof buf);
    return r == ERR_NOMEM ? err_set(err, ERR_NOMEM, "out of memory") : r;
}

/* 0 with the code in *code_r; ERR_USAGE, ERR_PROTOCOL: something else, ask again;
 * ERR_PERSON, ERR_TEMP: the provider refused; ERR_NOMEM. */
static int
look_at_line(const struct sign_in *s, const struct grant_code *grant,
             const struct secret *line, struct secret *code_r, struct err *err)
{
    struct redirect redirect = REDIRECT_INIT;
    const char *query = NULL;
    size_t len = 0;
    int r;

    if (s->terminal && line->len >= TERMINAL_LINE) {
        err_set(err, ERR_USAGE, "the address is too long for a terminal's line");
        err_hint(err,
                 "paste only what it has from `code=` on, without `session_state=`; or "
                 "use --browser with ssh -L");
        return ERR_USAGE;
    }
    if ((r = redirect_find_query(secret_str(line), line->len, &query, &len, err)) != 0 ||
        (r = redirect_parse(query, len, &redirect, err)) != 0)
        goto out;
    switch (grant_code_judge(grant, &redirect)) {
    case GRANT_CODE_GOOD:
        secret_move(code_r, &redirect.code);
        break;
    case GRANT_CODE_REFUSED:
        r = redirect_refusal(&redirect, s->account, err);
        break;
    case GRANT_CODE_WRONG_STATE:
        r = err_set(err, ERR_USAGE, "that address belongs to another sign-in");
        err_hint(err, "open the address above, and paste what comes of that");
        break;
    case GRANT_CODE_EMPTY:
        r = err_set(err, ERR_USAGE, "there is no code in that address");
        err_hint(err, "paste the address that the browser shows at the end, not the one "
                      "to open");
        break;
    }
out:
    redirect_clear(&redirect);
    return r;
}

/* Asks until there is a code. When the input ends, what was wrong last is what is said.
 */
static int
ask_for_code(const struct sign_in *s, const struct grant_code *grant,
             struct secret *code_r, struct err *err)
{
    struct input in = {.pending = {.max = 4u * LINE_BYTES_MAX},
                       .deadline = deadline_in(SIGN_IN_MS)};
    struct secret line = SECRET_INIT;
    struct err wrong = ERR_INIT;
    int r;

    for (;;) {
        struct err e = ERR_INIT;

        if (s->terminal && (r = sign_in_say(err, "Paste it here: ")) != 0)
            break;
        if ((r = read_line(&in, &line, err)) != 0) {
            if (r == ERR_PERSON && wrong.code != ERR_NONE) {
                r = wrong.code == ERR_TEMP ? ERR_TEMP : ERR_PERSON;
                *err = wrong;
                err->code = r;
            }
            break;
        }
        if (line.len == 0)
            continue;
        if ((r = look_at_line(s, grant, &line, code_r, &e)) == 0)
            break;
        wrong = e;
        sign_in_tell(s, e.text);
        if (e.hint[0] != '\0' && s->terminal)
            sign_in_tell(s, e.hint);
    }
    secret_clear(&line);
    secret_clear(&in.pending);
    return r;
}

static int
show_address(const struct sign_in *s, const struct grant_code *grant, struct err *err)
{
    const char *redirect = secret_str(&grant->redirect_uri);
    struct redirect_target target = {.port = 0};
    struct secret url = SECRET_INIT;
    int r = grant_code_url(grant, s->account, s->endpoints.authorization,
                           secret_str(&s->scope), &url, err);

    if (r == 0)
        r = sign_in_say(err,
                        "Sign in as %s: open this address in a browser, on any "
                        "computer:\n\n%s\n\n"
                        "In the end the browser is sent to %s and may show an error; "
                        "that is\nright. Copy the whole address out of its address "
                        "line.\n",
                        s->account->login_hint, secret_str(&url), redirect);
    if (r == 0 && redirect_target_parse(redirect, &target, NULL) == 0 && target.loopback)
        r = sign_in_say(err,
                        "(Where that computer reaches this one by ssh nothing need be "
                        "pasted: run\nmailbearer login %s --browser here, and there\n"
                        "ssh -L PORT:localhost:PORT with the port it names.)\n",
                        s->account->name);
    secret_clear(&url);
    return r;
}

static int
exchange(struct sign_in *s, const struct grant_code *grant, const struct secret *code,
         struct err *err)
{
    struct http_request request = {.url = NULL};
    struct http_reply reply = {.body = SECRET_INIT};
    struct err failed = ERR_INIT;
    int r =
        grant_code_request(grant, s->account, s->endpoints.token, secret_str(&s->scope),
                           code, &s->credential, wallclock_now(), &request, err);

    if (r != 0)
        return r;
    request.deadline_ms = SIGN_IN_HTTP_MS;
    r = http_do(&request, &reply, &failed);
    r = sign_in_take(s, r == 0 ? &reply : NULL, &failed, code, err);
    secret_clear(&reply.body);
    return r;
}

int
sign_in_paste(struct sign_in *s, struct err *err)
{
    const char *redirect = s->account->redirect_uri;
    struct grant_code grant = GRANT_CODE_INIT;
    struct secret code = SECRET_INIT;
    int r;

    if (s->endpoints.authorization == NULL)
        return sign_in_no_endpoint(s, "authorization_endpoint", err);
    if ((r = grant_code_begin(redirect != NULL ? redirect : "http://localhost", &grant,
                              err)) == 0 &&
        (r = show_address(s, &grant, err)) == 0 &&
        (r = ask_for_code(s, &grant, &code, err)) == 0)
        r = exchange(s, &grant, &code, err);
    secret_clear(&code);
    grant_code_clear(&grant);
    return r;
}
