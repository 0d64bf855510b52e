/* acquire.c - see acquire.h. */
#include "acquire.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>
#include <sys/random.h>

#include "../base/file.h"
#include "../base/reserve.h"
#include "../base/wallclock.h"
#include "managed_identity.h"
#include "reply.h"
#include "request.h"

#define APP_PASSWORD_LIFE 60 /* seconds */

void
acquire_init(struct acquire *a, const struct account *account)
{
    *a = (struct acquire){.account = account, .lock = {.fd = -1}};
}

void
acquire_clear(struct acquire *a)
{
    store_unlock(&a->lock);
    record_clear(&a->record);
    credential_clear(&a->credential);
    endpoints_clear(&a->endpoints);
    secret_clear(&a->proof);
    secret_clear(&a->url);
}

/* Does the record, as it is, give the caller what it wants? */
static bool
is_enough(const struct acquire *a, const struct acquire_want *want, int64_t now)
{
    enum freshness f = token_freshness(&a->record, a->account, now);

    if (f == TOKEN_STALE || (f == TOKEN_DUE && want->due_is_stale))
        return false;
    if (want->not_this != NULL && secret_equal(want->not_this, &a->record.access_token))
        return false;
    return a->record.obtained_at >= want->newer_than;
}

/* Has somebody changed what the failure may have come from? */
static bool
is_mended(const struct acquire *a, const struct acquire_want *want, int64_t now)
{
    const struct failure *f = &a->record.failure;

    return !err_is_temporary(f->err.code) &&
           (f->at <= want->mended_at || credential_changed_since(a->account, f->at, now));
}

/* Too early after a failure? A person who asks by hand may ask again at once, unless the
 * server told us to wait. */
static bool
is_blocked(const struct acquire *a, const struct acquire_want *want, int64_t now)
{
    const struct failure *f = &a->record.failure;
    bool by_hand = want->ignore_failure && !err_is_temporary(f->err.code) &&
                   now - f->at >= TOKEN_JUST_FETCHED;

    return failure_blocks(f, now) && !by_hand && !is_mended(a, want, now);
}

/* The store's record, or memory's where that is the better one (struct acquire_want). */
static int
read_record(struct acquire *a, const struct store *store, const struct acquire_want *want,
            struct err *err)
{
    struct err e = ERR_INIT;
    int r;

    record_clear(&a->record);
    r = store_read(store, a->account->name, &a->record, &a->stamp, &e);
    if (want->memory == NULL || want->memory->obtained_at == 0) {
        if (r != 0)
            *err = e;
        return r;
    }
    a->unreadable = r != 0;
    if (r != 0)
        a->trouble = e;
    else if (!want->memory_newer || !store_stamp_equal(&a->stamp, want->memory_stamp))
        return 0;
    a->unsaved = true;
    record_clear(&a->record);
    return record_copy(&a->record, want->memory, err);
}

/* Makes sure that what is about to be obtained can be kept. */
static int
reserve(struct acquire *a, const struct store *store, const struct acquire_want *want,
        struct err *err)
{
    struct err e = ERR_INIT;

    if (store_reserve(store, a->account->name, &e) == 0)
        return 0;
    a->trouble = e;
    if (!want->may_lose_memory || a->record.refresh_token.len == 0)
        return 0; /* the token will be served from memory */
    *err = e;
    err_hint(err, "nothing was asked: a rotated refresh token could not have been kept; "
                  "make room in, or give access to, the state directory");
    return ERR_STORE;
}

static int
write_record(struct acquire *a, const struct store *store)
{
    struct err e = ERR_INIT;
    int r;

    if (a->unreadable)
        return ERR_STORE; /* a->trouble has it */
    r = store_write(store, a->account->name, &a->record, &a->stamp, &e);
    if (r == ERR_NOMEM && reserve_release())
        r = store_write(store, a->account->name, &a->record, &a->stamp, &e);
    a->unsaved = r != 0;
    if (r != 0)
        a->trouble = e;
    return r;
}

static void
note_failure(struct acquire *a, const struct err *why, int64_t now, int64_t retry_after)
{
    unsigned random = 0;

    if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
        random = (unsigned)getpid();
    failure_note(&a->record.failure, why, now, retry_after, random);
}

/* A password that mail programs use as it is. Read again after a short while, so that a
 * new one is noticed; its "life" has no other meaning. */
