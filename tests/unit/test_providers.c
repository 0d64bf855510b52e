/* test_providers.c - what each built-in provider brings, written out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "accounts/accounts.h"
#include "accounts/providers.h"
#include "conf_file.h"

struct expected {
    const char *provider;
    const char *settings; /* of the account, besides provider, client_id and secret */
    const char *endpoint;
    const char *scope;
    const char *smtp, *imap, *pop3; /* host:port:security; "" none */
    int min_remaining;
    bool is_microsoft;
};

static const char delegated_global[] =
    "https://outlook.office.com/SMTP.Send "
    "https://outlook.office.com/IMAP.AccessAsUser.All "
    "https://outlook.office.com/POP.AccessAsUser.All offline_access";

static const struct expected signed_in[] = {
    {"microsoft", "", "https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
     delegated_global, "smtp.office365.com:587:starttls", "outlook.office365.com:993:tls",
     "outlook.office365.com:995:tls", 300, true},
    {"microsoft-personal", "",
     "https://login.microsoftonline.com/consumers/oauth2/v2.0/token", delegated_global,
     "smtp-mail.outlook.com:587:starttls", "outlook.office365.com:993:tls",
     "outlook.office365.com:995:tls", 300, true},
    {"microsoft-gcc-high", "",
     "https://login.microsoftonline.us/organizations/oauth2/v2.0/token",
     "https://outlook.office365.us/SMTP.Send "
     "https://outlook.office365.us/IMAP.AccessAsUser.All "
     "https://outlook.office365.us/POP.AccessAsUser.All offline_access",
     "outlook.office365.us:587:starttls", "outlook.office365.us:993:tls",
     "outlook.office365.us:995:tls", 300, true},
    {"microsoft-dod", "",
     "https://login.microsoftonline.us/organizations/oauth2/v2.0/token",
     "https://outlook-dod.office365.us/SMTP.Send "
     "https://outlook-dod.office365.us/IMAP.AccessAsUser.All "
     "https://outlook-dod.office365.us/POP.AccessAsUser.All offline_access",
     "outlook-dod.office365.us:587:starttls", "outlook-dod.office365.us:993:tls",
     "outlook-dod.office365.us:995:tls", 300, true},
    {"microsoft-china", "",
     "https://login.partner.microsoftonline.cn/organizations/oauth2/v2.0/token",
     "https://partner.outlook.cn/SMTP.Send "
     "https://partner.outlook.cn/IMAP.AccessAsUser.All "
     "https://partner.outlook.cn/POP.AccessAsUser.All offline_access",
     "smtp.partner.outlook.cn:587:starttls", "partner.outlook.cn:993:tls",
     "partner.outlook.cn:995:tls", 300, true},
    {"microsoft-hve", "",
     "https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
     "https://outlook.office.com/.default offline_access",
     "smtp.hve.mx.microsoft:587:starttls", "", "", 660, true},
    {"google", "", "https://oauth2.googleapis.com/token", "https://mail.google.com/",
     "smtp.gmail.com:587:starttls", "imap.gmail.com:993:tls", "pop.gmail.com:995:tls",
     300, false},
    {"fastmail", "", "https://api.fastmail.com/oauth/refresh",
     "https://www.fastmail.com/dev/protocol-imap "
     "https://www.fastmail.com/dev/protocol-pop "
     "https://www.fastmail.com/dev/protocol-smtp",
     "smtp.fastmail.com:465:tls", "imap.fastmail.com:993:tls", "pop.fastmail.com:995:tls",
     300, false},
    {"yahoo", "", "https://api.login.yahoo.com/oauth2/get_token", "mail-w",
     "smtp.mail.yahoo.com:465:tls", "imap.mail.yahoo.com:993:tls",
     "pop.mail.yahoo.com:995:tls", 300, false},
};

#define APP "grant = client_credentials tenant = t.example"

