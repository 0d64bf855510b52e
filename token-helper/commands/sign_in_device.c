/* sign_in_device.c - see sign_in.h: a code is typed in on another device (RFC 8628). */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/wallclock.h"
#include "../client/deadline.h"
#include "../oauth/grant_device.h"
#include "find_endpoints.h"
#include "sign_in.h"

#define TICK_MS 1000
#define LINE_EVERY_MS 60000 /* where standard error is no terminal */

/* The time that is left, told while it passes. */
struct progress {
    bool terminal;
    bool shown;      /* a line without its end stands there */
    int64_t next_ms; /* of the next line, without a terminal */
};

static void
show_progress(struct progress *p, const struct grant_device *d, const char *account,
              int64_t now_ms)
{
    int left = d->expires_ms > now_ms ? (int)((d->expires_ms - now_ms) / 1000) : 0;

    if (p->terminal) {
        fprintf(stderr, "\rWaiting for the sign-in, %2d:%02d left ", left / 60,
                left % 60);
        p->shown = true;
    } else if (now_ms >= p->next_ms) {
        fprintf(stderr, "mailbearer: %s: waiting for the sign-in, %d:%02d left\n",
                account, left / 60, left % 60);
        p->next_ms = now_ms + LINE_EVERY_MS;
    }
}

static void
end_progress(struct progress *p)
{
    if (p->shown)
        fputc('\n', stderr);
    p->shown = false;
}

static struct reply_input
reply_of(const struct sign_in *s, const struct http_reply *reply,
         const struct secret *device_code)
{
    return (struct reply_input){
        .account = s->account,
        .status = reply->status,
        .body = secret_str(&reply->body),
        .len = reply->body.len,
        .now = wallclock_now(),
        .sent = {&s->credential.secret, device_code, &s->credential.assertion}};
}

static int
get_code(struct sign_in *s, struct grant_device *device_r, struct err *err)
{
    struct http_request request = {.url = NULL};
    struct http_reply reply = {.body = SECRET_INIT};
    struct reply_input in;
    int r = grant_device_begin_request(s->account, s->endpoints.device_authorization,
                                       s->endpoints.token, secret_str(&s->scope),
                                       &s->credential, wallclock_now(), &request, err);

    if (r != 0)
        return r;
    request.deadline_ms = SIGN_IN_HTTP_MS;
    if ((r = http_do(&request, &reply, err)) != 0)
        return r;
    in = reply_of(s, &reply, NULL);
    r = grant_device_begin(&in, deadline_now(), device_r, err);
    s->other_way = r == ERR_PERSON || r == ERR_PROTOCOL;
    secret_clear(&reply.body);
    return r;
}

static int
show_code(const struct sign_in *s, const struct grant_device *d, struct err *err)
{
    int r = sign_in_say(err,
                        "Sign in as %s: open this address on any device\n\n    %s\n\n"
                        "and type the code\n\n    %s\n\n",
                        s->account->login_hint, d->address, d->user_code);

    if (r == 0 && d->address_with_code[0] != '\0')
        r = sign_in_say(err, "or open this one, which holds the code:\n\n    %s\n\n",
                        d->address_with_code);
    return r;
}

/* Asks once. 0 with *again_r as grant_device_poll(). */
static int
ask(struct sign_in *s, struct grant_device *d, bool *again_r, struct err *err)
{
    struct http_request request = {.url = NULL};
    struct http_reply reply = {.body = SECRET_INIT};
    struct err failed = ERR_INIT;
    struct reply_input in;
    int r = grant_device_poll_request(d, s->account, s->endpoints.token, &s->credential,
                                      wallclock_now(), &request, err);

    *again_r = false;
    if (r != 0)
        return r;
    request.deadline_ms = SIGN_IN_HTTP_MS;
    if (http_do(&request, &reply, &failed) != 0)
        return grant_device_poll(d, NULL, &failed, 0, deadline_now(), again_r, &s->record,
                                 err);
    in = reply_of(s, &reply, &d->device_code);
    r = grant_device_poll(d, &in, NULL, reply.retry_after, deadline_now(), again_r,
                          &s->record, err);
    if (r == 0 && !*again_r)
        r = sign_in_complete(s, &reply.body, err);
    secret_clear(&reply.body);
    return r;
}

/* A trouble that lasts is told once. */
static void
tell_trouble(const struct sign_in *s, const struct grant_device *d, struct progress *p,
             bool *told)
{
    char text[ERR_TEXT_MAX + 64];

    if (d->trouble.code == ERR_NONE) {
        *told = false;
        return;
    }
    if (*told)
        return;
    *told = true;
    end_progress(p);
    snprintf(text, sizeof text, "%s; the provider is asked again", d->trouble.text);
    sign_in_tell(s, text);
}

static int
wait_for_person(struct sign_in *s, struct grant_device *d, struct err *err)
{
    struct progress progress = {.terminal = isatty(STDERR_FILENO) == 1};
    bool again = true, told = false;
    int r = 0;

    while (r == 0 && again) {
        int64_t now_ms = deadline_now(), wait = grant_device_wait(d, now_ms);

        if (wait < 0) {
            r = grant_device_expired(s->account, err);
            break;
        }
        show_progress(&progress, d, s->account->name, now_ms);
        if (wait > 0) {
            poll(NULL, 0, wait < TICK_MS ? (int)wait : TICK_MS);
            continue;
        }
        r = ask(s, d, &again, err);
        tell_trouble(s, d, &progress, &told);
    }
    end_progress(&progress);
    s->other_way = d->other_way;
    return r;
}

int
sign_in_device(struct sign_in *s, struct err *err)
{
    struct grant_device device = {.device_code = SECRET_INIT};
    int r;

    if (s->endpoints.device_authorization == NULL) {
        s->other_way = true;
        return sign_in_no_endpoint(s, "device_authorization_endpoint", err);
    }
    if ((r = get_code(s, &device, err)) == 0 && (r = show_code(s, &device, err)) == 0)
        r = wait_for_person(s, &device, err);
    grant_device_clear(&device);
    return r;
}
