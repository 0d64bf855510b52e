/* status_report.c - see status_report.h. */
#include "status_report.h"

#include "../base/json.h"
#include "freshness.h"

enum account_state
status_state(const struct account *account, const struct record *record, int64_t now)
{
    const struct failure *f = &record->failure;
    enum freshness fresh = token_freshness(record, account, now);

    if (account->grant == GRANT_AUTHORIZATION_CODE && record->refresh_token.len == 0 &&
        fresh == TOKEN_STALE)
        return STATE_SIGNED_OUT;
    if (f->err.code != ERR_NONE)
        return err_is_temporary(f->err.code) ? STATE_FAILING : STATE_ACTION;
    return fresh == TOKEN_STALE ? STATE_IDLE : STATE_OK;
}

const char *
status_state_name(enum account_state state)
{
    static const char *const names[] = {[STATE_OK] = "ok",
                                        [STATE_IDLE] = "idle",
                                        [STATE_FAILING] = "failing",
                                        [STATE_ACTION] = "needs-action",
                                        [STATE_SIGNED_OUT] = "signed-out"};

    return names[state];
}

static int
put_time(struct json *json, const char *key, int64_t when)
{
    return when > 0 ? json_put_integer(json, key, when) : 0;
}

static int
put_failure(struct json *json, const struct failure *f)
{
    struct json *e;

    if (f->err.code == ERR_NONE)
        return 0;
    if ((e = json_new()) == NULL ||
        json_put_string(e, "class",
                        err_is_temporary(f->err.code) ? "temporary" : "action") != 0 ||
        json_put_string(e, "text", f->err.text) != 0 ||
        json_put_string(e, "hint", f->err.hint) != 0 || put_time(e, "at", f->at) != 0 ||
        put_time(e, "retry_at", f->retry_at) != 0 ||
        json_put_integer(e, "count", f->count) != 0) {
        json_free(&e);
        return ERR_NOMEM;
    }
    return json_put_object(json, "error", &e);
}

static int
put_account(struct json *json, const struct account *account,
            const struct status_extra *extra)
{
    int r;

    if ((r = json_put_string(json, "account", account->name)) != 0 ||
        (r = json_put_string(json, "user", account->user)) != 0 ||
        (r = json_put_string(json, "provider", account->provider.name)) != 0 ||
        (r = json_put_string(json, "grant", grant_name(account->grant))) != 0)
        return r;
    if ((r = put_time(json, "secret_expires", account->secret_expires)) != 0)
        return r;
    return put_time(json, "certificate_expires", extra->certificate_expires);
}

static int
put_record(struct json *json, const struct account *account, const struct record *record)
{
    int64_t used = record->refresh_token_at;
    int r;

    if (record->access_token.len > 0 &&
        ((r = put_time(json, "obtained_at", record->obtained_at)) != 0 ||
         (r = put_time(json, "expires_at", record->expires_at)) != 0 ||
         (r = put_time(json, "refresh_at", record->refresh_at)) != 0 ||
         (r = json_put_string(json, "scope", record->scope)) != 0))
        return r;
    if ((r = json_put_bool(json, "refresh_token", record->refresh_token.len > 0)) != 0)
        return r;
    if ((r = put_time(json, "refresh_token_at", used)) != 0 || used <= 0 ||
        record->refresh_token.len == 0 || !account->provider.is_microsoft)
        return r;
    return put_time(json, "refresh_token_expires", used + STATUS_UNUSED_S);
}

int
status_json(const struct account *account, const struct record *record,
            const struct status_extra *extra, int64_t now, struct secret *out,
            struct err *err)
{
    struct json *json = json_new();
    enum account_state state = status_state(account, record, now);
    const struct failure *failure = &record->failure;
    int r = 0;

    /* what keeps tokens from coming is told first: it also keeps the server from asking
     */
    if (failure->err.code == ERR_NONE && extra->refusal != NULL) {
        failure = extra->refusal;
        state = STATE_ACTION;
    }
    if (json == NULL || put_account(json, account, extra) != 0 ||
        json_put_string(json, "state", status_state_name(state)) != 0 ||
        put_record(json, account, record) != 0 ||
        json_put_bool(json, "unsaved", extra->unsaved) != 0 ||
        put_failure(json, failure) != 0 || json_write(json, false, out) != 0)
        r = err_set(err, ERR_NOMEM, "out of memory");
    json_free(&json);
    return r;
}