static const struct expected app_only[] = {
    {"microsoft", APP, "https://login.microsoftonline.com/t.example/oauth2/v2.0/token",
     "https://outlook.office365.com/.default", "smtp.office365.com:587:starttls",
     "outlook.office365.com:993:tls", "outlook.office365.com:995:tls", 300, true},
    {"microsoft-gcc-high", APP,
     "https://login.microsoftonline.us/t.example/oauth2/v2.0/token",
     "https://outlook.office365.us/.default", "outlook.office365.us:587:starttls",
     "outlook.office365.us:993:tls", "outlook.office365.us:995:tls", 300, true},
    {"microsoft-dod", APP, "https://login.microsoftonline.us/t.example/oauth2/v2.0/token",
     "https://outlook-dod.office365.us/.default", "outlook-dod.office365.us:587:starttls",
     "outlook-dod.office365.us:993:tls", "outlook-dod.office365.us:995:tls", 300, true},
    {"microsoft-china", APP,
     "https://login.partner.microsoftonline.cn/t.example/oauth2/v2.0/token",
     "https://partner.outlook.cn/.default", "smtp.partner.outlook.cn:587:starttls",
     "partner.outlook.cn:993:tls", "partner.outlook.cn:995:tls", 300, true},
    {"microsoft-hve", APP,
     "https://login.microsoftonline.com/t.example/oauth2/v2.0/token",
     "https://outlook.office.com/.default", "smtp.hve.mx.microsoft:587:starttls", "", "",
     660, true},
};

/* Where one signs in and out, and what a request to sign in has besides. */
static const struct {
    const char *provider;
    const char *authorize, *device, *revoke, *extra; /* NULL: none */
} sign_in[] = {
    {"microsoft", "https://login.microsoftonline.com/t.example/oauth2/v2.0/authorize",
     "https://login.microsoftonline.com/t.example/oauth2/v2.0/devicecode", NULL,
     "prompt=select_account"},
    {"microsoft-personal",
     "https://login.microsoftonline.com/consumers/oauth2/v2.0/authorize",
     "https://login.microsoftonline.com/consumers/oauth2/v2.0/devicecode", NULL,
     "prompt=select_account"},
    {"microsoft-gcc-high",
     "https://login.microsoftonline.us/t.example/oauth2/v2.0/authorize",
     "https://login.microsoftonline.us/t.example/oauth2/v2.0/devicecode", NULL,
     "prompt=select_account"},
    {"microsoft-dod", "https://login.microsoftonline.us/t.example/oauth2/v2.0/authorize",
     "https://login.microsoftonline.us/t.example/oauth2/v2.0/devicecode", NULL,
     "prompt=select_account"},
    {"microsoft-china",
     "https://login.partner.microsoftonline.cn/t.example/oauth2/v2.0/authorize",
     "https://login.partner.microsoftonline.cn/t.example/oauth2/v2.0/devicecode", NULL,
     "prompt=select_account"},
    {"microsoft-hve", "https://login.microsoftonline.com/t.example/oauth2/v2.0/authorize",
     "https://login.microsoftonline.com/t.example/oauth2/v2.0/devicecode", NULL,
     "prompt=select_account"},
    {"google", "https://accounts.google.com/o/oauth2/v2/auth",
     "https://oauth2.googleapis.com/device/code", "https://oauth2.googleapis.com/revoke",
     "access_type=offline&prompt=consent"},
    {"fastmail", "https://api.fastmail.com/oauth/authorize", NULL, NULL, NULL},
    {"yahoo", "https://api.login.yahoo.com/oauth2/request_auth", NULL, NULL, NULL},
};

/* What managed identities ask tokens for. */
static const char *const resources[][2] = {
    {"microsoft", "https://outlook.office365.com"},
    {"microsoft-gcc-high", "https://outlook.office365.us"},
    {"microsoft-dod", "https://outlook-dod.office365.us"},
    {"microsoft-china", "https://partner.outlook.cn"},
    {"microsoft-hve", "https://outlook.office.com"},
};

static void
check_text(const char *text, const char *expected)
{
    assert_string_equal(text != NULL ? text : "(none)",
                        expected != NULL ? expected : "(none)");
}

