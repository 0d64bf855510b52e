/* managed_identity.c - see managed_identity.h. */
#include "managed_identity.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <sys/stat.h>

#include "../base/file.h"
#include "request.h"

#define IMDS_URL "http://169.254.169.254/metadata/identity/oauth2/token"
#define IMDS_VERSION "2018-02-01"
#define ARC_URL "http://127.0.0.1:40342/metadata/identity/oauth2/token"
#define ARC_VERSION "2020-06-01"
#define ARC_PROGRAM "/opt/azcmagent/bin/himds"
#define APP_SERVICE_VERSION "2019-08-01"

enum place { PLACE_IMDS, PLACE_ARC, PLACE_APP_SERVICE };

static const char *
environment(const char *name)
{
    const char *value = secure_getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

static enum place
find_place(const char **url_r)
{
    const char *endpoint = environment("IDENTITY_ENDPOINT");

    if (endpoint != NULL && environment("IDENTITY_HEADER") != NULL) {
        *url_r = endpoint;
        return PLACE_APP_SERVICE;
    }
    if (endpoint != NULL && environment("IMDS_ENDPOINT") != NULL) {
        *url_r = endpoint;
        return PLACE_ARC;
    }
    if (access(ARC_PROGRAM, X_OK) == 0) {
        *url_r = ARC_URL;
        return PLACE_ARC;
    }
    *url_r = IMDS_URL;
    return PLACE_IMDS;
}

/* In clear only to this machine and its link: what the metadata services live on. */
static bool
is_near(const char *url)
{
    static const char *const starts[] = {"https://", "http://127.",
                                         "http://localhost:", "http://localhost/",
                                         "http://169.254."};

    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (strncasecmp(url, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

static int
add_query(struct secret *url, const char *version, const struct account *account)
{
    int r;

    /* form_add() puts "&" between fields; the first follows "?" or what the address has
     */
    if ((r = secret_append_str(url, strchr(secret_str(url), '?') == NULL ? "?" : "&")) !=
            0 ||
        (r = secret_append_str(url, "api-version=")) != 0 ||
        (r = secret_append_str(url, version)) != 0 ||
        (r = form_add(url, "resource", account->provider.resource,
                      strlen(account->provider.resource))) != 0 ||
        account->managed_identity_client_id == NULL)
        return r;
    return form_add(url, "client_id", account->managed_identity_client_id,
                    strlen(account->managed_identity_client_id));
}

/* App Service gives each program a header to know it by; the others have Metadata. */
static int
add_header(enum place place, const struct secret *proof, struct http_request *q)
{
    int r;

    q->metadata = place != PLACE_APP_SERVICE;
    if (place != PLACE_APP_SERVICE)
        return secret_append(&q->header, proof->data, proof->len);
    if ((r = secret_append_str(&q->header, "X-IDENTITY-HEADER: ")) != 0)
        return r;
    return secret_append_str(&q->header, environment("IDENTITY_HEADER"));
}

int
managed_identity_request(const struct account *account, const struct secret *proof,
                         struct secret *url, struct http_request *request_r,
                         struct err *err)
{
    static const char *const versions[] = {[PLACE_IMDS] = IMDS_VERSION,
                                           [PLACE_ARC] = ARC_VERSION,
                                           [PLACE_APP_SERVICE] = APP_SERVICE_VERSION};
    struct http_request q = {.proxy = NULL, .ca_file = account->ca_file};
    const char *base;
    enum place place = find_place(&base);

    if (!is_near(base)) {
        err_set(err, ERR_CONFIG,
                "IDENTITY_ENDPOINT is neither https nor on this machine");
        err_hint(err, "managed identity works on Azure only; see the environment");
        return ERR_CONFIG;
    }
    secret_reset(url);
    if (secret_append_str(url, base) != 0 ||
        add_query(url, versions[place], account) != 0 ||
        add_header(place, proof, &q) != 0) {
        http_request_clear(&q);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    q.url = secret_str(url);
    *request_r = q;
    return 0;
}

/* "Basic realm=PATH", as Arc writes it; quotes are tolerated. */
static const char *
challenge_path(const char *value, char *path, size_t size)
{
    static const char scheme[] = "Basic realm=";
    size_t n;

    if (strncasecmp(value, scheme, sizeof scheme - 1) != 0)
        return NULL;
    value += sizeof scheme - 1;
    if (*value == '"')
        value++;
    n = strcspn(value, "\" ,");
    if (n == 0 || n >= size)
        return NULL;
    memcpy(path, value, n);
    path[n] = '\0';
    return path;
}

static bool
is_key_file(const char *path)
{
    size_t n = strlen(path), directory = strlen(ARC_KEY_DIRECTORY);
    struct stat st;

    /* A link would lead out of the directory. */
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
        return false;
    return n > directory + 4 && strncmp(path, ARC_KEY_DIRECTORY, directory) == 0 &&
           strchr(path + directory, '/') == NULL && strcmp(path + n - 4, ".key") == 0;
}

int
managed_identity_challenge(const struct http_reply *reply, struct secret *proof_r,
                           struct err *err)
{
    struct secret key = {.max = ARC_KEY_MAX + 1};
    char path[512];
    int r;

    if (reply->status != 401 ||
        challenge_path(reply->www_authenticate, path, sizeof path) == NULL)
        return ERR_PROTOCOL;
    if (!is_key_file(path)) {
        err_set(err, ERR_CONFIG,
                "the managed identity service asks for a file that is not "
                "its own");
        err_hint(err, "nothing was sent; is it Azure Arc's agent that answers?");
        return ERR_CONFIG;
    }
    secret_reset(proof_r);
    if ((r = file_read_foreign(path, "Azure Arc key", ARC_KEY_MAX, &key, err)) == 0 &&
        (secret_append_str(proof_r, "Authorization: Basic ") != 0 ||
         secret_append(proof_r, key.data, strcspn(secret_str(&key), "\r\n")) != 0))
        r = err_set(err, ERR_NOMEM, "out of memory");
    secret_clear(&key);
    if (r != 0 && r != ERR_NOMEM)
        err_hint(err, "add the agent's user to the group himds");
    return r;
}
