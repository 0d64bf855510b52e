/* test_request.c - token requests, byte for byte. */
#include <stdio.h>

#include "oauth/request.h"
#include "oauth_kit.h"

#define ENDPOINT "https://idp.example.com/token"

static const char conf[] =
    "provider post { token_endpoint = \"https://idp.example.com/token\"\n"
    "                scope = \"mail offline_access\" }\n"
    "provider basic { token_endpoint = \"https://idp.example.com/token\"\n"
    "                 scope = mail client_auth = basic }\n"
    "account app { grant = client_credentials client_id = \"app-1\" tenant = t.example\n"
    "              client_secret = x }\n"
    "account app-basic { grant = client_credentials client_id = \"app:2/+\"\n"
    "                    provider = basic client_secret = x }\n"
    "account public { client_id = public-3 provider = post }\n"
    "account \"send only\" { client_id = send-6\n"
    "                      scope = \"https://outlook.office.com/SMTP.Send\" }\n"
    "account public-basic { client_id = public-4 provider = basic }\n"
    "account \"confidential one\" { client_id = c-5 provider = post client_secret = x\n"
    "                   proxy = \"http://proxy.example:3128\" ca_file = /etc/ca.pem }\n";

static struct accounts *accounts;

static int
setup(void **state)
{
    if (conf_setup(state) != 0)
        return -1;
    accounts = conf_accept(conf);
    return 0;
}

static int
teardown(void **state)
{
    accounts_free(&accounts);
    return conf_teardown(state);
}

/* The account's request with these secrets, "" for none. */
static struct http_request
compose(const char *name, const char *refresh, const char *client_secret)
{
    struct record record = RECORD_INIT;
    struct credential given = CREDENTIAL_INIT;
    struct http_request request = {0};
    struct err err = ERR_INIT;

    kit_set(&record.refresh_token, refresh);
    kit_set(&given.secret, client_secret);
    if (request_token(kit_account(accounts, name), ENDPOINT, &record, &given, 1000,
                      &request, &err) != 0)
        fail_msg("%s: %s", name, err.text);
    record_clear(&record);
    credential_clear(&given);
    return request;
}

static void
composes(const char *name, const char *refresh, const char *client_secret,
         const char *body, const char *user, const char *password)
{
    struct http_request request = compose(name, refresh, client_secret);

    kit_assert_secret(&request.body, body);
    kit_assert_secret(&request.user, user);
    kit_assert_secret(&request.password, password);
    http_request_clear(&request);
}

static void
client_credentials_in_the_form(void **state)
{
    (void)state;
    composes("app", "", "CANARY-secret",
             "grant_type=client_credentials&client_id=app-1&client_secret=CANARY-secret"
             "&scope=https%3A%2F%2Foutlook.office365.com%2F.default",
             "", "");
    /* a refresh token from other days changes nothing */
    composes("app", "CANARY-refresh", "CANARY-secret",
             "grant_type=client_credentials&client_id=app-1&client_secret=CANARY-secret"
             "&scope=https%3A%2F%2Foutlook.office365.com%2F.default",
             "", "");
}

static void
client_credentials_by_basic(void **state)
{
    (void)state;
    composes("app-basic", "", "CANARY:secret+/",
             "grant_type=client_credentials&scope=mail", "app%3A2%2F%2B",
             "CANARY%3Asecret%2B%2F");
}

static void
refresh_of_a_public_client(void **state)
{
    struct http_request request;

    (void)state;
    composes("public", "CANARY-refresh", "",
             "grant_type=refresh_token&refresh_token=CANARY-refresh&client_id=public-3"
             "&scope=mail%20offline_access",
             "", "");
    /* where a secret would go into Basic, a public client goes into the form */
    composes("public-basic", "CANARY-refresh", "",
             "grant_type=refresh_token&refresh_token=CANARY-refresh&client_id=public-4"
             "&scope=mail",
             "", "");
    request = compose("public", "CANARY-refresh", "");
    assert_null(strstr(secret_str(&request.body), "secret"));
    http_request_clear(&request);
}

/* The refresh token that comes back is to be a new one. */
static void
refresh_at_entra_with_a_scope_of_ones_own(void **state)
{
    (void)state;
    composes("send only", "CANARY-refresh", "",
             "grant_type=refresh_token&refresh_token=CANARY-refresh&client_id=send-6"
             "&scope=https%3A%2F%2Foutlook.office.com%2FSMTP.Send%20offline_access",
             "", "");
}

