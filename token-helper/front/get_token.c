/* get_token.c - see get_token.h. */
#include "get_token.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <sys/stat.h>

#include "../accounts/context.h"
#include "../accounts/freshness.h"
#include "../accounts/store_upkeep.h"
#include "../base/complain.h"
#include "../base/file.h"
#include "../base/json.h"
#include "../base/wallclock.h"
#include "../client/deadline.h"

static int
print(const struct wanted *w, const char *user, const struct secret *token,
      int64_t expires_at, struct err *err)
{
    struct secret out = SECRET_INIT;
    int r = token_format(w->format, w->account, user, token, expires_at, &out, err);

    if (r == 0 && (r = file_write_fd(STDOUT_FILENO, "standard output", out.data, out.len,
                                     err)) != 0)
        err_hint(err, "look where standard output goes: the token was not delivered");
    secret_clear(&out);
    return r;
}

/* --- from the agent
 * --------------------------------------------------------------------- */

static int
ask(int where, const char *map, const char *key, const struct deadline *dl,
    struct secret *reply, struct err *err)
{
    struct agent_query query = {
        .map = map, .key = key, .where = where, .deadline_ms = deadline_left(dl)};

    return agent_client_ask(&query, reply, err);
}

/* Tells the agent that the present token is no good, and takes the next one. */
static int
ask_refresh(int where, const struct wanted *w, const struct deadline *dl,
            struct secret *token, struct err *err)
{
    struct secret key = SECRET_INIT, nothing = SECRET_INIT;
    int r = ERR_NOMEM;

    if (secret_append(&key, token->data, token->len) != 0 ||
        secret_append_char(&key, ' ') != 0 || secret_append_str(&key, w->account) != 0)
        err_set(err, ERR_NOMEM, "out of memory");
    else if ((r = ask(where, "rejected", secret_str(&key), dl, &nothing, err)) == 0)
        r = ask(where, "token", w->account, dl, token, err);
    secret_clear(&key);
    secret_clear(&nothing);
    return r;
}

/* Token, then status, then the token again: the expiry printed is this token's. */
static int
print_with_status(int where, const struct wanted *w, const struct deadline *dl,
                  struct secret *token, struct err *err)
{
    struct secret status = SECRET_INIT, again = SECRET_INIT;
    struct json *json = NULL;
    const char *user;
    int64_t expires_at = 0;
    int r;

    do {
        json_free(&json);
        if (again.len > 0)
            secret_move(token, &again);
        if ((r = ask(where, "status", w->account, dl, &status, err)) != 0 ||
            (r = json_parse(secret_str(&status), status.len, &json, err)) != 0 ||
            (r = ask(where, "token", w->account, dl, &again, err)) != 0)
            break;
    } while (!secret_equal(token, &again));
    if (r == 0) {
        user = json_get_string(json, "user");
        json_get_integer(json, "expires_at", &expires_at);
        r = print(w, user != NULL ? user : w->account, token, expires_at, err);
    }
    json_free(&json);
    secret_clear(&status);
    secret_clear(&again);
    return r;
}

static int
from_agent(int where, const struct wanted *w, const struct deadline *dl, struct err *err)
{
    struct secret token = SECRET_INIT;
    int r = ask(where, "token", w->account, dl, &token, err);

    if (r == 0 && w->refresh)
        r = ask_refresh(where, w, dl, &token, err);
    if (r == 0) {
        if (w->format == TOKEN_RAW || w->format == TOKEN_HEADER)
            r = print(w, NULL, &token, 0, err);
        else
            r = print_with_status(where, w, dl, &token, err);
    }
    secret_clear(&token);
    return r;
}

/* --- from the store
 * ---------------------------------------------------------------------- */

enum found { FOUND_PRINTED, FOUND_STALE, FOUND_NO_ACCOUNT, FOUND_FAILED };

/* As root, a state directory of somebody else's is a matter for mailbearer-oauth: it
 * reads the accounts file again, which its owner may not be able to do. */
