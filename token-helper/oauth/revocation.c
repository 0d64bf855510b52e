/* revocation.c - see revocation.h. */
#include "revocation.h"

#include <string.h>

#include "../base/json.h"
#include "request.h"

int
revocation_request(const struct account *account, const char *endpoint,
                   const char *token_endpoint, const struct secret *refresh_token,
                   const struct credential *credential, int64_t now,
                   struct http_request *request_r, struct err *err)
{
    static const char hint[] = "refresh_token";
    struct http_request q = {
        .url = endpoint, .proxy = account->proxy, .ca_file = account->ca_file};
    int r = 0;

    if (form_add(&q.body, "token", refresh_token->data, refresh_token->len) != 0 ||
        form_add(&q.body, "token_type_hint", hint, sizeof hint - 1) != 0)
        r = err_set(err, ERR_NOMEM, "out of memory");
    if (r == 0)
        r = request_add_client(account, credential, token_endpoint, now, &q, err);
    if (r != 0)
        http_request_clear(&q);
    else
        *request_r = q;
    return r;
}

int
revocation_read(const struct reply_input *in, struct err *err)
{
    struct record none = RECORD_INIT;
    struct json *json = NULL;
    const char *error;
    bool gone;
    int r;

    /* RFC 7009 2.2: success has no content that counts */
    if (in->status == 200 || in->status == 204)
        return 0;
    if (json_parse(in->body, in->len, &json, NULL) == ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "out of memory");
    error = json != NULL ? json_get_string(json, "error") : NULL;
    /* 2.2 wants 200 for a token that is not known; Google answers so */
    gone = error != NULL &&
           (strcmp(error, "invalid_token") == 0 || strcmp(error, "invalid_grant") == 0);
    json_free(&json);
    if (gone)
        return 0;
    r = reply_token(in, &none, err);
    record_clear(&none);
    return r != 0 ? r : err_set(err, ERR_PROTOCOL, "the token was not revoked");
}
