/* fuzz_redirect.c - the address a browser comes back to, as it was configured, as it
 * arrives, and as a person pastes it. */
#include "fuzz_conf.h"

#include "oauth/redirect.h"
#include "oauth/request.h"

static struct accounts *accounts;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    accounts = fuzz_accounts("account \"a@b.example\" { client_id = 1 tenant = t }\n");
    return 0;
}

/* What was read, written as a query and read again, is the same. */
static void
round_trip(const struct redirect *first)
{
    struct secret query = SECRET_INIT;
    struct redirect again = REDIRECT_INIT;
    const struct {
        const char *name;
        const struct secret *value;
    } fields[] = {{"code", &first->code},
                  {"state", &first->state},
                  {"error", &first->error},
                  {"error_description", &first->description}};

    for (size_t i = 0; i < 4; i++)
        if (fields[i].value->len > 0)
            FUZZ_CHECK(form_add(&query, fields[i].name, fields[i].value->data,
                                fields[i].value->len) == 0);
    if (query.len > 0 && query.len <= REDIRECT_QUERY_MAX) {
        FUZZ_CHECK(redirect_parse(query.data, query.len, &again, NULL) == 0);
        FUZZ_CHECK(secret_equal(&again.code, &first->code) &&
                   secret_equal(&again.state, &first->state) &&
                   secret_equal(&again.error, &first->error) &&
                   secret_equal(&again.description, &first->description));
    }
    redirect_clear(&again);
    secret_clear(&query);
}

static void
parse(const char *query, size_t len)
{
    struct redirect redirect = REDIRECT_INIT;
    struct err err = ERR_INIT;
    int r = redirect_parse(query, len, &redirect, &err);

    fuzz_result(r, &err, MAY(ERR_PROTOCOL));
    if (r == 0) {
        FUZZ_CHECK(redirect.code.len == 0 || redirect.error.len == 0);
        FUZZ_CHECK(!secret_has_control(&redirect.code) &&
                   !secret_has_control(&redirect.state) &&
                   !secret_has_control(&redirect.error));
        round_trip(&redirect);
        r = redirect_refusal(&redirect, &accounts->account[0], &err);
        fuzz_result(r, &err, MAY(ERR_PERSON) | MAY(ERR_TEMP));
        FUZZ_CHECK(r != 0);
    }
    redirect_clear(&redirect);
}

static void
target(const uint8_t *data, size_t size)
{
    struct redirect_target t = {false, false, "", 0, ""}, again;
    struct secret moved = SECRET_INIT;
    struct err err = ERR_INIT;
    char *uri = fuzz_string(data, size);
    int r = redirect_target_parse(uri, &t, &err);

    fuzz_result(r, &err, MAY(ERR_CONFIG));
    if (r == 0) {
        FUZZ_CHECK(t.port >= 0 && t.port <= 65535);
        FUZZ_CHECK(strlen(t.host) <= REDIRECT_HOST_MAX &&
                   strlen(t.path) <= REDIRECT_PATH_MAX);
        FUZZ_CHECK(!t.loopback || !t.https);
        FUZZ_CHECK(redirect_with_port(uri, 12345, &moved, NULL) == 0);
        FUZZ_CHECK(redirect_target_parse(secret_str(&moved), &again, NULL) == 0);
        FUZZ_CHECK(again.port == 12345 && again.https == t.https);
        FUZZ_CHECK(strcmp(again.host, t.host) == 0 && strcmp(again.path, t.path) == 0);
    }
    secret_clear(&moved);
    free(uri);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);
    const char *query = NULL;
    struct err err = ERR_INIT;
    size_t len = 0;
    int r = redirect_find_query(bytes, size, &query, &len, &err);

    fuzz_result(r, &err, MAY(ERR_USAGE));
    if (r == 0) {
        FUZZ_CHECK(query >= bytes && query + len <= bytes + size);
        parse(query, len);
    }
    parse(bytes, size);
    target(data, size);
    free(bytes);
    return 0;
}