static bool
must_change_user(const struct context *context)
{
    struct stat st;

    return geteuid() == 0 &&
           (stat(context_state_directory(context), &st) != 0 || st.st_uid != 0);
}

static enum found
from_store(const struct front *front, const struct wanted *w, struct err *err)
{
    struct context context = CONTEXT_INIT;
    struct record record = RECORD_INIT;
    const struct account *account;
    enum found found = FOUND_FAILED;
    enum store_form form;

    context.config = front->config;
    if (context_accounts(&context, err) != 0)
        goto out;
    if (context_account(&context, w->account, &account, err) != 0) {
        found = FOUND_NO_ACCOUNT;
        goto out;
    }
    found = FOUND_STALE;
    if (w->refresh || must_change_user(&context))
        goto out;
    found = FOUND_FAILED;
    if (context_store(&context, err) != 0) {
        /* somebody else's store: its agent would have to answer */
        if (err->code == ERR_DENIED) {
            err->code = ERR_NOAGENT;
            err_hint(err, "start the agent: mailbearer agent (mailbearer-agent(8))");
        }
        goto out;
    }
    if (store_read(&context.store, account->name, &record, NULL, err) != 0) {
        /* no cryptography in this program */
        if (store_form(&context.store, account->name, &form, NULL) == 0 &&
            form == STORE_SEALED)
            found = FOUND_STALE;
        goto out;
    }
    if (token_freshness(&record, account, wallclock_now()) != TOKEN_FRESH)
        found = FOUND_STALE;
    else if (print(w, account->user, &record.access_token, record.expires_at, err) == 0)
        found = FOUND_PRINTED;
out:
    record_clear(&record);
    context_close(&context);
    return found;
}

/* Its arguments are made anew: this program may have been called with another command's.
 */
static int
run_oauth_token(const struct front *front, const struct wanted *w)
{
    static char c[] = "-c", token[] = "token", format[] = "--format",
                refresh[] = "--refresh", end[] = "--";
    char *config = front->config != NULL ? strdup(front->config) : NULL;
    char *account = strdup(w->account), *name = strdup(token_format_name(w->format));
    char *argv[] = {front->argv[0], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL};
    struct front changed = {front->config, argv};
    struct err err = ERR_INIT;
    int n = 1, status;

    if (account == NULL || name == NULL || (front->config != NULL && config == NULL)) {
        err_set(&err, ERR_NOMEM, "out of memory");
        status = complain(w->account, &err);
        goto out;
    }
    if (config != NULL) {
        argv[n++] = c;
        argv[n++] = config;
    }
    argv[n++] = token;
    argv[n++] = format;
    argv[n++] = name;
    if (w->refresh)
        argv[n++] = refresh;
    argv[n++] = end;
    argv[n] = account;
    status = run_oauth(&changed);
out:
    free(config);
    free(account);
    free(name);
    return status;
}

int
get_token(const struct front *front, const struct wanted *w)
{
    struct deadline dl = deadline_in(FRONT_DEADLINE_MS);
    struct err err = ERR_INIT;
    int where, r;

    where = front_agents(front->config);
    r = from_agent(where, w, &dl, &err);
    if ((r == ERR_NOAGENT || r == ERR_NOACCOUNT) && front_has_config(front->config)) {
        switch (from_store(front, w, &err)) {
        case FOUND_PRINTED:
            return EX_OK;
        case FOUND_STALE:
            return run_oauth_token(front, w);
        case FOUND_FAILED:
            return complain(w->account, &err);
        case FOUND_NO_ACCOUNT:
            r = ERR_NOACCOUNT;
            break;
        }
    }
    /* not in the user's own file: the system's agent may know it */
    if ((r == ERR_NOAGENT || r == ERR_NOACCOUNT) && where == AGENT_USER) {
        int own = r;
        struct err system = ERR_INIT;

        r = from_agent(AGENT_SYSTEM, w, &dl, &system);
        if (r != ERR_NOAGENT || own != ERR_NOACCOUNT)
            err = system;
        else
            r = own;
    }
    return r == 0 ? EX_OK : complain(w->account, &err);
}
