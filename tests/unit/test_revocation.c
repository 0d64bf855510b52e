/* test_revocation.c - giving a token back. */
#include "oauth/revocation.h"
#include "oauth_kit.h"

static struct accounts *accounts;

static int
setup(void **state)
{
    if (conf_setup(state) != 0)
        return -1;
    accounts = conf_accept(
        "provider idp { token_endpoint = \"https://idp.example.com/token\" scope = m }\n"
        "account plain { client_id = p-3 provider = idp }\n");
    return 0;
}

static int
teardown(void **state)
{
    accounts_free(&accounts);
    return conf_teardown(state);
}

static void
the_request(void **state)
{
    struct credential credential = CREDENTIAL_INIT;
    struct secret token = SECRET_INIT;
    struct http_request request = {0};
    struct err err = ERR_INIT;

    (void)state;
    kit_set(&token, "CANARY/r");
    assert_int_equal(revocation_request(kit_account(accounts, "plain"),
                                        "https://idp.example.com/revoke",
                                        "https://idp.example.com/token", &token,
                                        &credential, 0, &request, &err),
                     0);
    kit_assert_secret(&request.body,
                      "token=CANARY%2Fr&token_type_hint=refresh_token&client_id=p-3");
    assert_string_equal(request.url, "https://idp.example.com/revoke");
    http_request_clear(&request);
    secret_clear(&token);
}

static int
answered(long status, const char *body)
{
    struct reply_input in = {.account = kit_account(accounts, "plain"),
                             .status = status,
                             .body = body,
                             .len = strlen(body)};
    struct err err = ERR_INIT;

    return revocation_read(&in, &err);
}

static void
answers(void **state)
{
    (void)state;
    assert_int_equal(answered(200, ""), 0);
    assert_int_equal(answered(200, "{}"), 0);
    assert_int_equal(answered(200, "whatever"), 0);
    assert_int_equal(answered(400, "{\"error\":\"invalid_token\"}"), 0);
    assert_int_equal(answered(400, "{\"error\":\"unsupported_token_type\"}"), ERR_PERSON);
    assert_int_equal(answered(401, "{\"error\":\"invalid_client\"}"), ERR_PERSON);
    assert_int_equal(answered(503, ""), ERR_TEMP);
    assert_int_equal(answered(404, "<html>"), ERR_TEMP);
    assert_int_equal(answered(307, ""), ERR_TEMP);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request),
        cmocka_unit_test(answers),
    };

    return cmocka_run_group_tests_name("revocation", tests, setup, teardown);
}