static void
refresh_of_a_confidential_client(void **state)
{
    struct http_request request =
        compose("confidential one", "0.AX/CANARY+=", "CANARY-secret");

    (void)state;
    kit_assert_secret(&request.body,
                      "grant_type=refresh_token&refresh_token=0.AX%2FCANARY%2B%3D"
                      "&client_id=c-5&client_secret=CANARY-secret"
                      "&scope=mail%20offline_access");
    assert_string_equal(request.url, "https://idp.example.com/token");
    assert_string_equal(request.proxy, "http://proxy.example:3128");
    assert_string_equal(request.ca_file, "/etc/ca.pem");
    http_request_clear(&request);
    request = compose("public", "CANARY-refresh", "");
    assert_null(request.proxy);
    assert_null(request.ca_file);
    http_request_clear(&request);
}

static void
secrets_with_everything_in_them(void **state)
{
    (void)state;
    composes("app", "", "CANARY a+b&c=d%41 e",
             "grant_type=client_credentials&client_id=app-1"
             "&client_secret=CANARY%20a%2Bb%26c%3Dd%2541%20e"
             "&scope=https%3A%2F%2Foutlook.office365.com%2F.default",
             "", "");
    composes("app", "", "CANARY-p\xc3\xa4ss\xe2\x82\xac",
             "grant_type=client_credentials&client_id=app-1"
             "&client_secret=CANARY-p%C3%A4ss%E2%82%AC"
             "&scope=https%3A%2F%2Foutlook.office365.com%2F.default",
             "", "");
    composes("app-basic", "", "CANARY a+b&c=d%41 e",
             "grant_type=client_credentials&scope=mail", "app%3A2%2F%2B",
             "CANARY%20a%2Bb%26c%3Dd%2541%20e");
}

static void
every_byte_encoded(void **state)
{
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        "0123456789-._~";
    struct secret out = SECRET_INIT;

    (void)state;
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        char expect[8];

        if (c != 0 && strchr(unreserved, c) != NULL)
            snprintf(expect, sizeof expect, "%c", c);
        else
            snprintf(expect, sizeof expect, "%%%02X", (unsigned)c);
        secret_reset(&out);
        assert_int_equal(percent_encode(&out, &byte, 1), 0);
        kit_assert_secret(&out, expect);
    }
    assert_int_equal(percent_encode(&out, "", 0), 0);
    secret_clear(&out);
}

static void
forms(void **state)
{
    struct secret form = {.max = 24};

    (void)state;
    assert_int_equal(form_add(&form, "a b", "", 0), 0);
    assert_int_equal(form_add(&form, "n&", "v=\0", 3), 0);
    kit_assert_secret(&form, "a%20b=&n%26=v%3D%00");
    assert_int_equal(form_add(&form, "long", "CANARY-too-long", 15), ERR_PROTOCOL);
    secret_clear(&form);
}

static void
nobody_has_signed_in(void **state)
{
    const struct account *account = kit_account(accounts, "confidential one");
    struct record record = RECORD_INIT;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(request_possible(account, &record, &err), ERR_PERSON);
    assert_int_equal(err.code, ERR_PERSON);
    assert_string_equal(err.text, "nobody has signed in for this account yet");
    assert_non_null(strstr(err.hint, "confidential one"));
    /* an access token alone is no sign-in */
    kit_set(&record.access_token, "CANARY-access");
    assert_int_equal(request_possible(account, &record, &err), ERR_PERSON);
    kit_set(&record.refresh_token, "CANARY-refresh");
    err = (struct err)ERR_INIT;
    assert_int_equal(request_possible(account, &record, &err), 0);
    assert_int_equal(err.code, 0);
    record_clear(&record);
    assert_int_equal(request_possible(kit_account(accounts, "app"), &record, &err), 0);
}

static void
no_request_without_a_refresh_token(void **state)
{
    struct record record = RECORD_INIT;
    struct credential none = CREDENTIAL_INIT;
    struct http_request request = {.url = "untouched"};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(request_token(kit_account(accounts, "public"), ENDPOINT, &record,
                                   &none, 1000, &request, &err),
                     ERR_PERSON);
    assert_string_equal(request.url, "untouched");
    assert_int_equal(request.body.len, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_credentials_in_the_form),
        cmocka_unit_test(client_credentials_by_basic),
        cmocka_unit_test(refresh_of_a_public_client),
        cmocka_unit_test(refresh_at_entra_with_a_scope_of_ones_own),
        cmocka_unit_test(refresh_of_a_confidential_client),
        cmocka_unit_test(secrets_with_everything_in_them),
        cmocka_unit_test(every_byte_encoded),
        cmocka_unit_test(forms),
        cmocka_unit_test(nobody_has_signed_in),
        cmocka_unit_test(no_request_without_a_refresh_token),
    };

    return cmocka_run_group_tests_name("request", tests, setup, teardown);
}
