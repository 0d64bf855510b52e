/* test_build_account.c - how an account proves itself, what the environment adds, and
 * what `defaults` means to each grant. What is refused lies in tests/cases/accounts/ but
 * for the errors that depend on the environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "accounts/accounts.h"
#include "conf_file.h"

static const char *const azure[][2] = {
    {"AZURE_CLIENT_ID", "id-of-pod"},
    {"AZURE_TENANT_ID", "tenant-of-pod"},
    {"AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us/"},
    {"AZURE_FEDERATED_TOKEN_FILE", "/var/run/pod/token"},
};
#define AZURE_COUNT (sizeof(azure) / sizeof(*azure))

static int
set_azure(void **state)
{
    (void)state;
    for (size_t i = 0; i < AZURE_COUNT; i++)
        if (setenv(azure[i][0], azure[i][1], 1) != 0)
            return -1;
    return 0;
}

static int
clear_azure(void **state)
{
    (void)state;
    for (size_t i = 0; i < AZURE_COUNT; i++)
        if (unsetenv(azure[i][0]) != 0)
            return -1;
    return 0;
}

/* --- ways to prove the application */

/* Which of the five ways are set, as letters. */
static const char *
ways(const struct account *a)
{
    static char text[8];

    snprintf(text, sizeof(text), "%s%s%s%s%s", a->client_secret_file != NULL ? "f" : "",
             a->client_secret_command != NULL ? "c" : "",
             a->client_secret.len > 0 ? "s" : "",
             a->client_certificate != NULL ? "p" : "",
             a->federated_token_file != NULL ? "t" : "");
    return text;
}

static void
each_way_alone(void **state)
{
    static const char *const grants[] = {"grant = authorization_code",
                                         "grant = client_credentials tenant = t"};
    static const char *const settings[][2] = {
        {"client_secret_file = /s", "f"},   {"client_secret_command = x", "c"},
        {"client_secret = x", "s"},         {"client_certificate = /c", "p"},
        {"federated_token_file = /t", "t"},
    };

    (void)state;
    for (size_t i = 0; i < 10; i++) {
        char text[256];
        struct accounts *accounts;

        snprintf(text, sizeof(text), "account a { client_id = c %s %s }\n", grants[i / 5],
                 settings[i % 5][0]);
        accounts = conf_accept(text);
        assert_string_equal(ways(&accounts->account[0]), settings[i % 5][1]);
        assert_false(accounts->account[0].azure_environment);
        accounts_free(&accounts);
    }
}

static void
a_certificate_with_its_key(void **state)
{
    struct accounts *accounts =
        conf_accept("account a { client_id = c client_certificate = /c.pem }\n"
                    "account b { client_id = c client_certificate = /c.pem\n"
                    "  client_key = /k.pem assertion_alg = PS256 }\n");
    const struct account *a = accounts_find(accounts, "a");
    const struct account *b = accounts_find(accounts, "b");

    (void)state;
    assert_string_equal(a->client_key, "/c.pem");
    assert_null(a->client_key_passphrase_file);
    assert_int_equal(a->assertion_alg, ASSERTION_PS256);
    assert_string_equal(b->client_certificate, "/c.pem");
    assert_string_equal(b->client_key, "/k.pem");
    assert_int_equal(b->assertion_alg, ASSERTION_PS256);
    accounts_free(&accounts);
}

/* All that proves an application is one value: own, or that of `defaults`. */
static void
defaults_are_taken_whole_or_not_at_all(void **state)
{
    struct accounts *accounts = conf_accept(
        "defaults { client_id = c client_certificate = /d.pem client_key = /d.key\n"
        "  client_key_passphrase_file = /d.pass assertion_alg = RS256 }\n"
        "account same {}\n"
        "account own { client_certificate = /o.pem }\n"
        "account alg { assertion_alg = PS256 }\n"
        "account secret { client_secret = x }\n"
        "account federated { federated_token_file = /t }\n");
    const struct account *a = accounts_find(accounts, "same");

    (void)state;
    assert_string_equal(a->client_certificate, "/d.pem");
    assert_string_equal(a->client_key, "/d.key");
    assert_string_equal(a->client_key_passphrase_file, "/d.pass");
    assert_int_equal(a->assertion_alg, ASSERTION_RS256);
    a = accounts_find(accounts, "own");
    assert_string_equal(a->client_certificate, "/o.pem");
    assert_string_equal(a->client_key, "/o.pem");
    assert_null(a->client_key_passphrase_file);
    assert_int_equal(a->assertion_alg, ASSERTION_RS256);
    a = accounts_find(accounts, "alg");
    assert_string_equal(a->client_key, "/d.key");
    assert_int_equal(a->assertion_alg, ASSERTION_PS256);
    a = accounts_find(accounts, "secret");
    assert_string_equal(ways(a), "s");
    assert_null(a->client_key);
    a = accounts_find(accounts, "federated");
    assert_string_equal(ways(a), "t");
    accounts_free(&accounts);
}

