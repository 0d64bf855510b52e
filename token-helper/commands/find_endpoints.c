/* find_endpoints.c - see find_endpoints.h. */
#include "find_endpoints.h"

#include <stdlib.h>
#include <string.h>

#include "../client/deadline.h"
#include "../oauth/http.h"

static int
fetch(const struct account *account, enum discovery_kind kind,
      const struct deadline *deadline, struct http_reply *reply_r, struct err *err)
{
    struct http_request request = {.proxy = account->proxy, .ca_file = account->ca_file};
    struct secret url = SECRET_INIT;
    int r = discovery_url(account->provider.issuer, kind, &url, err);

    request.url = secret_str(&url);
    request.deadline_ms = deadline_left(deadline);
    if (r == 0 && request.deadline_ms == 0)
        r = err_set(err, ERR_TIMEOUT, "%s: no answer in time", account->provider.issuer);
    if (r == 0)
        r = http_do(&request, reply_r, err);
    secret_clear(&url);
    return r;
}

/* In one place, then in the other. *kind_r is where it was. */
static int
discover(const struct account *account, struct endpoints *endpoints_r,
         enum discovery_kind *kind_r, struct err *err)
{
    struct deadline deadline = deadline_in(SIGN_IN_HTTP_MS);
    struct http_reply reply = {.body = SECRET_INIT};
    enum discovery_kind kind = DISCOVERY_OPENID;
    int r = fetch(account, kind, &deadline, &reply, err);

    if (r == 0 && reply.status == 404) {
        secret_clear(&reply.body);
        kind = DISCOVERY_RFC8414;
        r = fetch(account, kind, &deadline, &reply, err);
    }
    if (r == 0)
        r = discovery_read(account->provider.issuer, reply.status, &reply.body,
                           endpoints_r, err);
    secret_clear(&reply.body);
    *kind_r = kind;
    return r;
}

/* What the accounts file gives replaces what was found. 0 or ERR_NOMEM. */
static int
prefer(const char *given, char **found)
{
    char *copy;

    if (given == NULL)
        return 0;
    if ((copy = strdup(given)) == NULL)
        return ERR_NOMEM;
    free(*found);
    *found = copy;
    return 0;
}

static int
prefer_given(const struct provider *p, struct endpoints *e, struct err *err)
{
    if (prefer(p->token_endpoint, &e->token) != 0 ||
        prefer(p->authorization_endpoint, &e->authorization) != 0 ||
        prefer(p->device_authorization_endpoint, &e->device_authorization) != 0 ||
        prefer(p->revocation_endpoint, &e->revocation) != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    return 0;
}

int
find_endpoints(const struct account *account, struct endpoints *endpoints_r,
               bool *openid_r, struct err *err)
{
    const struct provider *p = &account->provider;
    struct endpoints e = {NULL, NULL, NULL, NULL};
    enum discovery_kind kind = DISCOVERY_KINDS;
    int r = 0;

    if (p->issuer != NULL &&
        (p->token_endpoint == NULL || p->authorization_endpoint == NULL ||
         p->device_authorization_endpoint == NULL || p->revocation_endpoint == NULL))
        r = discover(account, &e, &kind, err);
    if (r != 0 && p->token_endpoint != NULL) {
        r = 0; /* it may well have none */
        kind = DISCOVERY_KINDS;
    }
    if (r == 0)
        r = prefer_given(p, &e, err);
    if (r != 0) {
        endpoints_clear(&e);
        return r;
    }
    *openid_r = kind == DISCOVERY_OPENID;
    *endpoints_r = e;
    return 0;
}