static int
read_app_password(struct acquire *a, int64_t now, struct err *err)
{
    struct secret password = SECRET_INIT;
    int r = file_read_secret_line(a->account->app_password_file, "app password",
                                  &password, err);

    if (r != 0 && err != NULL && err->hint[0] == '\0')
        err_hint(err,
                 "put the password there, on one line; uid %lu must be able to read it",
                 (unsigned long)geteuid());
    record_clear(&a->record);
    if (r == 0 && account_fingerprint(a->account, &a->record.fingerprint) != 0)
        r = err_set(err, ERR_NOMEM, "out of memory");
    if (r == 0) {
        secret_move(&a->record.access_token, &password);
        a->record.obtained_at = now;
        a->record.expires_at = now + APP_PASSWORD_LIFE;
    }
    secret_clear(&password);
    return r;
}

int
acquire_begin(struct acquire *a, const struct store *store,
              const struct acquire_want *want, const struct deadline *deadline,
              int64_t now, bool *request_r, struct err *err)
{
    int r;

    *request_r = false;
    if (a->account->grant == GRANT_APP_PASSWORD)
        return read_app_password(a, now, err);
    if ((r = read_record(a, store, want, err)) != 0)
        return r;
    if (!a->unsaved && (want->look_only || is_enough(a, want, now)))
        return 0;
    if ((r = store_lock(store, a->account->name, deadline, &a->lock, err)) != 0) {
        a->busy = r == ERR_TIMEOUT;
        return r;
    }
    now = wallclock_now(); /* the lock may have been waited for */
    if ((r = read_record(a, store, want, err)) != 0)
        goto out;
    if (a->unsaved)
        write_record(a, store); /* perhaps there is room by now */
    if (want->look_only || is_enough(a, want, now))
        goto out;
    if (is_blocked(a, want, now)) {
        *err = a->record.failure.err;
        r = err->code;
        goto out;
    }
    if ((r = request_possible(a->account, &a->record, err)) != 0)
        goto out;
    if ((r = credential_read(a->account, now, &a->credential, err)) != 0) {
        /* A file is cheap to look at again; a command that fails is not run in a loop. */
        if (err_is_temporary(r)) {
            note_failure(a, err, now, 0);
            write_record(a, store); /* for those who wait for the lock as well */
        }
        goto out;
    }
    if ((r = reserve(a, store, want, err)) != 0)
        goto out;
    /* with an issuer the token endpoint may still have to be discovered */
    a->step =
        a->account->provider.token_endpoint == NULL && a->account->provider.issuer != NULL
            ? ACQUIRE_METADATA_OPENID
            : ACQUIRE_TOKEN;
    a->http = deadline_in(ACQUIRE_HTTP_MS);
    *request_r = true;
    return 0;
out:
    store_unlock(&a->lock);
    return r;
}

static int
metadata_request(struct acquire *a, struct http_request *request_r, struct err *err)
{
    enum discovery_kind kind =
        a->step == ACQUIRE_METADATA_OPENID ? DISCOVERY_OPENID : DISCOVERY_RFC8414;
    int r = discovery_url(a->account->provider.issuer, kind, &a->url, err);

    if (r == 0)
        *request_r = (struct http_request){.url = secret_str(&a->url),
                                           .proxy = a->account->proxy,
                                           .ca_file = a->account->ca_file};
    return r;
}

int
acquire_request(struct acquire *a, struct http_request *request_r, struct err *err)
{
    const char *endpoint = a->account->provider.token_endpoint;
    int left = deadline_left(&a->http), r;

    if (left == 0)
        return err_set(err, ERR_TIMEOUT, "no time left for the token request");
    if (reserve_hold() != 0)
        return err_set(err, ERR_NOMEM, "no memory for the answer, so nothing is asked");
    if (endpoint == NULL)
        endpoint = a->endpoints.token;
    if (a->step != ACQUIRE_TOKEN)
        r = metadata_request(a, request_r, err);
    else if (a->account->grant == GRANT_MANAGED_IDENTITY)
        r = managed_identity_request(a->account, &a->proof, &a->url, request_r, err);
    else
        r = request_token(a->account, endpoint, &a->record, &a->credential,
                          wallclock_now(), request_r, err);
    if (r == 0)
        request_r->deadline_ms = left;
    return r;
}

static int
take_metadata(struct acquire *a, const struct http_reply *reply, bool *more_r,
              struct err *err)
{
    int r;

    *more_r = true;
    if (a->step == ACQUIRE_METADATA_OPENID && reply->status == 404) {
        a->step = ACQUIRE_METADATA_OAUTH;
        return 0;
    }
    a->step = ACQUIRE_TOKEN;
    r = discovery_read(a->account->provider.issuer, reply->status, &reply->body,
                       &a->endpoints, err);
    *more_r = r == 0;
    return r;
}

