/* request.c - see request.h. */
#include "request.h"

#include <string.h>

#include "assertion.h"

static bool
is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

int
percent_encode(struct secret *out, const char *value, size_t len)
{
    static const char hex[] = "0123456789ABCDEF";
    int r = 0;

    for (size_t i = 0; i < len && r == 0; i++) {
        unsigned char c = (unsigned char)value[i];
        char code[3] = {'%', hex[c >> 4], hex[c & 15]};

        r = is_unreserved(c) ? secret_append_char(out, value[i])
                             : secret_append(out, code, sizeof code);
    }
    return r;
}

int
form_add(struct secret *form, const char *name, const char *value, size_t len)
{
    int r;

    if (form->len > 0 && (r = secret_append_char(form, '&')) != 0)
        return r;
    if ((r = percent_encode(form, name, strlen(name))) != 0 ||
        (r = secret_append_char(form, '=')) != 0)
        return r;
    return percent_encode(form, value, len);
}

static int
form_add_str(struct secret *form, const char *name, const char *value)
{
    return form_add(form, name, value, strlen(value));
}

static int
add_assertion(const struct secret *assertion, struct secret *form)
{
    int r = form_add_str(form, "client_assertion_type", ASSERTION_TYPE);

    return r != 0 ? r
                  : form_add(form, "client_assertion", assertion->data, assertion->len);
}

/* A fresh one each time: it names the endpoint, and is good once. */
static int
add_signed(const struct account *account, const struct credential *credential,
           const char *endpoint, int64_t now, struct secret *form, struct err *err)
{
    struct assertion about = {
        .audience = endpoint,
        .client_id = account->client_id,
        .alg = account->assertion_alg == ASSERTION_RS256 ? CRYPTO_RS256 : CRYPTO_PS256,
        .now = now};
    struct secret jwt = SECRET_INIT;
    int r = assertion_make(&about, credential->identity, &jwt, err);

    if (r == 0 && add_assertion(&jwt, form) != 0)
        r = err_set(err, ERR_NOMEM, "out of memory");
    secret_clear(&jwt);
    return r;
}

static int
add_secret(const struct account *account, const struct secret *secret,
           struct http_request *q)
{
    int r;

    if (account->provider.client_auth != CLIENT_AUTH_BASIC)
        return form_add(&q->body, "client_secret", secret->data, secret->len);
    if ((r = percent_encode(&q->user, account->client_id, strlen(account->client_id))) !=
        0)
        return r;
    return percent_encode(&q->password, secret->data, secret->len);
}

int
request_add_client(const struct account *account, const struct credential *credential,
                   const char *endpoint, int64_t now, struct http_request *request,
                   struct err *err)
{
    bool basic =
        credential->secret.len > 0 && account->provider.client_auth == CLIENT_AUTH_BASIC;
    int r = 0;

    if (!basic)
        r = form_add_str(&request->body, "client_id", account->client_id);
    if (r == 0 && credential->identity != NULL)
        return add_signed(account, credential, endpoint, now, &request->body, err);
    if (r == 0 && credential->assertion.len > 0)
        r = add_assertion(&credential->assertion, &request->body);
    if (r == 0 && credential->secret.len > 0)
        r = add_secret(account, &credential->secret, request);
    return r == 0 ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

static int
add_grant(const struct account *account, const struct record *record, struct secret *form)
{
    int r;

    if (account->grant == GRANT_CLIENT_CREDENTIALS)
        return form_add_str(form, "grant_type", "client_credentials");
    if ((r = form_add_str(form, "grant_type", "refresh_token")) != 0)
        return r;
    return form_add(form, "refresh_token", record->refresh_token.data,
                    record->refresh_token.len);
}

int
request_possible(const struct account *account, const struct record *record,
                 struct err *err)
{
    if (account->grant != GRANT_AUTHORIZATION_CODE || record->refresh_token.len > 0)
        return 0;
    err_set(err, ERR_PERSON, "nobody has signed in for this account yet");
    err_hint(err, "run: mailbearer login %s", account->name);
    return ERR_PERSON;
}

/* Entra sends the next refresh token only where this is in the scope; a scope of the
 * user's own may lack it, and then the sign-in would end with the first one's life. */
static int
add_scope(const struct account *account, struct secret *form)
{
    static const char offline[] = "offline_access";
    int r = form_add_str(form, "scope", account->scope);

    if (r != 0 || !account->provider.is_microsoft ||
        account->grant != GRANT_AUTHORIZATION_CODE ||
        strstr(account->scope, offline) != NULL)
        return r;
    if ((r = secret_append_str(form, "%20")) != 0)
        return r;
    return secret_append_str(form, offline);
}

int
request_token(const struct account *account, const char *endpoint,
              const struct record *record, const struct credential *credential,
              int64_t now, struct http_request *request_r, struct err *err)
{
    struct http_request q = {
        .url = endpoint, .proxy = account->proxy, .ca_file = account->ca_file};
    int r = request_possible(account, record, err);

    if (r != 0)
        return r;
    if (add_grant(account, record, &q.body) != 0)
        r = err_set(err, ERR_NOMEM, "out of memory");
    if (r == 0)
        r = request_add_client(account, credential, endpoint, now, &q, err);
    if (r == 0 && add_scope(account, &q.body) != 0)
        r = err_set(err, ERR_NOMEM, "out of memory");
    if (r != 0)
        http_request_clear(&q);
    else
        *request_r = q;
    return r;
}
