/* expiry.c - see expiry.h. */
#include "expiry.h"

#include <stdlib.h>
#include <string.h>

#include "../base/log.h"
#include "../base/wallclock.h"
#include "../client/deadline.h"
#include "../oauth/certificate.h"
#include "trouble.h"

#define DAY INT64_C(86400)

/* An account that has a certificate, or a secret whose end is known. */
struct watched {
    char *account;
    char *certificate;           /* path; NULL: none */
    int64_t certificate_expires; /* 0: not read yet, or it cannot be read */
    int64_t secret_expires;      /* 0: not known */
    struct expiry_mark certificate_mark, secret_mark;
};

/* Reads the certificates; what it reads is its own copy, since the accounts may change
 * meanwhile. */
struct reading {
    struct job job; /* first */
    struct expiry *expiry;
    size_t count;
    struct {
        char *path;
        int64_t expires;
    } file[];
};

struct expiry {
    struct worker *worker;
    struct hooks *hooks;
    struct watched *watched; /* sorted by account */
    size_t count;
    bool reading;
    int64_t next_ms; /* monotonic; when to look again */
};

static void
watched_free(struct watched *watched, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(watched[i].account);
        free(watched[i].certificate);
    }
    free(watched);
}

static int
compare_watched(const void *name, const void *watched)
{
    return strcmp(name, ((const struct watched *)watched)->account);
}

static struct watched *
find(const struct expiry *expiry, const char *account)
{
    return expiry->count == 0 ? NULL
                              : bsearch(account, expiry->watched, expiry->count,
                                        sizeof *expiry->watched, compare_watched);
}

int64_t
expiry_certificate(const struct expiry *expiry, const char *account)
{
    const struct watched *w = expiry != NULL ? find(expiry, account) : NULL;

    return w != NULL ? w->certificate_expires : 0;
}

/* --- warnings
 * --------------------------------------------------------------------------- */

static void
warn(const struct expiry *expiry, const struct watched *w, const char *what, int64_t date,
     const char *remedy, int64_t now)
{
    struct hook_call call = {.event = HOOK_EXPIRY, .account = w->account};
    char day[WALLCLOCK_TEXT_MAX], line[ERR_LINE_MAX];
    struct err err = ERR_INIT;
    long long left = (long long)((date - now) / DAY);

    wallclock_text(date, day);
    if (date <= now)
        err_set(&err, ERR_PERSON, "%s has expired (%.10s)", what, day);
    else if (left < 1)
        err_set(&err, ERR_PERSON, "%s expires within a day (%.10s)", what, day);
    else
        err_set(&err, ERR_PERSON, "%s expires in %lld day%s (%.10s)", what, left,
                left == 1 ? "" : "s", day);
    err_hint(&err, "%s", remedy);
    log_warning("%s: %s", w->account, err_line(&err, line));
    call.err = &err;
    hooks_report(expiry->hooks, &call);
}

static void
look(struct expiry *expiry)
{
    int64_t now = wallclock_now();

    for (size_t i = 0; i < expiry->count; i++) {
        struct watched *w = &expiry->watched[i];

        if (expiry_is_news(&w->certificate_mark, w->certificate_expires, now))
            warn(expiry, w, "the client certificate", w->certificate_expires,
                 "make a new pair, register the certificate with the application, and "
                 "put both in place of the old ones",
                 now);
        if (expiry_is_news(&w->secret_mark, w->secret_expires, now))
            warn(expiry, w, "the client secret", w->secret_expires,
                 "make a new secret for the application, put it in place of the old "
                 "one, and set secret_expires to its end",
                 now);
    }
}

/* --- reading the certificates
 * ----------------------------------------------------------- */

static void
reading_free(struct reading *reading)
{
    for (size_t i = 0; i < reading->count; i++)
        free(reading->file[i].path);
    free(reading);
}

/* On the worker's thread. A file that cannot be read is the refresh's to complain about.
 */
static void
read_work(struct job *job)
{
    struct reading *reading = (struct reading *)job;

    for (size_t i = 0; i < reading->count; i++) {
        struct crypto_validity validity;
        struct err err = ERR_INIT;

        if (certificate_validity(reading->file[i].path, &validity, &err) == 0)
            reading->file[i].expires = validity.not_after;
    }
}

