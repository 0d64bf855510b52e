/* discovery.c - see discovery.h. */
#include "discovery.h"

#include <stdlib.h>
#include <string.h>

#include "../accounts/values.h"
#include "../base/json.h"

void
endpoints_clear(struct endpoints *e)
{
    free(e->token);
    free(e->authorization);
    free(e->device_authorization);
    free(e->revocation);
    *e = (struct endpoints){NULL, NULL, NULL, NULL};
}

static size_t
length_without_slash(const char *url)
{
    size_t n = strlen(url);

    while (n > 0 && url[n - 1] == '/')
        n--;
    return n;
}

/* Where the path begins: behind scheme and host. */
static size_t
host_end(const char *url)
{
    const char *host = strstr(url, "://");

    host = host != NULL ? host + 3 : url;
    return (size_t)(host - url) + strcspn(host, "/");
}

int
discovery_url(const char *issuer, enum discovery_kind kind, struct secret *url_r,
              struct err *err)
{
    size_t len = length_without_slash(issuer), host = host_end(issuer);
    int r;

    secret_reset(url_r);
    if (host > len)
        host = len;
    if (kind == DISCOVERY_OPENID) {
        if ((r = secret_append(url_r, issuer, len)) == 0)
            r = secret_append_str(url_r, "/.well-known/openid-configuration");
    } else if ((r = secret_append(url_r, issuer, host)) == 0 &&
               (r = secret_append_str(url_r,
                                      "/.well-known/oauth-authorization-server")) == 0) {
        r = secret_append(url_r, issuer + host, len - host);
    }
    return r == 0 ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

static bool
same_issuer(const char *a, const char *b)
{
    size_t n = length_without_slash(a);

    return n == length_without_slash(b) && memcmp(a, b, n) == 0;
}

/* An endpoint that is there and usable. 0 or ERR_NOMEM; *url_r stays NULL otherwise. */
static int
take(const struct json *json, const char *key, char **url_r)
{
    const char *url = json_get_string(json, key);

    if (url == NULL || value_endpoint(url, NULL) != 0)
        return 0;
    return (*url_r = strdup(url)) != NULL ? 0 : ERR_NOMEM;
}

static int
take_all(const char *issuer, const struct json *json, struct endpoints *e,
         struct err *err)
{
    const char *named = json_get_string(json, "issuer");

    if (named == NULL || !same_issuer(issuer, named)) {
        err_set(err, ERR_CONFIG, "the metadata of %s is another issuer's: %.200s", issuer,
                named != NULL ? named : "none is named");
        err_hint(err,
                 "set issuer as the provider spells it, or give the endpoints instead");
        return ERR_CONFIG;
    }
    if (take(json, "token_endpoint", &e->token) != 0 ||
        take(json, "authorization_endpoint", &e->authorization) != 0 ||
        take(json, "device_authorization_endpoint", &e->device_authorization) != 0 ||
        take(json, "revocation_endpoint", &e->revocation) != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (e->token == NULL) {
        err_set(err, ERR_CONFIG, "the metadata of %s names no usable token endpoint",
                issuer);
        err_hint(err, "give token_endpoint in the provider section");
        return ERR_CONFIG;
    }
    return 0;
}

int
discovery_read(const char *issuer, long status, const struct secret *body,
               struct endpoints *endpoints_r, struct err *err)
{
    struct endpoints e = {NULL, NULL, NULL, NULL};
    struct json *json = NULL;
    int r;

    if (status != 200) {
        err_set(err, ERR_TEMP, "%s: no metadata (HTTP %ld)", issuer, status);
        err_hint(err, "check issuer, or give the endpoints in the provider section");
        return ERR_TEMP;
    }
    if ((r = json_parse(secret_str(body), body->len, &json, err)) == 0)
        r = take_all(issuer, json, &e, err);
    json_free(&json);
    if (r != 0) {
        endpoints_clear(&e);
        return r;
    }
    endpoints_clear(endpoints_r);
    *endpoints_r = e;
    return 0;
}