static void
keys_of_defaults_that_a_grant_does_not_use(void **state)
{
    struct accounts *accounts = conf_accept(
        "defaults { client_id = c tenant = t client_secret = x login_hint = h\n"
        "  redirect_uri = \"http://localhost/r\" min_remaining = 400\n"
        "  secret_expires = 2030-01-01 managed_identity_client_id = m\n"
        "  app_password_file = /p }\n"
        "account code {}\n"
        "account app { grant = client_credentials }\n"
        "account managed { grant = managed_identity }\n"
        "account password { grant = app_password }\n");
    const struct account *a = accounts_find(accounts, "code");

    (void)state;
    assert_string_equal(a->redirect_uri, "http://localhost/r");
    assert_string_equal(a->login_hint, "h");
    assert_null(a->managed_identity_client_id);
    assert_null(a->app_password_file);
    a = accounts_find(accounts, "app");
    assert_null(a->redirect_uri);
    assert_string_equal(a->client_id, "c");
    assert_string_equal(ways(a), "s");
    a = accounts_find(accounts, "managed");
    assert_null(a->client_id);
    assert_null(a->tenant);
    assert_string_equal(ways(a), "");
    assert_string_equal(a->login_hint, "managed");
    assert_int_equal(a->secret_expires, 0);
    assert_int_equal(a->min_remaining, 400);
    assert_string_equal(a->managed_identity_client_id, "m");
    a = accounts_find(accounts, "password");
    assert_null(a->client_id);
    assert_string_equal(ways(a), "");
    assert_string_equal(a->app_password_file, "/p");
    accounts_free(&accounts);
}

static void
redirects(void **state)
{
    static const char *const uris[] = {
        "http://localhost:9090/register_microsoft_graph_api/",
        "http://127.0.0.1/",
        "http://[::1]:8080/a?b=c",
        "https://mail.example.com/oauth/done",
        "http://localhost",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(uris) / sizeof(*uris); i++) {
        char text[256];
        struct accounts *accounts;

        snprintf(text, sizeof(text),
                 "account a { client_id = c redirect_uri = \"%s\" }\n", uris[i]);
        accounts = conf_accept(text);
        assert_string_equal(accounts->account[0].redirect_uri, uris[i]);
        accounts_free(&accounts);
    }
}

/* --- grants without an application's registration */

static void
managed_identities(void **state)
{
    struct accounts *accounts =
        conf_accept("account own { grant = managed_identity }\n"
                    "account user { grant = managed_identity provider = microsoft-china\n"
                    "  managed_identity_client_id = id-2 }\n"
                    "account scope { grant = managed_identity\n"
                    "  scope = \"https://outlook.office.com/.default\" }\n");
    const struct account *a = accounts_find(accounts, "own");

    (void)state;
    assert_int_equal(a->grant, GRANT_MANAGED_IDENTITY);
    assert_null(a->client_id);
    assert_null(a->tenant);
    assert_null(a->managed_identity_client_id);
    assert_null(a->provider.token_endpoint);
    assert_null(a->provider.authorization_endpoint);
    assert_string_equal(a->scope, "https://outlook.office365.com/.default");
    assert_string_equal(a->provider.resource, "https://outlook.office365.com");
    assert_string_equal(a->server[PROTOCOL_SMTP].host, "smtp.office365.com");
    a = accounts_find(accounts, "user");
    assert_string_equal(a->managed_identity_client_id, "id-2");
    assert_string_equal(a->provider.resource, "https://partner.outlook.cn");
    a = accounts_find(accounts, "scope");
    assert_string_equal(a->provider.resource, "https://outlook.office.com");
    accounts_free(&accounts);
}