static void
read_done(struct job *job)
{
    struct reading *reading = (struct reading *)job;
    struct expiry *expiry = reading->expiry;
    size_t n = 0;

    /* Both are in the same order, but accounts may have come or gone. */
    for (size_t i = 0; i < expiry->count; i++) {
        struct watched *w = &expiry->watched[i];

        for (size_t k = 0; w->certificate != NULL && k < reading->count; k++) {
            size_t at = (n + k) % reading->count;

            if (strcmp(reading->file[at].path, w->certificate) == 0) {
                w->certificate_expires = reading->file[at].expires;
                n = at;
                break;
            }
        }
    }
    expiry->reading = false;
    reading_free(reading);
    look(expiry);
}

/* 0, ERR_NOMEM. */
static int
start_reading(struct expiry *expiry, size_t certificates)
{
    struct reading *reading =
        calloc(1, sizeof *reading + certificates * sizeof reading->file[0]);

    if (reading == NULL)
        return ERR_NOMEM;
    reading->expiry = expiry;
    for (size_t i = 0; i < expiry->count; i++) {
        const char *path = expiry->watched[i].certificate;

        if (path == NULL)
            continue;
        if ((reading->file[reading->count].path = strdup(path)) == NULL) {
            reading_free(reading);
            return ERR_NOMEM;
        }
        reading->count++;
    }
    reading->job.work = read_work;
    reading->job.done = read_done;
    worker_submit(expiry->worker, &reading->job);
    expiry->reading = true;
    return 0;
}

void
expiry_tick(struct expiry *expiry)
{
    int64_t now_ms = deadline_now();
    size_t certificates = 0;

    if (now_ms < expiry->next_ms || expiry->reading)
        return;
    expiry->next_ms = now_ms + EXPIRY_LOOK_MS;
    for (size_t i = 0; i < expiry->count; i++)
        certificates += expiry->watched[i].certificate != NULL;
    if (certificates == 0 || start_reading(expiry, certificates) != 0)
        look(expiry);
}

/* --- which
 * ------------------------------------------------------------------------------ */

/* Fills in `w`, with what is known of the account already. */
static int
watch(const struct expiry *expiry, const struct account *account, struct watched *w)
{
    const struct watched *old = find(expiry, account->name);

    w->secret_expires = account->secret_expires;
    if ((w->account = strdup(account->name)) == NULL)
        return ERR_NOMEM;
    if (account->client_certificate != NULL &&
        (w->certificate = strdup(account->client_certificate)) == NULL) {
        free(w->account);
        return ERR_NOMEM;
    }
    if (old == NULL)
        return 0;
    w->certificate_mark = old->certificate_mark;
    w->secret_mark = old->secret_mark;
    if (w->certificate != NULL && old->certificate != NULL &&
        strcmp(w->certificate, old->certificate) == 0)
        w->certificate_expires = old->certificate_expires;
    return 0;
}

int
expiry_set_accounts(struct expiry *expiry, const struct accounts *accounts,
                    struct err *err)
{
    struct watched *list = calloc(accounts->count + 1, sizeof *list);
    size_t count = 0;

    for (size_t i = 0; list != NULL && i < accounts->count; i++) {
        const struct account *a = &accounts->account[i];

        if (a->client_certificate == NULL && a->secret_expires == 0)
            continue;
        if (watch(expiry, a, &list[count]) != 0) {
            watched_free(list, count);
            list = NULL;
        } else {
            count++;
        }
    }
    if (list == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    watched_free(expiry->watched, expiry->count);
    expiry->watched = list;
    expiry->count = count;
    expiry->next_ms = 0;
    return 0;
}

int
expiry_new(struct worker *worker, struct hooks *hooks, struct expiry **expiry_r,
           struct err *err)
{
    struct expiry *expiry = calloc(1, sizeof *expiry);

    if (expiry == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    expiry->worker = worker;
    expiry->hooks = hooks;
    *expiry_r = expiry;
    return 0;
}

void
expiry_free(struct expiry **expiry)
{
    if (*expiry == NULL)
        return;
    watched_free((*expiry)->watched, (*expiry)->count);
    free(*expiry);
    *expiry = NULL;
}
