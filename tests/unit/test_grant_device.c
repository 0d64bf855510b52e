/* test_grant_device.c - device codes: what is asked, how often, how it ends. */
#include "oauth/grant_device.h"
#include "oauth_kit.h"

#define NOW 1000000 /* milliseconds */

static const char conf[] =
    "provider idp { token_endpoint = \"https://idp.example.com/token\"\n"
    "               scope = \"mail offline_access\" }\n"
    "account alice { client_id = app-1 tenant = t.example client_secret = x }\n"
    "account plain { client_id = p-3 provider = idp client_secret = x }\n";

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

static struct reply_input
reply(const char *account, long status, const char *body)
{
    return (struct reply_input){.account = kit_account(accounts, account),
                                .status = status,
                                .body = body,
                                .len = strlen(body),
                                .now = 1700000000};
}

static const char code[] =
    "{\"device_code\":\"CANARY-device\",\"user_code\":\"ABCD-1234\","
    "\"verification_uri\":\"https://microsoft.com/devicelogin\",\"expires_in\":900,"
    "\"interval\":7}";

static struct grant_device
begun(const char *body)
{
    struct grant_device d = {.device_code = SECRET_INIT};
    struct reply_input in = reply("plain", 200, body);
    struct err err = ERR_INIT;

    if (grant_device_begin(&in, NOW, &d, &err) != 0)
        fail_msg("%s: %s", body, err.text);
    return d;
}

/* --- the code --------------------------------------------------------------------------
 */

static void
asks_with(const char *account, const char *body)
{
    struct credential credential = CREDENTIAL_INIT;
    struct http_request request = {0};
    struct err err = ERR_INIT;

    kit_set(&credential.secret, "CANARY-secret");
    assert_int_equal(grant_device_begin_request(
                         kit_account(accounts, account), "https://idp.example.com/device",
                         "https://idp.example.com/token", "mail openid", &credential, 0,
                         &request, &err),
                     0);
    kit_assert_secret(&request.body, body);
    assert_string_equal(request.url, "https://idp.example.com/device");
    http_request_clear(&request);
    credential_clear(&credential);
}

static void
the_first_request(void **state)
{
    (void)state;
    asks_with("plain", "client_id=p-3&client_secret=CANARY-secret&scope=mail%20openid");
    /* Entra refuses a secret here */
    asks_with("alice", "client_id=app-1&scope=mail%20openid");
}

static void
the_code(void **state)
{
    struct grant_device d = begun(code);

    (void)state;
    kit_assert_secret(&d.device_code, "CANARY-device");
    assert_string_equal(d.user_code, "ABCD-1234");
    assert_string_equal(d.address, "https://microsoft.com/devicelogin");
    assert_string_equal(d.address_with_code, "");
    assert_int_equal(d.interval_ms, 7000);
    assert_int_equal(d.expires_ms, NOW + 900000);
    assert_int_equal(grant_device_wait(&d, NOW), 7000);
    assert_int_equal(grant_device_wait(&d, NOW + 6999), 1);
    assert_int_equal(grant_device_wait(&d, NOW + 7000), 0);
    assert_int_equal(grant_device_wait(&d, NOW + 899999), 0);
    assert_int_equal(grant_device_wait(&d, NOW + 900000), -1);
    grant_device_clear(&d);
}

static void
what_may_be_missing_or_odd(void **state)
{
    struct grant_device d = begun("{\"device_code\":\"d\",\"user_code\":\"u\","
                                  "\"verification_url\":\"https://google.com/device\"}");

    (void)state;
    assert_string_equal(d.address, "https://google.com/device");
    assert_int_equal(d.interval_ms, 5000);
    assert_int_equal(d.expires_ms, NOW + 900000);
    grant_device_clear(&d);
    d = begun("{\"device_code\":\"d\",\"user_code\":\"u\",\"interval\":0,"
              "\"expires_in\":99999999,\"verification_uri\":\"https://x.example/\","
              "\"verification_uri_complete\":\"https://x.example/?u=u\"}");
    assert_string_equal(d.address_with_code, "https://x.example/?u=u");
    assert_int_equal(d.interval_ms, 1000);
    assert_int_equal(d.expires_ms, NOW + 3600000);
    grant_device_clear(&d);
    d = begun("{\"device_code\":\"d\",\"user_code\":\"u\",\"interval\":100000,"
              "\"verification_uri\":\"https://x.example/\","
              "\"verification_uri_complete\":\"javascript:x\"}");
    assert_string_equal(d.address_with_code, "");
    assert_int_equal(d.interval_ms, 60000);
    grant_device_clear(&d);
}

