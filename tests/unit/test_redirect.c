/* test_redirect.c - redirect_uri, and what a browser brings back. */
#include "oauth/redirect.h"
#include "oauth_kit.h"

static struct accounts *accounts;

static int
setup(void **state)
{
    if (conf_setup(state) != 0)
        return -1;
    accounts = conf_accept("account alice { client_id = app-1 tenant = t.example }\n");
    return 0;
}

static int
teardown(void **state)
{
    accounts_free(&accounts);
    return conf_teardown(state);
}

/* --- redirect_uri ----------------------------------------------------------------------
 */

static void
target_is(const char *uri, const char *host, int port, const char *path, bool loopback)
{
    struct redirect_target t;
    struct err err = ERR_INIT;

    if (redirect_target_parse(uri, &t, &err) != 0)
        fail_msg("%s: %s", uri, err.text);
    assert_string_equal(t.host, host);
    assert_int_equal(t.port, port);
    assert_string_equal(t.path, path);
    assert_int_equal(t.loopback, loopback);
}

static void
targets(void **state)
{
    (void)state;
    target_is("http://localhost", "localhost", 0, "", true);
    target_is("http://LocalHost:9090/register/", "LocalHost", 9090, "/register/", true);
    target_is("http://127.0.0.1:1/a?b=c", "127.0.0.1", 1, "/a", true);
    target_is("http://[::1]:65535/", "::1", 65535, "/", true);
    target_is("http://[::1]", "::1", 0, "", true);
    target_is("https://localhost:8443/x", "localhost", 8443, "/x", false);
    target_is("https://mail.example.com/back", "mail.example.com", 0, "/back", false);
    target_is("http://127.evil.example/", "127.evil.example", 0, "/", false);
    target_is("http://localhost.example/", "localhost.example", 0, "/", false);
}

static void
target_is_refused(const char *uri)
{
    struct redirect_target t = {.port = 7};
    struct err err = ERR_INIT;

    assert_int_equal(redirect_target_parse(uri, &t, &err), ERR_CONFIG);
    assert_int_equal(t.port, 7);
    assert_non_null(strstr(err.text, "redirect_uri "));
}

static void
targets_that_are_none(void **state)
{
    static char longer[2000] = "http://localhost/";

    (void)state;
    target_is_refused("");
    target_is_refused("localhost:9090");
    target_is_refused("ftp://localhost/");
    target_is_refused("http://");
    target_is_refused("http:///path");
    target_is_refused("http://localhost:0/");
    target_is_refused("http://localhost:65536/");
    target_is_refused("http://localhost:9x/");
    target_is_refused("http://localhost:/");
    target_is_refused("http://[::1/");
    target_is_refused("http://localhost#x");
    memset(longer + 17, 'a', sizeof longer - 18);
    target_is_refused(longer);
}

static void
port_put_in(const char *uri, const char *expected)
{
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(redirect_with_port(uri, 40123, &out, &err), 0);
    kit_assert_secret(&out, expected);
    secret_clear(&out);
}

static void
a_port_is_put_in(void **state)
{
    (void)state;
    port_put_in("http://localhost", "http://localhost:40123");
    port_put_in("http://localhost/", "http://localhost:40123/");
    port_put_in("http://localhost/a?b", "http://localhost:40123/a?b");
    port_put_in("http://localhost:1/a", "http://localhost:40123/a");
    port_put_in("http://[::1]:1/a", "http://[::1]:40123/a");
}

/* --- what comes back -------------------------------------------------------------------
 */

static void
brings(const char *query, const char *code, const char *state, const char *error,
       const char *description)
{
    struct redirect r = REDIRECT_INIT;
    struct err err = ERR_INIT;

    if (redirect_parse(query, strlen(query), &r, &err) != 0)
        fail_msg("%s: %s", query, err.text);
    kit_assert_secret(&r.code, code);
    kit_assert_secret(&r.state, state);
    kit_assert_secret(&r.error, error);
    kit_assert_secret(&r.description, description);
    redirect_clear(&r);
}

static void
queries(void **state)
{
    (void)state;
    brings("", "", "", "", "");
    brings("code=CANARY-1&state=s-2&session_state=x&iss=y", "CANARY-1", "s-2", "", "");
    brings("state=a%20b%2Fc&code=%41", "A", "a b/c", "", "");
    brings("error=access_denied&error_description=no+%0D%0Anever&state=s", "", "s",
           "access_denied", "no \r\nnever");
    brings("&&code=1&&state=2&", "1", "2", "", "");
    brings("code&state=", "", "", "", "");
    brings("codes=1&xcode=2&other&other", "", "", "", "");
    brings("other=%zz", "", "", "", "");
}