static void
app_passwords(void **state)
{
    struct accounts *accounts = conf_accept(
        "account \"a@fastmail.com\" { provider = fastmail grant = app_password\n"
        "  app_password_file = /p user = \"b@fastmail.com\" ca_file = /ca\n"
        "  allow_users = mutt }\n");
    const struct account *a = &accounts->account[0];

    (void)state;
    assert_int_equal(a->grant, GRANT_APP_PASSWORD);
    assert_string_equal(a->app_password_file, "/p");
    assert_string_equal(a->user, "b@fastmail.com");
    assert_string_equal(a->scope, "");
    assert_null(a->client_id);
    assert_null(a->tenant);
    assert_null(a->provider.token_endpoint);
    assert_null(a->provider.resource);
    assert_string_equal(a->server[PROTOCOL_IMAP].host, "imap.fastmail.com");
    assert_string_equal(a->ca_file, "/ca");
    assert_int_equal(a->allow_users.count, 1);
    accounts_free(&accounts);
}

/* --- azure_environment */

static void
the_environment_adds_what_is_left_out(void **state)
{
    struct accounts *accounts = conf_accept(
        "account a { grant = client_credentials azure_environment = true }\n");
    const struct account *a = &accounts->account[0];

    (void)state;
    assert_true(a->azure_environment);
    assert_string_equal(a->client_id, "id-of-pod");
    assert_string_equal(a->tenant, "tenant-of-pod");
    assert_string_equal(a->federated_token_file, "/var/run/pod/token");
    assert_string_equal(ways(a), "t");
    assert_string_equal(
        a->provider.token_endpoint,
        "https://login.microsoftonline.us/tenant-of-pod/oauth2/v2.0/token");
    assert_string_equal(
        a->provider.authorization_endpoint,
        "https://login.microsoftonline.us/tenant-of-pod/oauth2/v2.0/authorize");
    assert_string_equal(
        a->provider.device_authorization_endpoint,
        "https://login.microsoftonline.us/tenant-of-pod/oauth2/v2.0/devicecode");
    accounts_free(&accounts);
}

static void
what_the_account_says_goes_first(void **state)
{
    struct accounts *accounts =
        conf_accept("defaults { tenant = of.defaults }\n"
                    "account a { grant = client_credentials azure_environment = true\n"
                    "  client_id = own federated_token_file = /own }\n");
    const struct account *a = &accounts->account[0];

    (void)state;
    assert_true(a->azure_environment);
    assert_string_equal(a->client_id, "own");
    assert_string_equal(a->tenant, "of.defaults");
    assert_string_equal(a->federated_token_file, "/own");
    assert_string_equal(a->provider.token_endpoint,
                        "https://login.microsoftonline.us/of.defaults/oauth2/v2.0/token");
    accounts_free(&accounts);
}

static void
who_does_not_ask_gets_nothing(void **state)
{
    struct accounts *accounts =
        conf_accept("defaults { azure_environment = true client_id = d }\n"
                    "account google { provider = google }\n"
                    "account off { azure_environment = false }\n"
                    "account own { client_secret_file = /s }\n"
                    "account taken { }\n"
                    "account managed { grant = managed_identity }\n");
    const struct account *a;

    (void)state;
    for (const char *const *name =
             (const char *const[]){"google", "off", "own", "managed", NULL};
         *name != NULL; name++) {
        a = accounts_find(accounts, *name);
        assert_false(a->azure_environment);
        assert_null(a->federated_token_file);
    }
    a = accounts_find(accounts, "google");
    assert_string_equal(a->provider.token_endpoint,
                        "https://oauth2.googleapis.com/token");
    a = accounts_find(accounts, "off");
    assert_string_equal(a->tenant, "organizations");
    assert_string_equal(
        a->provider.token_endpoint,
        "https://login.microsoftonline.com/organizations/oauth2/v2.0/token");
    a = accounts_find(accounts, "taken");
    assert_true(a->azure_environment);
    assert_string_equal(a->client_id, "d");
    assert_string_equal(a->tenant, "tenant-of-pod");
    accounts_free(&accounts);
}

/* An account with a secret of its own is none the worse for `false`. */
static void
false_is_no_way_to_prove_anything(void **state)
{
    struct accounts *accounts = conf_accept("defaults { client_secret_file = /d }\n"
                                            "account a { client_id = c\n"
                                            "  azure_environment = false }\n");

    (void)state;
    assert_string_equal(accounts->account[0].client_secret_file, "/d");
    accounts_free(&accounts);
}

