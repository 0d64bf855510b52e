/* test_status_prometheus.c - the exposition, byte for byte (a parser reads it in
 * ../integration/status.bats). */
#include "commands/status_prometheus.h"
#include "oauth_kit.h"

#define T INT64_C(1700000000)

static int
setup(void **state)
{
    (void)state;
    json_setup();
    return 0;
}

static void
add(struct status_prometheus *p, const char *text)
{
    struct json *json = NULL;
    struct err err = ERR_INIT;

    if (json_parse(text, strlen(text), &json, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(status_prometheus_add(p, json, T), 0);
    json_free(&json);
}

static void
writes(struct status_prometheus *p, const char *expect)
{
    struct secret out = SECRET_INIT;

    assert_int_equal(status_prometheus_write(p, &out), 0);
    assert_string_equal(secret_str(&out), expect);
    secret_clear(&out);
    status_prometheus_free(&p);
    assert_null(p);
}

static void
no_accounts(void **state)
{
    (void)state;
    writes(status_prometheus_new(), "");
}

static void
what_is_unknown_has_no_sample(void **state)
{
    struct status_prometheus *p = status_prometheus_new();

    (void)state;
    add(p, "{\"account\": \"a\", \"state\": \"signed-out\", \"unsaved\": false}");
    writes(
        p,
        "# HELP mailbearer_account_state The account's state: 1 for the present one, 0 "
        "for the others.\n"
        "# TYPE mailbearer_account_state gauge\n"
        "mailbearer_account_state{account=\"a\",state=\"ok\"} 0\n"
        "mailbearer_account_state{account=\"a\",state=\"idle\"} 0\n"
        "mailbearer_account_state{account=\"a\",state=\"failing\"} 0\n"
        "mailbearer_account_state{account=\"a\",state=\"needs-action\"} 0\n"
        "mailbearer_account_state{account=\"a\",state=\"signed-out\"} 1\n"
        "# HELP mailbearer_refresh_failures Refreshes that failed since the last that "
        "worked.\n"
        "# TYPE mailbearer_refresh_failures gauge\n"
        "mailbearer_refresh_failures{account=\"a\"} 0\n"
        "# HELP mailbearer_tokens_unsaved 1 while tokens are in the agent's memory "
        "alone: the store cannot be written.\n"
        "# TYPE mailbearer_tokens_unsaved gauge\n"
        "mailbearer_tokens_unsaved{account=\"a\"} 0\n");
}

static void
has(const struct secret *text, const char *line)
{
    if (strstr(secret_str(text), line) == NULL)
        fail_msg("not in it: %s\n%s", line, secret_str(text));
}

/* A metric's samples stand together, whatever the order of the accounts. */
static void
everything(void **state)
{
    struct status_prometheus *p = status_prometheus_new();
    struct secret out = SECRET_INIT;

    (void)state;
    add(p, "{\"account\": \"a\", \"state\": \"failing\", \"expires_at\": 1700003600, "
           "\"obtained_at\": 1699999000, \"secret_expires\": 1803859200, "
           "\"certificate_expires\": 1803859201, \"refresh_token_at\": 1699999950, "
           "\"refresh_token_expires\": 1707775950, \"unsaved\": true, "
           "\"error\": {\"count\": 3, \"text\": \"x\"}}");
    add(p, "{\"account\": \"b\", \"state\": \"idle\", \"expires_at\": 1699999999, "
           "\"obtained_at\": 1699990000, \"unsaved\": false}");
    assert_int_equal(status_prometheus_write(p, &out), 0);
    has(&out, "\n# TYPE mailbearer_token_expires_seconds gauge\n"
              "mailbearer_token_expires_seconds{account=\"a\"} 3600\n"
              "mailbearer_token_expires_seconds{account=\"b\"} 0\n# HELP ");
    has(&out, "\n# TYPE mailbearer_last_refresh_timestamp_seconds gauge\n"
              "mailbearer_last_refresh_timestamp_seconds{account=\"a\"} 1699999000\n"
              "mailbearer_last_refresh_timestamp_seconds{account=\"b\"} 1699990000\n"
              "# HELP ");
    has(&out, "\n# TYPE mailbearer_refresh_failures gauge\n"
              "mailbearer_refresh_failures{account=\"a\"} 3\n"
              "mailbearer_refresh_failures{account=\"b\"} 0\n# HELP ");
    has(&out, "\nmailbearer_secret_expires_timestamp_seconds{account=\"a\"} 1803859200\n"
              "# HELP ");
    has(&out, "\nmailbearer_certificate_expires_timestamp_seconds{account=\"a\"} "
              "1803859201\n# HELP ");
    has(&out, "\nmailbearer_refresh_token_last_used_timestamp_seconds{account=\"a\"} "
              "1699999950\n# HELP ");
    has(&out, "\nmailbearer_refresh_token_expires_timestamp_seconds{account=\"a\"} "
              "1707775950\n# HELP ");
    has(&out, "\nmailbearer_tokens_unsaved{account=\"a\"} 1\n"
              "mailbearer_tokens_unsaved{account=\"b\"} 0\n");
    has(&out, "mailbearer_account_state{account=\"a\",state=\"failing\"} 1\n");
    has(&out, "mailbearer_account_state{account=\"b\",state=\"idle\"} 1\n");
    secret_clear(&out);
    status_prometheus_free(&p);
}

static void
names_are_escaped(void **state)
{
    struct status_prometheus *p = status_prometheus_new();
    struct secret out = SECRET_INIT;

    (void)state;
    add(p, "{\"account\": \"a\\\\b\\\"c\\nd{}, =\\u00e9\", \"state\": \"ok\"}");
    assert_int_equal(status_prometheus_write(p, &out), 0);
    has(&out,
        "\nmailbearer_refresh_failures{account=\"a\\\\b\\\"c\\nd{}, =\xc3\xa9\"} 0\n");
    secret_clear(&out);
    status_prometheus_free(&p);
}

static void
no_room(void **state)
{
    struct status_prometheus *p = status_prometheus_new();
    struct secret out = {.max = 30};

    (void)state;
    add(p, "{\"account\": \"a\", \"state\": \"ok\"}");
    assert_int_equal(status_prometheus_write(p, &out), ERR_NOMEM);
    secret_clear(&out);
    status_prometheus_free(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_accounts), cmocka_unit_test(what_is_unknown_has_no_sample),
        cmocka_unit_test(everything),  cmocka_unit_test(names_are_escaped),
        cmocka_unit_test(no_room),
    };

    return cmocka_run_group_tests_name("status_prometheus", tests, setup, NULL);
}