static void
begin_fails(long status, const char *body, int error, const char *text)
{
    struct grant_device d = {.device_code = SECRET_INIT, .faults = 9};
    struct reply_input in = reply("plain", status, body);
    struct err err = ERR_INIT;

    assert_int_equal(grant_device_begin(&in, NOW, &d, &err), error);
    assert_string_equal(err.text, text);
    assert_int_equal(d.faults, 9);
}

static void
no_usable_code(void **state)
{
    static const char none[] = "the provider's answer holds no usable device code";

    (void)state;
    begin_fails(200, "{}", ERR_PROTOCOL, none);
    begin_fails(200, "{\"device_code\":\"d\",\"user_code\":\"u\"}", ERR_PROTOCOL, none);
    begin_fails(200,
                "{\"device_code\":\"\",\"user_code\":\"u\","
                "\"verification_uri\":\"https://x.example/\"}",
                ERR_PROTOCOL, none);
    begin_fails(200,
                "{\"device_code\":\"d\",\"user_code\":\"u\\u001b[2J\","
                "\"verification_uri\":\"https://x.example/\"}",
                ERR_PROTOCOL, none);
    begin_fails(200,
                "{\"device_code\":\"d\",\"user_code\":\"u\","
                "\"verification_uri\":\"javascript:x\"}",
                ERR_PROTOCOL, none);
    begin_fails(200, "<html>", ERR_PROTOCOL,
                "the token endpoint's reply is not JSON (not JSON: syntax error at line "
                "1, column 1)");
    begin_fails(200, "{\"device_code\":\"CANARY\"", ERR_PROTOCOL,
                "the token endpoint's reply is not JSON (not JSON: ends too early at "
                "line 1, column 23)");
}

static void
google_and_mail(void **state)
{
    struct grant_device d = {.device_code = SECRET_INIT};
    struct reply_input in = reply("plain", 400, "{\"error\":\"invalid_scope\"}");
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(grant_device_begin(&in, NOW, &d, &err), ERR_PERSON);
    assert_string_equal(err.hint,
                        "the provider does not give this scope to device codes (Google "
                        "never does for mail): mailbearer login plain --browser, or "
                        "--paste");
}

/* --- polling ---------------------------------------------------------------------------
 */

static void
the_question(void **state)
{
    struct grant_device d = begun(code);
    struct credential credential = CREDENTIAL_INIT;
    struct http_request request = {0};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(grant_device_poll_request(&d, kit_account(accounts, "plain"),
                                               "https://idp.example.com/token",
                                               &credential, 0, &request, &err),
                     0);
    kit_assert_secret(&request.body,
                      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
                      "&device_code=CANARY-device&client_id=p-3");
    assert_string_equal(request.url, "https://idp.example.com/token");
    http_request_clear(&request);
    grant_device_clear(&d);
}

/* Polls at now_ms, and is to ask again `wait` later. */
static void
again(struct grant_device *d, long status, const char *body, int64_t retry_after,
      int64_t now_ms, int64_t wait)
{
    struct record record = RECORD_INIT;
    struct reply_input in = reply("plain", status, body);
    struct err err = ERR_INIT;
    bool more = false;

    if (grant_device_poll(d, &in, NULL, retry_after, now_ms, &more, &record, &err) != 0)
        fail_msg("%s: %s", body, err.text);
    assert_true(more);
    assert_int_equal(err.code, ERR_NONE); /* err is for failures alone */
    assert_int_equal(grant_device_wait(d, now_ms), wait);
    assert_int_equal(record.access_token.len, 0);
    record_clear(&record);
}

static const char pending[] = "{\"error\":\"authorization_pending\"}";
static const char slower[] = "{\"error\":\"slow_down\"}";

static void
the_pace(void **state)
{
    struct grant_device d = begun(code);

    (void)state;
    again(&d, 400, pending, 0, NOW, 7000);
    again(&d, 400, slower, 0, NOW, 12000);
    again(&d, 400, pending, 0, NOW, 12000);
    again(&d, 400, slower, 0, NOW, 17000);
    again(&d, 400, pending, 0, NOW, 17000);
    /* some answer these with another status */
    again(&d, 428, pending, 0, NOW, 17000);
    again(&d, 429, slower, 30, NOW, 30000);
    assert_int_equal(d.trouble.code, ERR_NONE);
    grant_device_clear(&d);
}

static void
fault(struct grant_device *d, int64_t wait)
{
    struct record record = RECORD_INIT;
    struct err failed = ERR_INIT, err = ERR_INIT;
    bool more = false;

    err_set(&failed, ERR_TEMP, "idp.example.com: cannot connect");
    assert_int_equal(grant_device_poll(d, NULL, &failed, 0, NOW, &more, &record, &err),
                     0);
    assert_true(more);
    assert_string_equal(d->trouble.text, "idp.example.com: cannot connect");
    assert_int_equal(grant_device_wait(d, NOW), wait);
}

