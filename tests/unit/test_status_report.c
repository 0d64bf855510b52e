/* test_status_report.c - an account's state, in one word and as JSON. */
#include "accounts/status_report.h"
#include "base/json.h"
#include "oauth_kit.h"

#define T INT64_C(1700000000)

static const char conf[] =
    "account person { client_id = c user = mailbox@contoso.com }\n"
    "account app { client_id = c grant = client_credentials tenant = t.example\n"
    "              client_secret = CANARY-secret secret_expires = 2027-03-01 }\n"
    "account other { client_id = c provider = google }\n";

static struct accounts *accounts;
static const struct account *person, *app, *other;

static int
setup(void **state)
{
    json_setup();
    if (conf_setup(state) != 0)
        return -1;
    accounts = conf_accept(conf);
    person = accounts_find(accounts, "person");
    app = accounts_find(accounts, "app");
    other = accounts_find(accounts, "other");
    return 0;
}

static int
teardown(void **state)
{
    accounts_free(&accounts);
    return conf_teardown(state);
}

static void
words(void **state)
{
    (void)state;
    assert_string_equal(status_state_name(STATE_OK), "ok");
    assert_string_equal(status_state_name(STATE_IDLE), "idle");
    assert_string_equal(status_state_name(STATE_FAILING), "failing");
    assert_string_equal(status_state_name(STATE_ACTION), "needs-action");
    assert_string_equal(status_state_name(STATE_SIGNED_OUT), "signed-out");
}

static void
states(void **state)
{
    struct record record = RECORD_INIT;

    (void)state;
    assert_int_equal(status_state(person, &record, T), STATE_SIGNED_OUT);
    assert_int_equal(status_state(app, &record, T), STATE_IDLE);
    record.failure.err.code = ERR_TIMEOUT;
    assert_int_equal(status_state(app, &record, T), STATE_FAILING);
    record.failure.err.code = ERR_PERSON;
    assert_int_equal(status_state(app, &record, T), STATE_ACTION);
    record.failure.err.code = ERR_CONFIG;
    assert_int_equal(status_state(app, &record, T), STATE_ACTION);
    /* signing in comes before everything else */
    assert_int_equal(status_state(person, &record, T), STATE_SIGNED_OUT);

    record = kit_token(person, "CANARY-access", T, 3600);
    assert_int_equal(status_state(person, &record, T + 100), STATE_OK);
    assert_int_equal(status_state(person, &record, T + 3599), STATE_SIGNED_OUT);
    kit_set(&record.refresh_token, "CANARY-refresh");
    assert_int_equal(status_state(person, &record, T + 3599), STATE_IDLE);
    record.failure.err.code = ERR_TEMP;
    assert_int_equal(status_state(person, &record, T + 100), STATE_FAILING);
    record.failure.err.code = ERR_PERSON;
    assert_int_equal(status_state(person, &record, T + 100), STATE_ACTION);
    record_clear(&record);
}

static void
reports(const struct account *account, const struct record *record,
        struct status_extra extra, const char *expect)
{
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(status_json(account, record, &extra, T + 100, &out, &err), 0);
    assert_string_equal(secret_str(&out), expect);
    assert_null(strstr(secret_str(&out), "CANARY"));
    secret_clear(&out);
}

static const struct status_extra nothing = {.unsaved = false},
                                 both = {.unsaved = true,
                                         .certificate_expires = 1800000000};

static void
a_server_that_refuses(void **state)
{
    struct failure refusal = {
        .err = {ERR_PERSON, "it said no", "mend it"}, .at = T, .count = 2};
    const struct status_extra refused = {.refusal = &refusal};
    struct record record = kit_token(app, "CANARY-access", T, 3600);

    (void)state;
    reports(app, &record, refused,
            "{\"account\": \"app\", \"user\": \"app\", \"provider\": \"microsoft\", "
            "\"grant\": \"client_credentials\", \"secret_expires\": 1803859200, "
            "\"state\": \"needs-action\", \"obtained_at\": 1700000000, "
            "\"expires_at\": 1700003600, \"refresh_token\": false, \"unsaved\": false, "
            "\"error\": {\"class\": \"action\", \"text\": \"it said no\", \"hint\": "
            "\"mend it\", \"at\": 1700000000, \"count\": 2}}");
    /* why there is no token comes first */
    record.failure =
        (struct failure){.err = {ERR_TEMP, "later", ""}, .at = T, .count = 1};
    reports(app, &record, refused,
            "{\"account\": \"app\", \"user\": \"app\", \"provider\": \"microsoft\", "
            "\"grant\": \"client_credentials\", \"secret_expires\": 1803859200, "
            "\"state\": \"failing\", \"obtained_at\": 1700000000, "
            "\"expires_at\": 1700003600, \"refresh_token\": false, \"unsaved\": false, "
            "\"error\": {\"class\": \"temporary\", \"text\": \"later\", \"hint\": "
            "\"\", \"at\": 1700000000, \"count\": 1}}");
    record_clear(&record);
}

