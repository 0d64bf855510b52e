/* sign_in_browser.c - see sign_in.h: the browser comes back to a listener of ours. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/wallclock.h"
#include "../client/deadline.h"
#include "../oauth/browser.h"
#include "../oauth/http.h"
#include "../oauth/loopback.h"
#include "find_endpoints.h"
#include "sign_in.h"

#define TICK_MS 1000 /* how often the browser's program is looked at */

struct wait {
    struct sign_in *s;
    struct grant_code grant;
    struct secret code; /* once it has come */
    struct loopback *loopback;
    struct http *http;
    pid_t browser;
    bool done;
    struct err outcome; /* of the exchange */
    struct err refused; /* what the provider said last instead of giving a code */
};

/* --- what the browser brings -----------------------------------------------------------
 */

static void
fill_page(struct web_page *page, int status, const char *title, const char *text,
          const char *hint)
{
    page->status = status;
    page->title = title;
    snprintf(page->text, sizeof page->text, "%s", text);
    snprintf(page->hint, sizeof page->hint, "%s", hint);
}

static void
finish(struct wait *w)
{
    const char *who = identity_name(&w->s->identity);
    struct web_page page = {.status = 200, .title = "done"};

    if (err_is_temporary(w->outcome.code)) {
        fill_page(&page, 503, "not done", w->outcome.text, w->outcome.hint);
    } else if (w->outcome.code != ERR_NONE) {
        fill_page(&page, 403, "refused", w->outcome.text, w->outcome.hint);
    } else {
        fill_page(&page, 200, "done", "", "This window can be closed.");
        snprintf(page.text, sizeof page.text,
                 "%.200s has signed in for the account %.200s.",
                 who != NULL ? who : "Somebody", w->s->account->name);
    }
    w->done = true;
    loopback_finish(w->loopback, &page);
}

static void
on_reply(void *arg, const struct http_reply *reply, const struct err *failed)
{
    struct wait *w = arg;

    sign_in_take(w->s, reply, failed, &w->code, &w->outcome);
    finish(w);
}

static void
begin_exchange(struct wait *w)
{
    struct http_request request = {.url = NULL};
    const struct sign_in *s = w->s;
    int r = grant_code_request(&w->grant, s->account, s->endpoints.token,
                               secret_str(&s->scope), &w->code, &s->credential,
                               wallclock_now(), &request, &w->outcome);

    request.deadline_ms = SIGN_IN_HTTP_MS;
    if (r == 0)
        http_start(w->http, &request, on_reply, w, &w->outcome);
}

static enum loopback_decision
on_redirect(void *arg, const char *query, size_t len, struct web_page *page_r)
{
    static const char go_on[] = "The sign-in is still being waited for: open the address "
                                "that the terminal shows.";
    struct wait *w = arg;
    struct redirect redirect = REDIRECT_INIT;
    enum loopback_decision decision = LOOPBACK_ANSWER;
    struct err err = ERR_INIT;

    if (redirect_parse(query, len, &redirect, &err) != 0) {
        fill_page(page_r, 400, "refused", err.text, go_on);
        return LOOPBACK_ANSWER;
    }
    switch (grant_code_judge(&w->grant, &redirect)) {
    case GRANT_CODE_GOOD:
        secret_move(&w->code, &redirect.code);
        begin_exchange(w);
        decision = LOOPBACK_HOLD;
        break;
    case GRANT_CODE_REFUSED:
        redirect_refusal(&redirect, w->s->account, &w->refused);
        fill_page(page_r, 403, "refused", w->refused.text, w->refused.hint);
        break;
    case GRANT_CODE_WRONG_STATE:
        fill_page(page_r, 403, "refused", "this answer belongs to another sign-in",
                  go_on);
        break;
    case GRANT_CODE_EMPTY:
        fill_page(page_r, 400, "refused", "this answer holds no code", go_on);
        break;
    }
    redirect_clear(&redirect);
    return decision;
}

static void
on_note(void *arg, const char *text)
{
    const struct wait *w = arg;

    sign_in_tell(w->s, text);
}

/* --- where it comes back to ------------------------------------------------------------
 */

static const char *
redirect_uri(const struct sign_in *s)
{
    const char *uri = s->account->redirect_uri;

    /* as registered: without a path, which the browser then asks for as `/` */
    return uri != NULL ? uri : "http://localhost";
}

bool
sign_in_can_listen(const struct sign_in *s, const struct sign_in_listen *listen)
{
    struct redirect_target target;

    return listen->address != NULL ||
           (redirect_target_parse(redirect_uri(s), &target, NULL) == 0 &&
            target.loopback);
}

static int
open_listener(struct wait *w, const struct sign_in_listen *listen,
              struct redirect_target *target, struct err *err)
{
    struct loopback_options o = {.address = listen->address,
                                 .port = listen->port,
                                 .path = target->path,
                                 .arrived = on_redirect,
                                 .note = on_note,
                                 .arg = w};
    int r;