static void
faults_slow_it_down_for_a_while(void **state)
{
    struct grant_device d = begun(code);

    (void)state;
    fault(&d, 14000);
    fault(&d, 28000);
    fault(&d, 56000);
    fault(&d, 60000);
    fault(&d, 60000);
    again(&d, 400, pending, 0, NOW, 7000);
    assert_int_equal(d.trouble.code, ERR_NONE);
    again(&d, 503, "busy", 0, NOW, 14000);
    assert_int_equal(d.trouble.code, ERR_TEMP);
    again(&d, 429, "{\"error\":\"temporarily_unavailable\"}", 50, NOW, 50000);
    grant_device_clear(&d);
}

static void
ends(const char *account, long status, const char *body, int error, bool other_way,
     const char *text, const char *hint)
{
    struct grant_device d = begun(code);
    struct record record = RECORD_INIT;
    struct reply_input in = reply(account, status, body);
    struct err err = ERR_INIT;
    bool more = true;

    assert_int_equal(grant_device_poll(&d, &in, NULL, 0, NOW, &more, &record, &err),
                     error);
    assert_false(more);
    assert_int_equal(d.other_way, other_way);
    assert_string_equal(err.text, text);
    assert_string_equal(err.hint, hint);
    assert_int_equal(record.access_token.len, 0);
    grant_device_clear(&d);
}

static void
how_it_ends(void **state)
{
    (void)state;
    ends("plain", 400, "{\"error\":\"expired_token\"}", ERR_PERSON, false,
         "the code ended before anybody signed in with it",
         "get another one: mailbearer login plain --device");
    ends("plain", 400, "{\"error\":\"access_denied\"}", ERR_PERSON, false,
         "the sign-in was declined (access_denied)",
         "sign in again and accept: mailbearer login plain");
    ends("plain", 400, "{\"error\":\"authorization_declined\"}", ERR_PERSON, false,
         "the sign-in was declined (authorization_declined)",
         "sign in again and accept: mailbearer login plain");
    ends("plain", 400, "{\"error\":\"bad_verification_code\"}", ERR_PERSON, false,
         "the provider does not know the device code (bad_verification_code)",
         "get another one: mailbearer login plain --device");
    ends(
        "alice", 400,
        "{\"error\":\"invalid_grant\",\"error_codes\":[53003],"
        "\"error_description\":\"AADSTS53003: x\"}",
        ERR_PERSON, true,
        "AADSTS53003: Conditional Access blocked the token (this is also what a block "
        "of device sign-ins looks like) (invalid_grant, HTTP 400)",
        "a policy may block sign-ins by device code: sign in with mailbearer login alice "
        "--browser, or --paste; else Entra > Sign-in logs > Conditional Access names "
        "the policy");
    ends("alice", 401,
         "{\"error\":\"invalid_client\",\"error_codes\":[7000218],"
         "\"error_description\":\"AADSTS7000218: x\"}",
         ERR_PERSON, true,
         "AADSTS7000218: A secret is missing, or public client flows are not allowed "
         "(invalid_client, HTTP 401)",
         "Entra > App registrations > app-1 > Authentication > Allow public client flows "
         "= Yes, with the redirect address under Mobile and desktop applications (not "
         "Web); or set client_secret_file");
    /* The code is used up: there is nothing to ask again for. */
    ends("plain", 200, "{}", ERR_PROTOCOL, false,
         "the token endpoint sent no access token", "");
}

static void
signed_in(void **state)
{
    struct grant_device d = begun(code);
    struct record record = RECORD_INIT;
    struct reply_input in =
        reply("plain", 200,
              "{\"access_token\":\"CANARY-a\",\"refresh_token\":\"CANARY-r\","
              "\"expires_in\":3600}");
    struct err err = ERR_INIT;
    bool more = true;

    (void)state;
    assert_int_equal(grant_device_poll(&d, &in, NULL, 0, NOW, &more, &record, &err), 0);
    assert_false(more);
    kit_assert_secret(&record.access_token, "CANARY-a");
    kit_assert_secret(&record.refresh_token, "CANARY-r");
    record_clear(&record);
    grant_device_clear(&d);
    assert_int_equal(d.device_code.len, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_request),
        cmocka_unit_test(the_code),
        cmocka_unit_test(what_may_be_missing_or_odd),
        cmocka_unit_test(no_usable_code),
        cmocka_unit_test(google_and_mail),
        cmocka_unit_test(the_question),
        cmocka_unit_test(the_pace),
        cmocka_unit_test(faults_slow_it_down_for_a_while),
        cmocka_unit_test(how_it_ends),
        cmocka_unit_test(signed_in),
    };

    return cmocka_run_group_tests_name("grant_device", tests, setup, teardown);
}
