/* grant.c - see patient.h: a token, as every program gets it. */
#include <string.h>
#include <unistd.h>

#include "../base/wallclock.h"
#include "../client/agent_client.h"
#include "../oauth/acquire.h"
#include "patient.h"

#define GRANT_MS 20000
#define REST_MS 15000 /* for the sign-ins */

/* --- from the agent --------------------------------------------------------------------
 */

static int
ask(const struct patient *p, const char *map, const char *key, const struct deadline *d,
    struct secret *reply, struct err *err)
{
    struct agent_query query = {
        .map = map, .key = key, .where = p->where, .deadline_ms = deadline_left(d)};

    return agent_client_ask(&query, reply, err);
}

/* When the token ends is in the status. */
static void
ask_expiry(struct patient *p, const struct deadline *d)
{
    struct secret status = SECRET_INIT;
    struct json *json = NULL;

    if (ask(p, "status", PATIENT_NAME(p), d, &status, NULL) == 0 &&
        json_parse(secret_str(&status), status.len, &json, NULL) == 0)
        json_get_integer(json, "expires_at", &p->expires_at);
    json_free(&json);
    secret_clear(&status);
}

static int
fresh_from_agent(struct patient *p, const struct secret *refused,
                 const struct deadline *d, struct secret *fresh_r, struct err *err)
{
    struct secret key = SECRET_INIT, nothing = SECRET_INIT;
    int r = ERR_NOMEM;

    if (secret_append(&key, refused->data, refused->len) != 0 ||
        secret_append_char(&key, ' ') != 0 ||
        secret_append_str(&key, PATIENT_NAME(p)) != 0)
        err_set(err, ERR_NOMEM, "out of memory");
    else if ((r = ask(p, "rejected", secret_str(&key), d, &nothing, err)) == 0)
        r = ask(p, "token", PATIENT_NAME(p), d, fresh_r, err);
    secret_clear(&key);
    secret_clear(&nothing);
    return r;
}

/* --- from the store --------------------------------------------------------------------
 */

static int
from_store(struct patient *p, const struct secret *refused, const struct deadline *d,
           struct secret *token_r, struct err *err)
{
    /* by hand: a person may just have mended what failed before */
    struct acquire_want want = {.may_lose_memory = true,
                                .due_is_stale = true,
                                .ignore_failure = true,
                                .not_this = refused};
    struct acquire acquire;
    int r;

    acquire_init(&acquire, p->account);
    want.mended_at = accounts_changed_at(p->context.accounts);
    r = acquire_token(&acquire, &p->context.store, &want, d, err);
    if (r == 0 && secret_set(token_r, acquire.record.access_token.data,
                             acquire.record.access_token.len) != 0)
        r = err_set(err, ERR_NOMEM, "out of memory");
    if (r == 0) {
        p->expires_at = acquire.record.expires_at;
        if (acquire.trouble.code != ERR_NONE)
            report_warning(p->report, &acquire.trouble);
    }
    acquire_clear(&acquire);
    return r;
}

int
grant_fresh(struct patient *p, const struct secret *refused, const struct deadline *d,
            struct secret *fresh_r, struct err *err)
{
    if (p->served)
        return fresh_from_agent(p, refused, d, fresh_r, err);
    return from_store(p, refused, d, fresh_r, err);
}

/* --- the finding -----------------------------------------------------------------------
 */

static void
tell_token(struct patient *p)
{
    const char *from = p->served ? "the agent" : "the store and the provider";
    int64_t left = p->expires_at - wallclock_now();
    char span[PATIENT_SPAN_MAX];

    if (patient_has_password(p))
        report_ok(p->report, "an app password, from %s; no token is used",
                  p->served ? "the agent" : "its file");
    else if (p->expires_at > 0)
        report_ok(p->report, "a token, from %s; it lives for another %s", from,
                  patient_span(left, span));
    else
        report_ok(p->report, "a token, from %s", from);
}

void
grant_check(struct patient *p)
{
    struct deadline d = deadline_in(patient_share(p, GRANT_MS, REST_MS));
    struct err err = ERR_INIT;
    int r;

    report_check(p->report, "grant");
    if (!p->served && !p->store_open) {
        report_note(p->report, "no token can be had: no agent serves the account, and "
                               "the store is not open");
        return;
    }
    if (p->served)
        r = ask(p, "token", PATIENT_NAME(p), &d, &p->token, &err);
    else
        r = from_store(p, NULL, &d, &p->token, &err);
    if (r != 0) {
        report_failure(p->report, &err);
        return;
    }
    if (p->served)
        ask_expiry(p, &d);
    tell_token(p);
}
