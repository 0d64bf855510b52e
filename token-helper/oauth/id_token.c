/* id_token.c - see id_token.h. */
#include "id_token.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/json.h"
#include "crypto.h"

void
identity_clear(struct identity *identity)
{
    free(identity->preferred_username);
    free(identity->upn);
    free(identity->email);
    free(identity->sub);
    *identity = (struct identity)IDENTITY_INIT;
}

const char *
identity_name(const struct identity *identity)
{
    if (identity->preferred_username != NULL)
        return identity->preferred_username;
    if (identity->upn != NULL)
        return identity->upn;
    return identity->email != NULL ? identity->email : identity->sub;
}

static bool
same(const char *claim, const char *name)
{
    return claim != NULL && strcasecmp(claim, name) == 0;
}

bool
identity_is(const struct identity *identity, const char *name)
{
    if (identity->preferred_username == NULL && identity->upn == NULL &&
        identity->email == NULL)
        return same(identity->sub, name);
    return same(identity->preferred_username, name) || same(identity->upn, name) ||
           same(identity->email, name);
}

/* 0 or ERR_NOMEM; an absent or empty claim stays NULL. */
static int
take_claim(const struct json *json, const char *key, char **claim_r)
{
    const char *text = json_get_string(json, key);

    if (text == NULL || text[0] == '\0')
        return 0;
    if ((*claim_r = strdup(text)) == NULL)
        return ERR_NOMEM;
    (*claim_r)[err_clean(*claim_r, strlen(*claim_r))] = '\0';
    return 0;
}

/* `aud` is one text or several. A token without any is let pass: it names a person, and
 * that is all that is asked of it. */
static bool
is_for(const struct json *json, const char *client_id)
{
    const char *audience = json_get_string(json, "aud");

    if (audience != NULL)
        return strcmp(audience, client_id) == 0;
    for (size_t i = 0; (audience = json_array_string(json, "aud", i)) != NULL; i++)
        if (strcmp(audience, client_id) == 0)
            return true;
    return !json_has(json, "aud");
}

static int
take_claims(const struct json *json, const char *client_id, struct identity *identity_r,
            struct err *err)
{
    struct identity identity = IDENTITY_INIT;
    int r = 0;

    if (!is_for(json, client_id))
        return err_set(err, ERR_PROTOCOL, "the id_token is for another application");
    if (take_claim(json, "preferred_username", &identity.preferred_username) != 0 ||
        take_claim(json, "upn", &identity.upn) != 0 ||
        take_claim(json, "email", &identity.email) != 0 ||
        take_claim(json, "sub", &identity.sub) != 0)
        r = err_set(err, ERR_NOMEM, "out of memory");
    else if (identity_name(&identity) == NULL)
        r = err_set(err, ERR_PROTOCOL, "the id_token names nobody");
    if (r != 0) {
        identity_clear(&identity);
        return r;
    }
    identity_clear(identity_r);
    *identity_r = identity;
    return 0;
}

int
id_token_read(const char *token, const char *client_id, struct identity *identity_r,
              struct err *err)
{
    struct secret payload = {.max = ID_TOKEN_MAX};
    struct json *json = NULL;
    const char *start = strchr(token, '.');
    int r = ERR_PROTOCOL;

    if (strnlen(token, ID_TOKEN_MAX + 1) > ID_TOKEN_MAX)
        return err_set(err, ERR_PROTOCOL, "the id_token is longer than %u bytes",
                       ID_TOKEN_MAX);
    /* header.payload.signature; an encrypted one (RFC 7516) has five parts */
    if (start != NULL)
        r = crypto_base64url_decode(start + 1, strcspn(start + 1, "."), &payload);
    if (r == 0 && (strchr(start + 1, '.') == NULL || payload.len == 0))
        r = ERR_PROTOCOL;
    if (r == 0)
        r = json_parse(secret_str(&payload), payload.len, &json, NULL);
    if (r == ERR_NOMEM)
        err_set(err, ERR_NOMEM, "out of memory");
    else if (r != 0)
        err_set(err, ERR_PROTOCOL, "the id_token cannot be read");
    else
        r = take_claims(json, client_id, identity_r, err);
    json_free(&json);
    secret_clear(&payload);
    return r;
}
