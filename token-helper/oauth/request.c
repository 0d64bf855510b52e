/* request.c - see request.h. */
#include "request.h"

#include <string.h>

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

/* Who asks: the client id, and the secret where the account has one (RFC 6749 2.3.1). */
static int
add_client(const struct account *account, const struct secret *client_secret,
           struct http_request *q)
{
    int r;

    if (client_secret->len > 0 && account->provider.client_auth == CLIENT_AUTH_BASIC) {
        if ((r = percent_encode(&q->user, account->client_id,
                                strlen(account->client_id))) != 0)
            return r;
        return percent_encode(&q->password, client_secret->data, client_secret->len);
    }
    if ((r = form_add_str(&q->body, "client_id", account->client_id)) != 0 ||
        client_secret->len == 0)
        return r;
    return form_add(&q->body, "client_secret", client_secret->data, client_secret->len);
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
    if (account->grant == GRANT_CLIENT_CREDENTIALS || record->refresh_token.len > 0)
        return 0;
    err_set(err, ERR_PERSON, "nobody has signed in for this account yet");
    err_hint(err, "run: mailbearer import refresh-token FILE %s", account->name);
    return ERR_PERSON;
}

int
request_token(const struct account *account, const struct record *record,
              const struct secret *client_secret, struct http_request *request_r,
              struct err *err)
{
    struct http_request q = {.url = account->provider.token_endpoint,
                             .proxy = account->proxy,
                             .ca_file = account->ca_file};
    int r = request_possible(account, record, err);

    if (r != 0)
        return r;
    if (add_grant(account, record, &q.body) != 0 ||
        add_client(account, client_secret, &q) != 0 ||
        (account->scope != NULL && form_add_str(&q.body, "scope", account->scope) != 0)) {
        http_request_clear(&q);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    *request_r = q;
    return 0;
}
