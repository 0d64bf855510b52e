/* assertion.c - see assertion.h. */
#include "assertion.h"

#include "../base/json.h"

/* Appends the object, base64url. */
static int
append_part(const struct json *json, struct secret *jwt)
{
    struct secret text = SECRET_INIT;
    int r = json_write(json, false, &text);

    if (r == 0)
        r = crypto_base64url(text.data, text.len, jwt);
    secret_clear(&text);
    return r;
}

/* What json_*() and secret_*() answer, as an error. */
static int
refuse(int code, struct err *err)
{
    if (code == ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "out of memory");
    return err_set(err, ERR_CONFIG,
                   "the client assertion cannot be made: the client id or the token "
                   "endpoint is not UTF-8, or too long");
}

static int
append_header(const struct assertion *a, const struct crypto_identity *identity,
              struct secret *jwt, struct err *err)
{
    bool old = a->alg == CRYPTO_RS256;
    struct secret thumbprint = SECRET_INIT;
    struct json *json = NULL;
    int r = crypto_identity_thumbprint(identity, a->alg, &thumbprint, err);

    if (r != 0)
        goto out;
    r = ERR_NOMEM;
    json = json_new();
    if (json == NULL ||
        (r = json_put_string(json, "alg", old ? "RS256" : "PS256")) != 0 ||
        (r = json_put_string(json, "typ", "JWT")) != 0 ||
        (r = json_put_string(json, old ? "x5t" : "x5t#S256", secret_str(&thumbprint))) !=
            0 ||
        (r = append_part(json, jwt)) != 0)
        r = refuse(r, err);
out:
    json_free(&json);
    secret_clear(&thumbprint);
    return r;
}

static int
append_claims(const struct assertion *a, struct secret *jwt, struct err *err)
{
    char id[CRYPTO_UUID_LEN + 1];
    struct json *json = NULL;
    int r = crypto_uuid(id, err);

    if (r != 0)
        return r;
    r = ERR_NOMEM;
    json = json_new();
    if (json == NULL || (r = json_put_string(json, "aud", a->audience)) != 0 ||
        (r = json_put_string(json, "iss", a->client_id)) != 0 ||
        (r = json_put_string(json, "sub", a->client_id)) != 0 ||
        (r = json_put_string(json, "jti", id)) != 0 ||
        (r = json_put_integer(json, "nbf", a->now)) != 0 ||
        (r = json_put_integer(json, "iat", a->now)) != 0 ||
        (r = json_put_integer(json, "exp", a->now + ASSERTION_LIFE)) != 0 ||
        (r = append_part(json, jwt)) != 0)
        r = refuse(r, err);
    json_free(&json);
    return r;
}

static int
append_signature(const struct assertion *a, const struct crypto_identity *identity,
                 struct secret *jwt, struct err *err)
{
    struct secret signature = SECRET_INIT;
    int r = crypto_identity_sign(identity, a->alg, jwt->data, jwt->len, &signature, err);

    if (r == 0 && ((r = secret_append_char(jwt, '.')) != 0 ||
                   (r = crypto_base64url(signature.data, signature.len, jwt)) != 0))
        r = refuse(r, err);
    secret_clear(&signature);
    return r;
}

int
assertion_make(const struct assertion *assertion, const struct crypto_identity *identity,
               struct secret *jwt_r, struct err *err)
{
    struct secret jwt = SECRET_INIT;
    int r = append_header(assertion, identity, &jwt, err);

    if (r == 0 && secret_append_char(&jwt, '.') != 0)
        r = refuse(ERR_NOMEM, err);
    if (r == 0 && (r = append_claims(assertion, &jwt, err)) == 0 &&
        (r = append_signature(assertion, identity, &jwt, err)) == 0)
        secret_move(jwt_r, &jwt);
    secret_clear(&jwt);
    return r;
}
