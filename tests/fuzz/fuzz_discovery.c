/* fuzz_discovery.c - an issuer's metadata. */
#include "fuzz.h"

#include "accounts/values.h"
#include "base/json.h"
#include "oauth/discovery.h"

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_setup();
    return 0;
}

static void
check_endpoint(const char *url, bool needed)
{
    struct err err = ERR_INIT;

    FUZZ_CHECK(!needed || url != NULL);
    if (url == NULL)
        return;
    FUZZ_CHECK(value_endpoint(url, &err) == 0);
    FUZZ_CHECK(strncasecmp(url, "https://", 8) == 0 ||
               strncasecmp(url, "http://", 7) == 0);
    fuzz_plain(url, strlen(url) + 1);
    FUZZ_CHECK(strpbrk(url, " \"<>\\") == NULL);
}

static void
read_with(long status, const char *bytes, size_t size)
{
    static const char issuer[] = "https://idp.example/t";
    struct secret body = SECRET_INIT;
    struct endpoints e = {NULL, NULL, NULL, NULL};
    struct err err = ERR_INIT;
    int r;

    fuzz_set(&body, bytes, size);
    r = discovery_read(issuer, status, &body, &e, &err);
    fuzz_result(r, &err, MAY(ERR_TEMP) | MAY(ERR_PROTOCOL) | MAY(ERR_CONFIG));
    FUZZ_CHECK((r == ERR_TEMP) == (status != 200));
    FUZZ_CHECK(r == 0 || e.token == NULL);
    check_endpoint(e.token, r == 0);
    check_endpoint(e.authorization, false);
    check_endpoint(e.device_authorization, false);
    check_endpoint(e.revocation, false);
    endpoints_clear(&e);
    secret_clear(&body);
}

/* Where an issuer's metadata is: at the issuer's host. */
static void
address(const uint8_t *data, size_t size)
{
    struct secret url = SECRET_INIT;
    char *issuer = fuzz_string(data, size);
    const char *host = strstr(issuer, "://");
    size_t n = host == NULL ? 0 : (size_t)(host + 3 - issuer) + strcspn(host + 3, "/");

    for (int kind = 0; kind < DISCOVERY_KINDS; kind++) {
        FUZZ_CHECK(discovery_url(issuer, (enum discovery_kind)kind, &url, NULL) == 0);
        FUZZ_CHECK(strstr(secret_str(&url), "/.well-known/") != NULL);
        if (n > 0 && issuer[n - 1] != '/')
            FUZZ_CHECK(strncmp(secret_str(&url), issuer, n) == 0);
    }
    secret_clear(&url);
    free(issuer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);

    read_with(200, bytes, size);
    read_with(404, bytes, size);
    address(data, size);
    free(bytes);
    return 0;
}
