/* sign_in.c - see sign_in.h. */
#include "sign_in.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/json.h"
#include "../base/wallclock.h"
#include "../oauth/browser.h"
#include "../oauth/reply.h"
#include "find_endpoints.h"
#include "store_sign_in.h"

void
sign_in_clear(struct sign_in *s)
{
    endpoints_clear(&s->endpoints);
    credential_clear(&s->credential);
    secret_clear(&s->scope);
    record_clear(&s->record);
    identity_clear(&s->identity);
}

int
sign_in_begin(struct sign_in *s, const struct account *account, const struct store *store,
              struct err *err)
{
    bool openid = false;
    int r;

    s->account = account;
    s->store = store;
    s->terminal = isatty(STDIN_FILENO) == 1;
    if ((r = store_sign_in_possible(store, account->name, err)) != 0 ||
        (r = credential_read(account, wallclock_now(), &s->credential, err)) != 0 ||
        (r = find_endpoints(account, &s->endpoints, &openid, err)) != 0)
        return r;
    return grant_scope(account, openid, &s->scope, err);
}

int
sign_in_no_endpoint(const struct sign_in *s, const char *key, struct err *err)
{
    err_set(err, ERR_CONFIG, "provider `%s` has no %s", s->account->provider.name, key);
    err_hint(err, "give it in the provider section, or choose another way: "
                  "mailbearer login --help");
    return ERR_CONFIG;
}

/* --- what is said ----------------------------------------------------------------------
 */

int
sign_in_say(struct err *err, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vprintf(format, args);
    va_end(args);
    if (n >= 0 && fflush(stdout) == 0)
        return 0;
    return err_set(err, ERR_STORE, "cannot write to standard output");
}

void
sign_in_tell(const struct sign_in *s, const char *text)
{
    struct err line = ERR_INIT;

    err_set(&line, ERR_TEMP, "%s", text);
    fprintf(stderr, "mailbearer: %s: %s\n", s->account->name, line.text);
}

/* --- the outcome -----------------------------------------------------------------------
 */

/* Somebody who has several accounts in the browser easily takes the wrong one; mail would
 * then be sent and read as that one. */
static int
check_person(const struct sign_in *s, struct err *err)
{
    const char *hint = s->account->login_hint;

    if (hint == NULL || identity_is(&s->identity, hint))
        return 0;
    err_set(err, ERR_PERSON,
            "%.120s signed in, but this account is for %.120s: refused, nothing was "
            "stored",
            identity_name(&s->identity), hint);
    err_hint(err,
             "sign in as %.120s (use a private window if the browser does not ask), or "
             "set login_hint = \"%.120s\" in the account",
             hint, identity_name(&s->identity));
    return ERR_PERSON;
}

static int
take_identity(struct sign_in *s, const struct secret *body, struct err *err)
{
    struct json *json = NULL;
    const char *token;
    int r = json_parse(secret_str(body), body->len, &json, err);

    token = r == 0 ? json_get_string(json, "id_token") : NULL;
    if (token != NULL && token[0] != '\0') {
        r = id_token_read(token, s->account->client_id, &s->identity, err);
        if (r == 0)
            r = check_person(s, err);
    }
    json_free(&json);
    return r;
}

int
sign_in_complete(struct sign_in *s, const struct secret *body, struct err *err)
{
    int r = take_identity(s, body, err);

    if (r == 0 && s->record.refresh_token.len == 0) {
        r = err_set(err, ERR_PERSON,
                    "the provider gave no refresh token: the sign-in would end with "
                    "the hour, so nothing was stored");
        err_hint(err, "let the application have offline access: `offline_access` in "
                      "`scope`, or what the provider has in its place");
    }
    if (r == 0)
        r = store_sign_in(s->store, s->account->name, &s->record, err);
    return r;
}

int
sign_in_take(struct sign_in *s, const struct http_reply *reply, const struct err *failed,
             const struct secret *code, struct err *err)
{
    struct reply_input in = {.account = s->account, .now = wallclock_now()};
    int r;

    if (reply == NULL) {
        *err = *failed;
        return err->code;
    }
    in.status = reply->status;
    in.body = secret_str(&reply->body);
    in.len = reply->body.len;
    in.sent[0] = &s->credential.secret;
    in.sent[1] = code;
    in.sent[2] = &s->credential.assertion;
    record_clear(&s->record);
    if ((r = reply_token(&in, &s->record, err)) == 0)
        r = sign_in_complete(s, &reply->body, err);
    return r;
}