    if (listen->address == NULL) {
        if (!target->loopback) {
            err_set(err, ERR_CONFIG, "the browser is sent to %.200s, which is not here",
                    redirect_uri(w->s));
            err_hint(err, "have a proxy pass it on, and name the place: --listen "
                          "127.0.0.1:PORT; or sign in with --paste");
            return ERR_CONFIG;
        }
        o.address = target->host;
        o.port = target->port;
    }
    r = loopback_open(&o, &w->loopback, err);
    w->s->other_way = r != 0 && r != ERR_NOMEM;
    return r;
}

/* The address the provider sends the browser to: as registered, with our port where none
 * is. */
static int
begin_grant(struct wait *w, const struct redirect_target *target, struct err *err)
{
    struct secret uri = SECRET_INIT;
    int r = 0;

    if (target->loopback && target->port == 0)
        r = redirect_with_port(redirect_uri(w->s), loopback_local_port(w->loopback), &uri,
                               err);
    else if (secret_append_str(&uri, redirect_uri(w->s)) != 0)
        r = err_set(err, ERR_NOMEM, "out of memory");
    if (r == 0)
        r = grant_code_begin(secret_str(&uri), &w->grant, err);
    secret_clear(&uri);
    return r;
}

/* --- what the person sees --------------------------------------------------------------
 */

static int
say_tunnel(const struct wait *w, const struct redirect_target *target, struct err *err)
{
    int here = loopback_local_port(w->loopback);
    int there = target->port != 0 ? target->port : here;
    char host[256] = "";

    if (!target->loopback)
        return 0;
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        snprintf(host, sizeof host, "HOST");
    return sign_in_say(err,
                       "Is the browser on another computer? Run this there first:\n\n"
                       "    ssh -L %d:localhost:%d %s\n\n"
                       "or end this (Ctrl-C) and sign in with --paste.\n",
                       there, here, host);
}

static int
show_address(struct wait *w, const struct redirect_target *target, struct err *err)
{
    const struct sign_in *s = w->s;
    struct secret url = SECRET_INIT;
    struct err e = ERR_INIT;
    int r = grant_code_url(&w->grant, s->account, s->endpoints.authorization,
                           secret_str(&s->scope), &url, err);

    if (r == 0 && s->may_start_browser &&
        browser_open(secret_str(&url), &w->browser, &e) != 0)
        sign_in_tell(s, e.text);
    if (r == 0)
        r = sign_in_say(err, "Sign in as %s: %s\n\n%s\n\n", s->account->login_hint,
                        w->browser > 0
                            ? "a browser is being opened. Its address, if none comes:"
                            : "open this address in a browser:",
                        secret_str(&url));
    if (r == 0 && w->browser <= 0)
        r = say_tunnel(w, target, err);
    secret_clear(&url);
    return r;
}

/* --- waiting ---------------------------------------------------------------------------
 */

static int
wait_for_browser(struct wait *w, struct err *err)
{
    struct deadline deadline = deadline_in(SIGN_IN_MS);

    while (!w->done) {
        int left = deadline_left(&deadline), next = loopback_timeout(w->loopback);
        struct err e = ERR_INIT;

        if (left == 0 && http_active(w->http) == 0)
            break;
        if (next < 0 || next > TICK_MS)
            next = TICK_MS;
        http_poll(w->http, loopback_fd(w->loopback),
                  left > 0 && left < next ? left : next);
        loopback_step(w->loopback);
        if (w->outcome.code != ERR_NONE && !w->done)
            finish(w); /* the exchange could not even begin */
        if (browser_failed(&w->browser, &e))
            sign_in_tell(w->s, e.text);
    }
    if (w->done) {
        loopback_flush(w->loopback);
        *err = w->outcome;
        return w->outcome.code;
    }
    if (w->refused.code != ERR_NONE) {
        *err = w->refused;
        return w->refused.code;
    }
    err_set(err, ERR_PERSON, "nobody signed in within %d minutes", SIGN_IN_MS / 60000);
    err_hint(err, "begin again: mailbearer login %s", w->s->account->name);
    return ERR_PERSON;
}

int
sign_in_browser(struct sign_in *s, const struct sign_in_listen *listen, struct err *err)
{
    struct wait w = {.s = s, .grant = GRANT_CODE_INIT};
    struct redirect_target target;
    int r;

    if (s->endpoints.authorization == NULL)
        return sign_in_no_endpoint(s, "authorization_endpoint", err);
    if ((r = redirect_target_parse(redirect_uri(s), &target, err)) == 0 &&
        (r = http_open(&w.http, err)) == 0 &&
        (r = open_listener(&w, listen, &target, err)) == 0 &&
        (r = begin_grant(&w, &target, err)) == 0 &&
        (r = show_address(&w, &target, err)) == 0)
        r = wait_for_browser(&w, err);
    http_close(&w.http);
    loopback_close(&w.loopback);
    grant_code_clear(&w.grant);
    secret_clear(&w.code);
    return r;
}
