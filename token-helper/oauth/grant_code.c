/* grant_code.c - see grant_code.h. */
#include "grant_code.h"

#include <string.h>

#include "crypto.h"
#include "request.h"

#define STATE_BYTES 32

static int
nomem(struct err *err)
{
    return err_set(err, ERR_NOMEM, "out of memory");
}

void
grant_code_clear(struct grant_code *grant)
{
    secret_clear(&grant->state);
    secret_clear(&grant->verifier);
    secret_clear(&grant->redirect_uri);
}

int
grant_code_begin(const char *redirect_uri, struct grant_code *grant, struct err *err)
{
    int r;

    grant_code_clear(grant);
    if ((r = crypto_random_text(STATE_BYTES, &grant->state, err)) != 0 ||
        (r = crypto_pkce_verifier(&grant->verifier, err)) != 0)
        return r;
    return secret_append_str(&grant->redirect_uri, redirect_uri) == 0 ? 0 : nomem(err);
}

/* --- scope -----------------------------------------------------------------------------
 */

static bool
has_word(const char *list, const char *word, size_t len)
{
    while (*list != '\0') {
        size_t n = strcspn(list, " ");

        if (n == len && memcmp(list, word, n) == 0)
            return true;
        list += n;
        list += strspn(list, " ");
    }
    return false;
}

static int
add_word(struct secret *list, const char *word, size_t len)
{
    int r = 0;

    if (len == 0 || has_word(secret_str(list), word, len))
        return 0;
    if (list->len > 0)
        r = secret_append_char(list, ' ');
    return r != 0 ? r : secret_append(list, word, len);
}

static bool
is_google(const struct account *account)
{
    return account->provider.name != NULL &&
           strcmp(account->provider.name, "google") == 0;
}

static const char *
more_scope(const struct account *account, bool openid)
{
    if (account->provider.is_microsoft)
        return "openid profile offline_access";
    if (is_google(account))
        return "openid email"; /* it refuses offline_access; access_type stands for it */
    return openid ? "openid profile email" : "";
}

int
grant_scope(const struct account *account, bool openid, struct secret *scope_r,
            struct err *err)
{
    const char *lists[] = {account->scope != NULL ? account->scope : "",
                           more_scope(account, openid)};

    secret_reset(scope_r);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (const char *s = lists[i]; *s != '\0';) {
            size_t n = strcspn(s, " ");

            if (add_word(scope_r, s, n) != 0)
                return nomem(err);
            s += n;
            s += strspn(s, " ");
        }
    return 0;
}

/* --- the address to open ---------------------------------------------------------------
 */

static int
add(struct secret *form, const char *name, const char *value)
{
    return form_add(form, name, value, strlen(value));
}

static int
add_challenge(const struct grant_code *grant, struct secret *form, struct err *err)
{
    struct secret challenge = SECRET_INIT;
    int r = crypto_pkce_challenge(&grant->verifier, &challenge, err);

    if (r == 0 && (add(form, "code_challenge", secret_str(&challenge)) != 0 ||
                   add(form, "code_challenge_method", "S256") != 0))
        r = nomem(err);
    secret_clear(&challenge);
    return r;
}

static int
compose_query(const struct grant_code *grant, const struct account *account,
              const char *scope, struct secret *form, struct err *err)
{
    const char *extra = account->provider.authorize_extra;
    int r;

    if (add(form, "client_id", account->client_id) != 0 ||
        add(form, "response_type", "code") != 0 ||
        add(form, "redirect_uri", secret_str(&grant->redirect_uri)) != 0 ||
        (account->provider.is_microsoft && add(form, "response_mode", "query") != 0) ||
        (scope[0] != '\0' && add(form, "scope", scope) != 0) ||
        add(form, "state", secret_str(&grant->state)) != 0)
        return nomem(err);
    if ((r = add_challenge(grant, form, err)) != 0)
        return r;
    if (account->login_hint != NULL && add(form, "login_hint", account->login_hint) != 0)
        return nomem(err);
    if (extra != NULL &&
        (secret_append_char(form, '&') != 0 || secret_append_str(form, extra) != 0))
        return nomem(err);
    return 0;
}

int
grant_code_url(const struct grant_code *grant, const struct account *account,
               const char *endpoint, const char *scope, struct secret *url_r,
               struct err *err)
{
    struct secret form = SECRET_INIT, url = SECRET_INIT;
    int r = compose_query(grant, account, scope, &form, err);

    if (r == 0 &&
        (secret_append_str(&url, endpoint) != 0 ||
         secret_append_char(&url, strchr(endpoint, '?') != NULL ? '&' : '?') != 0 ||
         secret_append(&url, form.data, form.len) != 0))
        r = nomem(err);
    if (r == 0)
        secret_move(url_r, &url);
    secret_clear(&form);
    secret_clear(&url);
    return r;
}

/* --- the answer ------------------------------------------------------------------------
 */

enum grant_code_verdict
grant_code_judge(const struct grant_code *grant, const struct redirect *redirect)
{
    if (redirect->code.len == 0 && redirect->error.len == 0)
        return GRANT_CODE_EMPTY;
    if (grant->state.len == 0 || !secret_equal(&grant->state, &redirect->state))
        return GRANT_CODE_WRONG_STATE;
    return redirect->code.len > 0 ? GRANT_CODE_GOOD : GRANT_CODE_REFUSED;
}

int
grant_code_request(const struct grant_code *grant, const struct account *account,
                   const char *endpoint, const char *scope, const struct secret *code,
                   const struct credential *credential, int64_t now,
                   struct http_request *request_r, struct err *err)
{
    struct http_request q = {
        .url = endpoint, .proxy = account->proxy, .ca_file = account->ca_file};
    int r = 0;

    if (add(&q.body, "grant_type", "authorization_code") != 0 ||
        form_add(&q.body, "code", code->data, code->len) != 0 ||
        add(&q.body, "redirect_uri", secret_str(&grant->redirect_uri)) != 0 ||
        form_add(&q.body, "code_verifier", grant->verifier.data, grant->verifier.len) !=
            0 ||
        /* not in RFC 6749; Entra takes the resource and the id_token from it */
        (account->provider.is_microsoft && add(&q.body, "scope", scope) != 0))
        r = nomem(err);
    if (r == 0)
        r = request_add_client(account, credential, endpoint, now, &q, err);
    if (r != 0)
        http_request_clear(&q);
    else
        *request_r = q;
    return r;
}