#define ASKS "account a { grant = client_credentials\nazure_environment = true }\n"

static void
a_variable_that_is_missing(void **state)
{
    static const char *const keys[AZURE_COUNT] = {"client_id", "tenant", NULL,
                                                  "federated_token_file"};

    for (size_t i = 0; i < AZURE_COUNT; i++) {
        char line[256];

        if (keys[i] == NULL)
            continue;
        snprintf(line, sizeof(line),
                 "input.conf:2: %s is not set; `azure_environment` takes `%s` from it"
                 " -> set it for the process that reads this file, or add %s",
                 azure[i][0], keys[i], keys[i]);
        unsetenv(azure[i][0]);
        conf_refuse(ASKS, line);
        setenv(azure[i][0], "", 1); /* as good as absent */
        conf_refuse(ASKS, line);
        set_azure(state);
    }
}

static void
without_an_authority_the_providers(void **state)
{
    struct accounts *accounts;

    (void)state;
    unsetenv("AZURE_AUTHORITY_HOST");
    accounts = conf_accept(ASKS);
    assert_string_equal(
        accounts->account[0].provider.token_endpoint,
        "https://login.microsoftonline.com/tenant-of-pod/oauth2/v2.0/token");
    accounts_free(&accounts);
    setenv("AZURE_AUTHORITY_HOST", "http://127.0.0.1:8443", 1);
    accounts = conf_accept(ASKS);
    assert_string_equal(accounts->account[0].provider.token_endpoint,
                        "http://127.0.0.1:8443/tenant-of-pod/oauth2/v2.0/token");
    accounts_free(&accounts);
}

static void
a_variable_that_is_wrong(void **state)
{
    static const char *const wrong[][3] = {
        {"AZURE_CLIENT_ID", "a b",
         "AZURE_CLIENT_ID holds a space or a character that is not ASCII"},
        {"AZURE_TENANT_ID", "t/../x",
         "AZURE_TENANT_ID: `t/../x` is neither a directory id nor a domain"},
        {"AZURE_TENANT_ID", "common",
         "AZURE_TENANT_ID: `common` does not go with client_credentials"
         " -> give the directory (tenant) id or one of its domains"},
        {"AZURE_AUTHORITY_HOST", "http://login.example",
         "AZURE_AUTHORITY_HOST: `http://login.example` would send secrets in clear"
         " -> use https; http is for 127.0.0.0/8, [::1] and localhost only"},
        {"AZURE_AUTHORITY_HOST", "login.microsoftonline.com",
         "AZURE_AUTHORITY_HOST: `login.microsoftonline.com` does not begin with "
         "https://"},
        {"AZURE_FEDERATED_TOKEN_FILE", "token",
         "AZURE_FEDERATED_TOKEN_FILE: `token` is not an absolute path"},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        char line[512];

        setenv(wrong[i][0], wrong[i][1], 1);
        snprintf(line, sizeof(line), "input.conf:2: %s", wrong[i][2]);
        conf_refuse(ASKS, line);
        set_azure(state);
    }
}

static int
setup(void **state)
{
    return clear_azure(state) == 0 ? conf_setup(state) : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_alone),
        cmocka_unit_test(a_certificate_with_its_key),
        cmocka_unit_test(defaults_are_taken_whole_or_not_at_all),
        cmocka_unit_test(keys_of_defaults_that_a_grant_does_not_use),
        cmocka_unit_test(redirects),
        cmocka_unit_test(managed_identities),
        cmocka_unit_test(app_passwords),
        cmocka_unit_test_setup_teardown(the_environment_adds_what_is_left_out, set_azure,
                                        clear_azure),
        cmocka_unit_test_setup_teardown(what_the_account_says_goes_first, set_azure,
                                        clear_azure),
        cmocka_unit_test_setup_teardown(who_does_not_ask_gets_nothing, set_azure,
                                        clear_azure),
        cmocka_unit_test(false_is_no_way_to_prove_anything),
        cmocka_unit_test_setup_teardown(a_variable_that_is_missing, set_azure,
                                        clear_azure),
        cmocka_unit_test_setup_teardown(without_an_authority_the_providers, set_azure,
                                        clear_azure),
        cmocka_unit_test_setup_teardown(a_variable_that_is_wrong, set_azure, clear_azure),
    };

    return cmocka_run_group_tests_name("build_account", tests, setup, conf_teardown);
}