static void
check_server(const struct server *server, const char *expected)
{
    char text[300] = "";

    if (server->host != NULL)
        snprintf(text, sizeof(text), "%s:%d:%s", server->host, server->port,
                 server->security == SECURITY_TLS ? "tls" : "starttls");
    assert_string_equal(text, expected);
}

static void
check_all(const struct expected *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct expected *x = &list[i];
        char text[512];
        struct accounts *accounts;
        const struct account *a;

        snprintf(text, sizeof(text),
                 "account a { client_id = c client_secret_file = /s provider = %s %s }\n",
                 x->provider, x->settings);
        accounts = conf_accept(text);
        a = &accounts->account[0];
        assert_string_equal(a->provider.name, x->provider);
        assert_string_equal(a->provider.token_endpoint, x->endpoint);
        assert_string_equal(a->scope, x->scope);
        check_server(&a->server[PROTOCOL_SMTP], x->smtp);
        check_server(&a->server[PROTOCOL_IMAP], x->imap);
        check_server(&a->server[PROTOCOL_POP3], x->pop3);
        assert_int_equal(a->min_remaining, x->min_remaining);
        assert_int_equal(a->provider.is_microsoft, x->is_microsoft);
        assert_int_equal(a->provider.client_auth, CLIENT_AUTH_POST);
        accounts_free(&accounts);
    }
}

static void
accounts_that_sign_in(void **state)
{
    size_t count;

    (void)state;
    provider_presets(&count);
    assert_int_equal(count, sizeof(signed_in) / sizeof(*signed_in));
    check_all(signed_in, count);
}

static void
accounts_of_applications(void **state)
{
    (void)state;
    check_all(app_only, sizeof(app_only) / sizeof(*app_only));
}

static void
where_to_sign_in(void **state)
{
    size_t count;

    (void)state;
    provider_presets(&count);
    assert_int_equal(count, sizeof(sign_in) / sizeof(*sign_in));
    for (size_t i = 0; i < count; i++) {
        bool tenant = strncmp(sign_in[i].authorize, "https://login.", 14) == 0 &&
                      strstr(sign_in[i].authorize, "/t.example/") != NULL;
        char text[256];
        struct accounts *accounts;
        const struct provider *p;

        snprintf(text, sizeof(text), "account a { client_id = c provider = %s %s }\n",
                 sign_in[i].provider, tenant ? "tenant = t.example" : "");
        accounts = conf_accept(text);
        p = &accounts->account[0].provider;
        check_text(p->authorization_endpoint, sign_in[i].authorize);
        check_text(p->device_authorization_endpoint, sign_in[i].device);
        check_text(p->revocation_endpoint, sign_in[i].revoke);
        check_text(p->authorize_extra, sign_in[i].extra);
        check_text(p->issuer, NULL);
        check_text(p->resource, NULL);
        accounts_free(&accounts);
    }
}

static void
resources_of_managed_identities(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(resources) / sizeof(*resources); i++) {
        char text[256];
        struct accounts *accounts;

        snprintf(text, sizeof(text),
                 "account a { grant = managed_identity provider = %s }\n",
                 resources[i][0]);
        accounts = conf_accept(text);
        check_text(accounts->account[0].provider.resource, resources[i][1]);
        accounts_free(&accounts);
    }
}

static void
providers_without_client_credentials(void **state)
{
    static const char *const names[] = {"microsoft-personal", "google", "fastmail",
                                        "yahoo"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char text[256], line[512];

        snprintf(text, sizeof(text),
                 "account a { client_id = c client_secret_file = /s provider = %s\n"
                 "grant = client_credentials }\n",
                 names[i]);
        snprintf(
            line, sizeof(line),
            "input.conf:2: `grant`: `client_credentials` is not offered by provider `%s`"
            " -> remove `grant`: the account then signs in once",
            names[i]);
        conf_refuse(text, line);
    }
}

