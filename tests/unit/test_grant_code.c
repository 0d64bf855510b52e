/* test_grant_code.c - the address to open, the answer to it, the code's exchange. */
#include <stdlib.h>

#include "oauth/grant_code.h"
#include "oauth_kit.h"

static const char conf[] =
    "provider idp { token_endpoint = \"https://idp.example.com/token\"\n"
    "               authorization_endpoint = \"https://idp.example.com/authorize?a=b\"\n"
    "               scope = \"mail offline_access\" }\n"
    "account alice { client_id = app-1 tenant = t.example\n"
    "                login_hint = \"alice@contoso.com\" }\n"
    "account google { client_id = g-2 provider = google }\n"
    "account plain { client_id = p-3 provider = idp login_hint = \"a b\" }\n"
    "account hve { client_id = h-4 provider = microsoft-hve tenant = t.example }\n"
    "account secret { client_id = s-5 provider = idp client_secret = x }\n";

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

/* --- scope -----------------------------------------------------------------------------
 */

static void
scope_is(const char *account, bool openid, const char *expected)
{
    struct secret scope = SECRET_INIT;
    struct err err = ERR_INIT;

    kit_set(&scope, "old");
    assert_int_equal(grant_scope(kit_account(accounts, account), openid, &scope, &err),
                     0);
    kit_assert_secret(&scope, expected);
    secret_clear(&scope);
}

static void
scopes(void **state)
{
    (void)state;
    scope_is("alice", false,
             "https://outlook.office.com/SMTP.Send "
             "https://outlook.office.com/IMAP.AccessAsUser.All "
             "https://outlook.office.com/POP.AccessAsUser.All offline_access openid "
             "profile");
    scope_is("hve", false,
             "https://outlook.office.com/.default offline_access openid profile");
    scope_is("google", false, "https://mail.google.com/ openid email");
    scope_is("plain", false, "mail offline_access");
    scope_is("plain", true, "mail offline_access openid profile email");
}

/* --- the address -----------------------------------------------------------------------
 */

