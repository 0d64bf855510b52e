/* cmd_logout.c - `mailbearer logout`: revokes where the provider can, forgets the tokens.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "../accounts/context.h"
#include "../accounts/store_remove.h"
#include "../base/complain.h"
#include "../base/wallclock.h"
#include "../client/deadline.h"
#include "../oauth/revocation.h"
#include "../oauth/store_key.h"
#include "commands.h"
#include "find_endpoints.h"

#define LOCK_WAIT_MS 30000

static const char help_text[] =
    "usage: mailbearer [-c FILE] logout ACCOUNT\n"
    "\n"
    "Ends the sign-in of ACCOUNT: its refresh token is revoked where the provider\n"
    "can do that, and its tokens are removed from the store in any case. A running\n"
    "agent stops serving them at once. An access token that a program has already\n"
    "is good until it ends by itself.\n";

enum revoked {
    REVOKED_NOTHING, /* there was no refresh token */
    REVOKED,
    REVOKED_CANNOT, /* the provider has no endpoint for it */
};

static int
ask(const struct account *account, const struct endpoints *endpoints,
    const struct secret *token, struct err *err)
{
    struct credential credential = CREDENTIAL_INIT;
    struct http_request request = {.url = NULL};
    struct http_reply reply = {.body = SECRET_INIT};
    int64_t now = wallclock_now();
    int r;

    if ((r = credential_read(account, now, &credential, err)) != 0 ||
        (r = revocation_request(account, endpoints->revocation, endpoints->token, token,
                                &credential, now, &request, err)) != 0)
        goto out;
    request.deadline_ms = SIGN_IN_HTTP_MS;
    if ((r = http_do(&request, &reply, err)) == 0) {
        struct reply_input in = {
            .account = account,
            .status = reply.status,
            .body = secret_str(&reply.body),
            .len = reply.body.len,
            .now = now,
            .sent = {&credential.secret, token, &credential.assertion}};

        r = revocation_read(&in, err);
    }
out:
    secret_clear(&reply.body);
    credential_clear(&credential);
    return r;
}

static int
revoke(const struct store *store, const struct account *account, enum revoked *what_r,
       struct err *err)
{
    struct endpoints endpoints = {NULL, NULL, NULL, NULL};
    struct record record = RECORD_INIT;
    bool openid;
    int r;

    *what_r = REVOKED_NOTHING;
    if ((r = store_read(store, account->name, &record, NULL, err)) != 0 ||
        record.refresh_token.len == 0)
        goto out;
    *what_r = REVOKED_CANNOT;
    if ((r = find_endpoints(account, &endpoints, &openid, err)) == 0 &&
        endpoints.revocation != NULL) {
        *what_r = REVOKED;
        r = ask(account, &endpoints, &record.refresh_token, err);
    }
out:
    endpoints_clear(&endpoints);
    record_clear(&record);
    return r;
}

/* Under the lock from the reading to the end: a refresh in between would bring a token
 * that nobody revokes. */
static int
revoke_and_forget(const struct store *store, const struct account *account,
                  enum revoked *what_r, bool *there_r, struct err *revoke_err,
                  struct err *err)
{
    struct deadline deadline = deadline_in(LOCK_WAIT_MS);
    struct store_lock lock = {.fd = -1};
    int r = store_lock(store, account->name, &deadline, &lock, err);

    if (r == 0) {
        revoke(store, account, what_r, revoke_err);
        r = store_remove(store, account->name, there_r, err);
    }
    store_unlock(&lock);
    return r;
}

static void
report(const struct account *account, enum revoked what, bool there)
{
    const char *name = account->name;

    if (!there) {
        printf("%s: there were no tokens.\n", name);
        return;
    }
    if (what == REVOKED)
        printf("%s: the sign-in is revoked, the tokens are forgotten.\n", name);
    else
        printf("%s: the tokens are forgotten.\n", name);
    if (what != REVOKED_CANNOT)
        return;
    if (account->provider.is_microsoft)
        printf("Microsoft has nothing to revoke one sign-in with. To end all sessions of "
               "%s:\nEntra > Users > %s > Revoke sessions, or\n"
               "Revoke-MgUserSignInSession -UserId %s\n",
               account->login_hint, account->login_hint, account->login_hint);
    else
        printf("The provider has no revocation endpoint: the sign-in itself is ended in "
               "the\nperson's account settings there.\n");
}

/* The tokens are gone from here; elsewhere the sign-in may still be good. */
static int
complain_not_revoked(const struct account *account, const struct err *why)
{
    struct err err = ERR_INIT;

    err_set(&err, why->code,
            "the tokens are forgotten, but the sign-in is not revoked: %s", why->text);
    err_hint(&err, "end it in the account settings of %.120s at the provider",
             account->login_hint);
    return complain(account->name, &err);
}

static int
logout(const struct store *store, const struct account *account)
{
    struct err err = ERR_INIT, revoke_err = ERR_INIT;
    enum revoked what = REVOKED_NOTHING;
    bool there = false;

    if (revoke_and_forget(store, account, &what, &there, &revoke_err, &err) != 0)
        return complain(account->name, &err);
    if (revoke_err.code != ERR_NONE && there)
        return complain_not_revoked(account, &revoke_err);
    report(account, what, there);
    return EX_OK;
}

int
cmd_logout(const char *config, int argc, char **argv)
{
    bool help =
        argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    const struct account *account = NULL;
    struct context context = CONTEXT_INIT;
    struct store_key *key = NULL;
    struct err err = ERR_INIT, no_key = ERR_INIT;
    int status;

    if (help || argc != 2 || argv[1][0] == '-') {
        fputs(help_text, help ? stdout : stderr);
        return !help ? EX_USAGE : fflush(stdout) == 0 ? EX_OK : EX_IOERR;
    }
    context.config = config;
    if (context_accounts(&context, &err) != 0 ||
        context_account(&context, argv[1], &account, &err) != 0 ||
        context_store(&context, &err) != 0) {
        status = complain(argv[1], &err);
    } else {
        /* Without the key the record cannot be read, but it can be forgotten. */
        store_key_use(context.accounts, &context.store, &key, &no_key);
        status = logout(&context.store, account);
    }
    store_key_free(&key);
    context_close(&context);
    return fflush(stdout) == 0 ? status : EX_IOERR;
}