static void
tenants_of_personal_accounts(void **state)
{
    static const char *const tenants[] = {"consumers", "common",
                                          "9188040d-6c67-4c5b-b112-36a304b66dad"};

    (void)state;
    for (size_t i = 0; i < sizeof(tenants) / sizeof(*tenants); i++) {
        char text[256];
        struct accounts *accounts;

        snprintf(
            text, sizeof(text),
            "account a { client_id = c provider = microsoft-personal tenant = %s }\n",
            tenants[i]);
        accounts = conf_accept(text);
        assert_string_equal(accounts->account[0].tenant, tenants[i]);
        accounts_free(&accounts);
    }
}

static void
a_provider_of_ones_own(void **state)
{
    struct accounts *accounts = conf_accept(
        "provider own {\n"
        "  token_endpoint = \"http://127.8.9.1:8080/{tenant}/token?v={tenant}\"\n"
        "  scope = \"mail offline\"  client_auth = post\n"
        "  smtp = \"mail.example.com:465 tls\" imap = \"mail.example.com:143 starttls\"\n"
        "}\n"
        "provider six { token_endpoint = \"http://[::1]:80/t\" scope = x }\n"
        "provider local { token_endpoint = \"http://LOCALHOST/t\" scope = x }\n"
        "account a { client_id = c provider = own tenant = t1\n"
        "  imap = \"imap.example.com:993 tls\" }\n"
        "account b { client_id = c provider = six grant = client_credentials\n"
        "  client_secret_file = /s scope = y }\n");
    const struct account *a = accounts_find(accounts, "a");
    const struct account *b = accounts_find(accounts, "b");

    (void)state;
    assert_string_equal(a->provider.name, "own");
    assert_false(a->provider.is_microsoft);
    assert_string_equal(a->provider.token_endpoint,
                        "http://127.8.9.1:8080/t1/token?v=t1");
    assert_string_equal(a->scope, "mail offline");
    assert_int_equal(a->min_remaining, 300);
    check_server(&a->server[PROTOCOL_SMTP], "mail.example.com:465:tls");
    check_server(&a->server[PROTOCOL_IMAP], "imap.example.com:993:tls");
    check_server(&a->server[PROTOCOL_POP3], "");
    assert_null(b->tenant);
    assert_string_equal(b->provider.token_endpoint, "http://[::1]:80/t");
    assert_string_equal(b->scope, "y");
    assert_int_equal(b->postfix_keys.count, 0);
    accounts_free(&accounts);
}

static void
a_provider_that_is_discovered(void **state)
{
    struct accounts *accounts = conf_accept(
        "provider found { issuer = \"https://idp.example/realms/{tenant}/\" scope = x }\n"
        "provider local { issuer = \"http://127.0.0.1:8080\" scope = x\n"
        "  token_endpoint = \"https://idp.example/t\" }\n"
        "account a { client_id = c provider = found tenant = t1 }\n"
        "account b { client_id = c provider = local }\n"
        "account c { grant = app_password app_password_file = /p provider = found }\n");
    const struct provider *a = &accounts_find(accounts, "a")->provider;
    const struct provider *b = &accounts_find(accounts, "b")->provider;
    const struct provider *c = &accounts_find(accounts, "c")->provider;

    (void)state;
    check_text(a->issuer, "https://idp.example/realms/t1/"); /* to the last slash */
    check_text(a->token_endpoint, NULL);
    check_text(a->authorization_endpoint, NULL);
    check_text(a->device_authorization_endpoint, NULL);
    check_text(a->revocation_endpoint, NULL);
    check_text(b->issuer, "http://127.0.0.1:8080");
    check_text(b->token_endpoint, "https://idp.example/t");
    check_text(c->issuer, NULL);
    accounts_free(&accounts);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_that_sign_in),
        cmocka_unit_test(accounts_of_applications),
        cmocka_unit_test(where_to_sign_in),
        cmocka_unit_test(resources_of_managed_identities),
        cmocka_unit_test(providers_without_client_credentials),
        cmocka_unit_test(tenants_of_personal_accounts),
        cmocka_unit_test(a_provider_of_ones_own),
        cmocka_unit_test(a_provider_that_is_discovered),
    };

    return cmocka_run_group_tests_name("providers", tests, conf_setup, conf_teardown);
}