static int
take_token(struct acquire *a, const struct http_reply *reply, int64_t now, bool *more_r,
           struct err *err)
{
    struct reply_input in = {.account = a->account,
                             .status = reply->status,
                             .body = secret_str(&reply->body),
                             .len = reply->body.len,
                             .now = now,
                             .sent = {&a->credential.secret, &a->record.refresh_token,
                                      &a->credential.assertion}};
    int r = ERR_PROTOCOL;

    if (a->account->grant == GRANT_MANAGED_IDENTITY && a->proof.len == 0)
        r = managed_identity_challenge(reply, &a->proof, err);
    if (r == 0)
        *more_r = true;
    return r == ERR_PROTOCOL ? reply_token(&in, &a->record, err) : r;
}

int
acquire_reply(struct acquire *a, const struct http_reply *reply, const struct err *failed,
              int64_t now, bool *more_r, struct err *err)
{
    struct err e = ERR_INIT;
    int r;

    *more_r = false;
    if (reply == NULL) {
        e = *failed;
        r = e.code;
    } else if (a->step != ACQUIRE_TOKEN) {
        r = take_metadata(a, reply, more_r, &e);
    } else {
        r = take_token(a, reply, now, more_r, &e);
        if (r == ERR_NOMEM && reserve_release()) {
            e = (struct err)ERR_INIT;
            r = take_token(a, reply, now, more_r, &e);
        }
    }
    if (*more_r)
        return 0;
    credential_clear(&a->credential);
    if (r != 0) {
        if (e.hint[0] == '\0')
            err_hint(&e, "it is tried again; if it stays, check whether a proxy or a "
                         "portal answers in the token endpoint's place");
        note_failure(a, &e, now, reply != NULL ? reply->retry_after : 0);
        if (err != NULL)
            *err = e;
    }
    return r;
}

int
acquire_save(struct acquire *a, const struct store *store)
{
    int r = write_record(a, store);

    store_unlock(&a->lock);
    return r;
}

static int
ask_once(struct acquire *a, bool *more_r, struct err *err)
{
    struct http_request request = {0};
    struct http_reply reply = {.body = SECRET_INIT};
    struct err failed = ERR_INIT;
    int r;

    *more_r = false;
    if ((r = acquire_request(a, &request, err)) != 0)
        return r;
    r = http_do(&request, &reply, &failed);
    r = acquire_reply(a, r == 0 ? &reply : NULL, &failed, wallclock_now(), more_r, err);
    secret_clear(&reply.body);
    return r;
}

static int
ask(struct acquire *a, const struct deadline *deadline, struct err *err)
{
    bool more;
    int r;

    if (deadline_left(deadline) < deadline_left(&a->http))
        a->http = *deadline;
    do {
        r = ask_once(a, &more, err);
    } while (r == 0 && more);
    return r;
}

/* The metadata services want to be asked again (404, 410, 429, 5xx while they start): in
 * this process, since there is no agent that will. */
static int
ask_patiently(struct acquire *a, const struct deadline *deadline, struct err *err)
{
    int r = ask(a, deadline, err);

    for (int pause_ms = 1000; a->account->grant == GRANT_MANAGED_IDENTITY &&
                              err_is_temporary(r) && deadline_left(deadline) > pause_ms;
         pause_ms *= 2) {
        poll(NULL, 0, pause_ms);
        a->http = deadline_in(ACQUIRE_HTTP_MS);
        secret_clear(&a->proof);
        r = ask(a, deadline, err);
    }
    return r;
}

int
acquire_token(struct acquire *a, const struct store *store,
              const struct acquire_want *want, const struct deadline *deadline,
              struct err *err)
{
    sigset_t ends, before;
    bool request = false;
    int r = acquire_begin(a, store, want, deadline, wallclock_now(), &request, err);

    if (r == 0 && request) {
        /* Ctrl-C here would lose a refresh token that the server has just rotated. */
        sigemptyset(&ends);
        for (size_t i = 0; a->record.refresh_token.len > 0 && i < 3; i++)
            sigaddset(&ends, (int[]){SIGINT, SIGTERM, SIGHUP}[i]);
        pthread_sigmask(SIG_BLOCK, &ends, &before);
        r = ask_patiently(a, deadline, err);
        /* nothing was asked when nobody has signed in: then there is nothing to note */
        if (r == 0 || a->record.failure.err.code != ERR_NONE)
            acquire_save(a, store);
        store_unlock(&a->lock);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    if (r != 0 && want->not_this == NULL && want->newer_than == 0 &&
        token_last_resort(&a->record, a->account, wallclock_now())) {
        a->trouble = *err;
        r = 0;
    }
    return r;
}
