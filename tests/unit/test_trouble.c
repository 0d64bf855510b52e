/* test_trouble.c - what is told, and that it is told once. */
#include "agent/trouble.h"
#include "base/json.h"
#include "oauth_kit.h"

#define T INT64_C(1700000000)
#define DAY INT64_C(86400)
#define HOUR_MS (3600 * 1000LL)

static const char conf[] = "account person { client_id = c }\n";
static struct accounts *accounts;
static const struct account *person;

static int
setup(void **state)
{
    json_setup();
    if (conf_setup(state) != 0)
        return -1;
    accounts = conf_accept(conf);
    person = accounts_find(accounts, "person");
    return 0;
}

static int
teardown(void **state)
{
    accounts_free(&accounts);
    return conf_teardown(state);
}

static enum trouble_news
look(struct trouble *t, struct record *record, int code, int64_t now_ms)
{
    record->failure.err.code = code;
    return trouble_look(t, person, record, T + 100, now_ms);
}

static void
a_person_must_act(void **state)
{
    struct record record = kit_token(person, "CANARY", T, 3600);
    struct trouble t = {0};

    (void)state;
    assert_int_equal(look(&t, &record, ERR_NONE, 1), TROUBLE_NO_NEWS);
    assert_int_equal(look(&t, &record, ERR_PERSON, 2), TROUBLE_BEGAN);
    assert_int_equal(look(&t, &record, ERR_PERSON, 3), TROUBLE_NO_NEWS);
    /* another reason, or temporary trouble on top of it, is no further news */
    assert_int_equal(look(&t, &record, ERR_CONFIG, 4), TROUBLE_NO_NEWS);
    assert_int_equal(look(&t, &record, ERR_TEMP, 5), TROUBLE_NO_NEWS);
    assert_int_equal(look(&t, &record, ERR_TEMP, 5 + 2 * HOUR_MS), TROUBLE_NO_NEWS);
    assert_int_equal(look(&t, &record, ERR_NONE, 6 + 2 * HOUR_MS), TROUBLE_OVER);
    assert_int_equal(look(&t, &record, ERR_NONE, 7 + 2 * HOUR_MS), TROUBLE_NO_NEWS);
    assert_int_equal(look(&t, &record, ERR_CONFIG, 8 + 2 * HOUR_MS), TROUBLE_BEGAN);
    record_clear(&record);
}

static void
temporary_trouble_is_told_after_an_hour(void **state)
{
    struct record record = kit_token(person, "CANARY", T, 3600);
    struct trouble t = {0};

    (void)state;
    assert_int_equal(look(&t, &record, ERR_TEMP, 0), TROUBLE_NO_NEWS);
    assert_int_equal(look(&t, &record, ERR_TIMEOUT, HOUR_MS - 1), TROUBLE_NO_NEWS);
    assert_int_equal(look(&t, &record, ERR_PROTOCOL, HOUR_MS), TROUBLE_BEGAN);
    assert_int_equal(look(&t, &record, ERR_TEMP, 9 * HOUR_MS), TROUBLE_NO_NEWS);
    assert_int_equal(look(&t, &record, ERR_NONE, 10 * HOUR_MS), TROUBLE_OVER);
    /* the hour begins anew */
    assert_int_equal(look(&t, &record, ERR_TEMP, 11 * HOUR_MS), TROUBLE_NO_NEWS);
    assert_int_equal(look(&t, &record, ERR_TEMP, 12 * HOUR_MS - 1), TROUBLE_NO_NEWS);
    assert_int_equal(look(&t, &record, ERR_NONE, 12 * HOUR_MS), TROUBLE_NO_NEWS);
    assert_int_equal(look(&t, &record, ERR_TEMP, 12 * HOUR_MS + 1), TROUBLE_NO_NEWS);
    /* a person is needed: at once */
    assert_int_equal(look(&t, &record, ERR_STORE, 12 * HOUR_MS + 2), TROUBLE_BEGAN);
    record_clear(&record);
}

/* After an import no failure is noted, but whether it works is not known yet. */
static void
only_a_token_ends_it(void **state)
{
    struct record record = RECORD_INIT;
    struct trouble t = {0};

    (void)state;
    kit_set(&record.refresh_token, "CANARY-refresh");
    assert_int_equal(look(&t, &record, ERR_PERSON, 1), TROUBLE_BEGAN);
    assert_int_equal(look(&t, &record, ERR_NONE, 2), TROUBLE_NO_NEWS);
    assert_int_equal(look(&t, &record, ERR_PERSON, 3), TROUBLE_NO_NEWS);
    record_clear(&record);
    record = kit_token(person, "CANARY", T, 3600);
    assert_int_equal(look(&t, &record, ERR_NONE, 4), TROUBLE_OVER);
    record_clear(&record);
}

static void
thirty_seven_one(void **state)
{
    const int64_t end = T + 100 * DAY;
    struct expiry_mark m = {0};

    (void)state;
    assert_false(expiry_is_news(&m, end, T));
    assert_false(expiry_is_news(&m, end, end - 30 * DAY));
    assert_true(expiry_is_news(&m, end, end - 30 * DAY + 1));
    assert_false(expiry_is_news(&m, end, end - 30 * DAY + 2));
    assert_false(expiry_is_news(&m, end, end - 7 * DAY));
    assert_true(expiry_is_news(&m, end, end - 7 * DAY + 1));
    assert_false(expiry_is_news(&m, end, end - DAY));
    assert_true(expiry_is_news(&m, end, end - DAY + 1));
    assert_false(expiry_is_news(&m, end, end - 1));
    assert_false(expiry_is_news(&m, end, end + 100 * DAY));
    /* the clock went back */
    assert_false(expiry_is_news(&m, end, end - 20 * DAY));
    /* renewed */
    assert_false(expiry_is_news(&m, end + 365 * DAY, end));
    assert_true(expiry_is_news(&m, end + 365 * DAY, end + 360 * DAY));
}

static void
first_seen_late(void **state)
{
    struct expiry_mark m = {0}, gone = {0}, unknown = {0};

    (void)state;
    /* one line, not three */
    assert_true(expiry_is_news(&m, T + DAY / 2, T));
    assert_false(expiry_is_news(&m, T + DAY / 2, T));
    assert_true(expiry_is_news(&gone, T - DAY, T));
    assert_false(expiry_is_news(&gone, T - DAY, T));
    assert_false(expiry_is_news(&unknown, 0, T));
    /* a file that cannot be read for a while is not a new one */
    assert_false(expiry_is_news(&m, 0, T));
    assert_false(expiry_is_news(&m, T + DAY / 2, T));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_must_act),
        cmocka_unit_test(temporary_trouble_is_told_after_an_hour),
        cmocka_unit_test(only_a_token_ends_it),
        cmocka_unit_test(thirty_seven_one),
        cmocka_unit_test(first_seen_late),
    };

    return cmocka_run_group_tests_name("trouble", tests, setup, teardown);
}