/* RFC 7636, appendix B, and a state of our own. */
static struct grant_code
known_grant(const char *redirect_uri)
{
    struct grant_code g = GRANT_CODE_INIT;

    kit_set(&g.state, "CANARY-state");
    kit_set(&g.verifier, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    kit_set(&g.redirect_uri, redirect_uri);
    return g;
}

static void
address_is(const char *account, const char *scope, const char *expected)
{
    const struct account *a = kit_account(accounts, account);
    struct grant_code g = known_grant("http://localhost:9090/back");
    struct secret url = SECRET_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(
        grant_code_url(&g, a, a->provider.authorization_endpoint, scope, &url, &err), 0);
    kit_assert_secret(&url, expected);
    secret_clear(&url);
    grant_code_clear(&g);
}

static void
addresses(void **state)
{
    (void)state;
    address_is("alice", "mail openid",
               "https://login.microsoftonline.com/t.example/oauth2/v2.0/authorize"
               "?client_id=app-1&response_type=code"
               "&redirect_uri=http%3A%2F%2Flocalhost%3A9090%2Fback&response_mode=query"
               "&scope=mail%20openid&state=CANARY-state"
               "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
               "&code_challenge_method=S256&login_hint=alice%40contoso.com"
               "&prompt=select_account");
    address_is("google", "s",
               "https://accounts.google.com/o/oauth2/v2/auth"
               "?client_id=g-2&response_type=code"
               "&redirect_uri=http%3A%2F%2Flocalhost%3A9090%2Fback"
               "&scope=s&state=CANARY-state"
               "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
               "&code_challenge_method=S256&login_hint=google"
               "&access_type=offline&prompt=consent");
    /* an endpoint with a query of its own, no scope, nothing to add */
    address_is("plain", "",
               "https://idp.example.com/authorize?a=b&client_id=p-3&response_type=code"
               "&redirect_uri=http%3A%2F%2Flocalhost%3A9090%2Fback&state=CANARY-state"
               "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
               "&code_challenge_method=S256&login_hint=a%20b");
}

static void
each_sign_in_has_its_own_state_and_verifier(void **state)
{
    struct grant_code a = GRANT_CODE_INIT, b = GRANT_CODE_INIT;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(grant_code_begin("http://localhost", &a, &err), 0);
    assert_int_equal(grant_code_begin("http://localhost", &b, &err), 0);
    assert_int_equal(a.state.len, 43);
    assert_int_equal(a.verifier.len, 43);
    kit_assert_secret(&a.redirect_uri, "http://localhost");
    assert_false(secret_equal(&a.state, &b.state));
    assert_false(secret_equal(&a.verifier, &b.verifier));
    assert_false(secret_equal(&a.state, &a.verifier));
    grant_code_clear(&a);
    grant_code_clear(&b);
    assert_int_equal(a.state.len, 0);
}

/* --- the answer ------------------------------------------------------------------------
 */

static enum grant_code_verdict
judged(const char *query)
{
    struct grant_code g = known_grant("http://localhost");
    struct redirect r = REDIRECT_INIT;
    struct err err = ERR_INIT;
    enum grant_code_verdict verdict;

    assert_int_equal(redirect_parse(query, strlen(query), &r, &err), 0);
    verdict = grant_code_judge(&g, &r);
    redirect_clear(&r);
    grant_code_clear(&g);
    return verdict;
}

static void
answers(void **state)
{
    struct grant_code none = GRANT_CODE_INIT;
    struct redirect r = REDIRECT_INIT;

    (void)state;
    assert_int_equal(judged("code=1&state=CANARY-state"), GRANT_CODE_GOOD);
    assert_int_equal(judged("error=no&state=CANARY-state"), GRANT_CODE_REFUSED);
    assert_int_equal(judged("code=1&state=CANARY-stat"), GRANT_CODE_WRONG_STATE);
    assert_int_equal(judged("code=1&state=CANARY-statf"), GRANT_CODE_WRONG_STATE);
    assert_int_equal(judged("code=1&state=CANARY-statee"), GRANT_CODE_WRONG_STATE);
    assert_int_equal(judged("code=1&state="), GRANT_CODE_WRONG_STATE);
    assert_int_equal(judged("code=1"), GRANT_CODE_WRONG_STATE);
    assert_int_equal(judged("error=no"), GRANT_CODE_WRONG_STATE);
    assert_int_equal(judged("state=CANARY-state"), GRANT_CODE_EMPTY);
    assert_int_equal(judged("code=&state=CANARY-state"), GRANT_CODE_EMPTY);
    /* no sign-in has begun: an empty state is not ours */
    kit_set(&r.code, "1");
    assert_int_equal(grant_code_judge(&none, &r), GRANT_CODE_WRONG_STATE);
    redirect_clear(&r);
}

/* --- the exchange ----------------------------------------------------------------------
 */

static void
exchange_is(const char *account, const char *secret, const char *expected)
{
    const struct account *a = kit_account(accounts, account);
    struct grant_code g = known_grant("http://localhost:9090/back");
    struct credential credential = CREDENTIAL_INIT;
    struct secret code = SECRET_INIT;
    struct http_request request = {0};
    struct err err = ERR_INIT;

    kit_set(&code, "CANARY/code");
    kit_set(&credential.secret, secret);
    assert_int_equal(grant_code_request(&g, a, "https://t.example/token", "mail openid",
                                        &code, &credential, 0, &request, &err),
                     0);
    kit_assert_secret(&request.body, expected);
    assert_string_equal(request.url, "https://t.example/token");
    http_request_clear(&request);
    secret_clear(&code);
    credential_clear(&credential);
    grant_code_clear(&g);
}

static void
exchanges(void **state)
{
    (void)state;
    exchange_is("plain", "",
                "grant_type=authorization_code&code=CANARY%2Fcode"
                "&redirect_uri=http%3A%2F%2Flocalhost%3A9090%2Fback"
                "&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
                "&client_id=p-3");
    exchange_is("secret", "CANARY-secret",
                "grant_type=authorization_code&code=CANARY%2Fcode"
                "&redirect_uri=http%3A%2F%2Flocalhost%3A9090%2Fback"
                "&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
                "&client_id=s-5&client_secret=CANARY-secret");
    exchange_is("alice", "",
                "grant_type=authorization_code&code=CANARY%2Fcode"
                "&redirect_uri=http%3A%2F%2Flocalhost%3A9090%2Fback"
                "&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
                "&scope=mail%20openid&client_id=app-1");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes),
        cmocka_unit_test(addresses),
        cmocka_unit_test(each_sign_in_has_its_own_state_and_verifier),
        cmocka_unit_test(answers),
        cmocka_unit_test(exchanges),
    };

    return cmocka_run_group_tests_name("grant_code", tests, setup, teardown);
}