static void
query_is_refused(const char *query, size_t len, const char *text)
{
    struct redirect r = REDIRECT_INIT;
    struct err err = ERR_INIT;

    kit_set(&r.code, "before");
    assert_int_equal(redirect_parse(query, len, &r, &err), ERR_PROTOCOL);
    assert_string_equal(err.text, text);
    kit_assert_secret(&r.code, "before");
    redirect_clear(&r);
}

static void
queries_that_are_refused(void **state)
{
    static char longer[REDIRECT_QUERY_MAX + 2];
    static const struct {
        const char *query, *text;
    } cases[] = {
        {"code=1&code=2", "the address names a parameter twice"},
        {"code=1&state=1&state=1", "the address names a parameter twice"},
        {"code&code=2", "the address names a parameter twice"},
        {"error=1&error=1", "the address names a parameter twice"},
        {"code=%", "the address is badly encoded"},
        {"code=%4", "the address is badly encoded"},
        {"code=%4g", "the address is badly encoded"},
        {"code=%00", "the address is badly encoded"},
        {"state=a%0Ab", "the address is badly encoded"},
        {"code=1&error=2", "the address holds both a code and an error"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        query_is_refused(cases[i].query, strlen(cases[i].query), cases[i].text);
    memset(longer, 'a', sizeof longer);
    query_is_refused(longer, REDIRECT_QUERY_MAX + 1,
                     "the address is longer than 16384 bytes");
}

static void
found(const char *text, const char *expected)
{
    const char *query = NULL;
    size_t len = 0;
    struct err err = ERR_INIT;

    if (redirect_find_query(text, strlen(text), &query, &len, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(query, expected, len);
}

static void
pasted_addresses(void **state)
{
    const char *query = NULL;
    size_t len = 0;
    struct err err = ERR_INIT;

    (void)state;
    found("http://localhost/?code=1&state=2", "code=1&state=2");
    found("  <\"http://localhost/?code=1&state=2\">\r\n", "code=1&state=2");
    found("http://localhost/?code=1&state=2#top", "code=1&state=2");
    found("code=1&state=2", "code=1&state=2");
    found("?state=2", "state=2");
    found("https://host/?", "");
    assert_int_equal(redirect_find_query("hello", 5, &query, &len, &err), ERR_USAGE);
    assert_string_equal(err.text, "that is not the address the browser was sent back to");
    assert_int_equal(redirect_find_query("", 0, &query, &len, &err), ERR_USAGE);
    assert_int_equal(redirect_find_query("code", 4, &query, &len, &err), ERR_USAGE);
    assert_null(query);
}

/* --- refusals --------------------------------------------------------------------------
 */

static void
refusal_is(const char *query, int code, const char *text, const char *hint)
{
    struct redirect r = REDIRECT_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(redirect_parse(query, strlen(query), &r, &err), 0);
    assert_int_equal(redirect_refusal(&r, kit_account(accounts, "alice"), &err), code);
    assert_int_equal(err.code, code);
    assert_string_equal(err.text, text);
    assert_string_equal(err.hint, hint);
    redirect_clear(&r);
}

static void
refusals(void **state)
{
    (void)state;
    refusal_is(
        "error=access_denied&error_description=AADSTS65004%3A+No.%0D%0ATrace", ERR_PERSON,
        "AADSTS65004: The person pressed Cancel on the consent page (access_denied)",
        "Sign in again and accept: mailbearer login alice; or an administrator "
        "consents: Entra > App registrations > app-1 > API permissions > Grant "
        "admin consent");
    refusal_is("error=odd_error&error_description=Not+here%0D%0ATrace+ID", ERR_PERSON,
               "the provider refused the sign-in: Not here (odd_error)",
               "try again: mailbearer login alice");
    refusal_is("error=odd_error", ERR_PERSON,
               "the provider refused the sign-in (odd_error)",
               "try again: mailbearer login alice");
}

static void
a_passing_refusal_is_temporary(void **state)
{
    struct redirect r = REDIRECT_INIT;
    struct err err = ERR_INIT;

    (void)state;
    kit_set(&r.error, "temporarily_unavailable");
    assert_int_equal(redirect_refusal(&r, kit_account(accounts, "alice"), &err),
                     ERR_TEMP);
    redirect_clear(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets),
        cmocka_unit_test(targets_that_are_none),
        cmocka_unit_test(a_port_is_put_in),
        cmocka_unit_test(queries),
        cmocka_unit_test(queries_that_are_refused),
        cmocka_unit_test(pasted_addresses),
        cmocka_unit_test(refusals),
        cmocka_unit_test(a_passing_refusal_is_temporary),
    };

    return cmocka_run_group_tests_name("redirect", tests, setup, teardown);
}