static void
what_is_unknown_is_left_out(void **state)
{
    struct record record = RECORD_INIT;

    (void)state;
    reports(person, &record, nothing,
            "{\"account\": \"person\", \"user\": \"mailbox@contoso.com\", "
            "\"provider\": \"microsoft\", \"grant\": \"authorization_code\", "
            "\"state\": \"signed-out\", \"refresh_token\": false, \"unsaved\": false}");
    reports(app, &record, both,
            "{\"account\": \"app\", \"user\": \"app\", \"provider\": \"microsoft\", "
            "\"grant\": \"client_credentials\", \"secret_expires\": 1803859200, "
            "\"certificate_expires\": 1800000000, \"state\": \"idle\", "
            "\"refresh_token\": false, \"unsaved\": true}");
}

static void
everything(void **state)
{
    struct record record = kit_token(person, "CANARY-access", T, 3600);

    (void)state;
    kit_set(&record.refresh_token, "CANARY-refresh");
    record.refresh_at = T + 1800;
    record.refresh_token_at = T - 50;
    record.scope = strdup("mail offline_access");
    err_set(&record.failure.err, ERR_TEMP, "HTTP 503 \"busy\"");
    err_hint(&record.failure.err, "wait");
    record.failure.at = T + 90;
    record.failure.retry_at = T + 120;
    record.failure.count = 3;
    reports(person, &record, nothing,
            "{\"account\": \"person\", \"user\": \"mailbox@contoso.com\", "
            "\"provider\": \"microsoft\", \"grant\": \"authorization_code\", "
            "\"state\": \"failing\", \"obtained_at\": 1700000000, "
            "\"expires_at\": 1700003600, \"refresh_at\": 1700001800, "
            "\"scope\": \"mail offline_access\", \"refresh_token\": true, "
            "\"refresh_token_at\": 1699999950, "
            "\"refresh_token_expires\": 1707775950, \"unsaved\": false, "
            "\"error\": {\"class\": \"temporary\", \"text\": \"HTTP 503 \\\"busy\\\"\", "
            "\"hint\": \"wait\", \"at\": 1700000090, \"retry_at\": 1700000120, "
            "\"count\": 3}}");
    record.failure.err.code = ERR_PERSON;
    record.failure.retry_at = 0;
    record.refresh_at = 0;
    reports(person, &record, nothing,
            "{\"account\": \"person\", \"user\": \"mailbox@contoso.com\", "
            "\"provider\": \"microsoft\", \"grant\": \"authorization_code\", "
            "\"state\": \"needs-action\", \"obtained_at\": 1700000000, "
            "\"expires_at\": 1700003600, "
            "\"scope\": \"mail offline_access\", \"refresh_token\": true, "
            "\"refresh_token_at\": 1699999950, "
            "\"refresh_token_expires\": 1707775950, \"unsaved\": false, "
            "\"error\": {\"class\": \"action\", \"text\": \"HTTP 503 \\\"busy\\\"\", "
            "\"hint\": \"wait\", \"at\": 1700000090, \"count\": 3}}");
    record_clear(&record);
}

/* Only of Microsoft's it is known, and only while there is one. */
static void
refresh_tokens_end(void **state)
{
    struct record record = RECORD_INIT;

    (void)state;
    record.refresh_token_at = T;
    reports(person, &record, nothing,
            "{\"account\": \"person\", \"user\": \"mailbox@contoso.com\", "
            "\"provider\": \"microsoft\", \"grant\": \"authorization_code\", "
            "\"state\": \"signed-out\", \"refresh_token\": false, "
            "\"refresh_token_at\": 1700000000, \"unsaved\": false}");
    kit_set(&record.refresh_token, "CANARY-refresh");
    reports(other, &record, nothing,
            "{\"account\": \"other\", \"user\": \"other\", "
            "\"provider\": \"google\", \"grant\": \"authorization_code\", "
            "\"state\": \"idle\", \"refresh_token\": true, "
            "\"refresh_token_at\": 1700000000, \"unsaved\": false}");
    record.refresh_token_at = 0;
    reports(person, &record, nothing,
            "{\"account\": \"person\", \"user\": \"mailbox@contoso.com\", "
            "\"provider\": \"microsoft\", \"grant\": \"authorization_code\", "
            "\"state\": \"idle\", \"refresh_token\": true, \"unsaved\": false}");
    record_clear(&record);
}

static void
no_room(void **state)
{
    struct record record = RECORD_INIT;
    struct secret out = {.max = 20};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(status_json(person, &record, &nothing, T, &out, &err), ERR_NOMEM);
    assert_int_equal(err.code, ERR_NOMEM);
    secret_clear(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(states),
        cmocka_unit_test(what_is_unknown_is_left_out),
        cmocka_unit_test(a_server_that_refuses),
        cmocka_unit_test(everything),
        cmocka_unit_test(refresh_tokens_end),
        cmocka_unit_test(no_room),
    };

    return cmocka_run_group_tests_name("status_report", tests, setup, teardown);
}
