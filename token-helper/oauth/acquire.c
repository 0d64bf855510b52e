/* acquire.c - see acquire.h. */
#include "acquire.h"

#include <unistd.h>
#include <sys/random.h>

#include "../base/wallclock.h"
#include "reply.h"
#include "request.h"
#include "secret_source.h"

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
    secret_clear(&a->client_secret);
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
is_mended(const struct acquire *a, const struct acquire_want *want)
{
    const struct failure *f = &a->record.failure;

    return !err_is_temporary(f->err.code) &&
           (f->at <= want->mended_at || f->at <= secret_source_changed_at(a->account));
}

/* Too early after a failure? A person who asks by hand may ask again at once, unless the
 * server told us to wait. */
static bool
is_blocked(const struct acquire *a, const struct acquire_want *want, int64_t now)
{
    const struct failure *f = &a->record.failure;
    bool by_hand = want->ignore_failure && !err_is_temporary(f->err.code) &&
                   now - f->at >= TOKEN_JUST_FETCHED;

    return failure_blocks(f, now) && !by_hand && !is_mended(a, want);
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

int
acquire_begin(struct acquire *a, const struct store *store,
              const struct acquire_want *want, const struct deadline *deadline,
              int64_t now, bool *request_r, struct err *err)
{
    int r;

    *request_r = false;
    if ((r = read_record(a, store, want, err)) != 0)
        return r;
    if (want->look_only || (!a->unsaved && is_enough(a, want, now)))
        return 0;
    if ((r = store_lock(store, a->account->name, deadline, &a->lock, err)) != 0)
        return r;
    now = wallclock_now(); /* the lock may have been waited for */
    if ((r = read_record(a, store, want, err)) != 0)
        goto out;
    if (a->unsaved)
        write_record(a, store); /* perhaps there is room by now */
    if (is_enough(a, want, now))
        goto out;
    if (is_blocked(a, want, now)) {
        *err = a->record.failure.err;
        r = err->code;
        goto out;
    }
    if ((r = request_possible(a->account, &a->record, err)) != 0 ||
        (r = reserve(a, store, want, err)) != 0)
        goto out;
    if ((r = secret_source_read(a->account, &a->client_secret, err)) != 0) {
        /* A file is cheap to look at again; a command that fails is not run in a loop. */
        if (err_is_temporary(r))
            note_failure(a, err, now, 0);
        goto out;
    }
    *request_r = true;
    return 0;
out:
    store_unlock(&a->lock);
    return r;
}

int
acquire_request(struct acquire *a, struct http_request *request_r, struct err *err)
{
    int r = request_token(a->account, &a->record, &a->client_secret, request_r, err);

    if (r == 0)
        request_r->deadline_ms = ACQUIRE_HTTP_MS;
    return r;
}

int
acquire_reply(struct acquire *a, const struct http_reply *reply, const struct err *failed,
              int64_t now, struct err *err)
{
    struct err e = ERR_INIT;
    int64_t retry_after = 0;
    int r;

    if (reply != NULL) {
        struct reply_input in = {.account = a->account,
                                 .status = reply->status,
                                 .body = secret_str(&reply->body),
                                 .len = reply->body.len,
                                 .now = now,
                                 .sent = {&a->client_secret, &a->record.refresh_token}};

        retry_after = reply->retry_after;
        r = reply_token(&in, &a->record, &e);
    } else {
        e = *failed;
        r = e.code;
    }
    secret_clear(&a->client_secret);
    if (r != 0) {
        if (e.hint[0] == '\0')
            err_hint(&e, "it is tried again; if it stays, check whether a proxy or a "
                         "portal answers in the token endpoint's place");
        note_failure(a, &e, now, retry_after);
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
acquire_ask(struct acquire *a, const struct deadline *deadline, struct err *err)
{
    struct http_request request = {0};
    struct http_reply reply = {.body = SECRET_INIT};
    struct err failed = ERR_INIT;
    int left = deadline_left(deadline), r;

    if ((r = acquire_request(a, &request, err)) != 0)
        return r;
    if (left < request.deadline_ms)
        request.deadline_ms =
            left > 1 ? left : 1; /* 0 would mean no deadline to libcurl */
    r = http_do(&request, &reply, &failed);
    r = acquire_reply(a, r == 0 ? &reply : NULL, &failed, wallclock_now(), err);
    secret_clear(&reply.body);
    return r;
}

int
acquire_token(struct acquire *a, const struct store *store,
              const struct acquire_want *want, const struct deadline *deadline,
              struct err *err)
{
    bool request = false;
    int r = acquire_begin(a, store, want, deadline, wallclock_now(), &request, err);

    if (r == 0 && request) {
        r = acquire_ask(a, deadline, err);
        /* nothing was asked when nobody has signed in: then there is nothing to note */
        if (r == 0 || a->record.failure.err.code != ERR_NONE)
            acquire_save(a, store);
        store_unlock(&a->lock);
    }
    if (r != 0 && want->not_this == NULL && want->newer_than == 0 &&
        token_last_resort(&a->record, a->account, wallclock_now())) {
        a->trouble = *err;
        r = 0;
    }
    return r;
}
