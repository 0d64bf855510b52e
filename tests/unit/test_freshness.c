/* test_freshness.c - is a token good enough, to the second; pauses after failures. */
#include <stdio.h>

#include "accounts/freshness.h"
#include "oauth_kit.h"

#define T INT64_C(1700000000) /* when the tokens of these tests were obtained */

static const char conf[] =
    "defaults { client_id = c }\n"
    "account a { min_remaining = 300 }\n"
    "account b { min_remaining = 300 }\n"
    "account hve { provider = microsoft-hve tenant = t.example }\n";

static struct accounts *accounts;
static const struct account *a, *hve;

static int
setup(void **state)
{
    if (conf_setup(state) != 0)
        return -1;
    accounts = conf_accept(conf);
    a = accounts_find(accounts, "a");
    hve = accounts_find(accounts, "hve");
    return 0;
}

static int
teardown(void **state)
{
    accounts_free(&accounts);
    return conf_teardown(state);
}

static void
is(const struct record *record, const struct account *account, int64_t now,
   enum freshness expect)
{
    enum freshness f = token_freshness(record, account, now);

    if (f != expect)
        fail_msg("at %+lld: %d, not %d", (long long)(now - T), (int)f, (int)expect);
}

static void
no_token(void **state)
{
    struct record record = RECORD_INIT;

    (void)state;
    is(&record, a, T, TOKEN_STALE);
    assert_false(token_last_resort(&record, a, T));
    record = kit_token(a, "CANARY", T, 3600);
    secret_reset(&record.access_token);
    is(&record, a, T + 20, TOKEN_STALE);
    assert_false(token_last_resort(&record, a, T + 20));
    record_clear(&record);
}

static void
to_the_second(void **state)
{
    struct record record = kit_token(a, "CANARY", T, 3600);

    (void)state;
    record.refresh_at = T + 1800;
    is(&record, a, T, TOKEN_FRESH);
    is(&record, a, T + 1799, TOKEN_FRESH);
    is(&record, a, T + 1800, TOKEN_DUE);
    is(&record, a, T + 3300, TOKEN_DUE); /* 300 s are left: just enough */
    is(&record, a, T + 3301, TOKEN_STALE);
    is(&record, a, T + 3599, TOKEN_STALE);
    is(&record, a, T + 3600, TOKEN_STALE);
    is(&record, a, INT64_C(1) << 60, TOKEN_STALE);
    record_clear(&record);
}

static void
other_settings(void **state)
{
    struct record record = kit_token(hve, "CANARY", T, 3600);

    (void)state;
    is(&record, a, T + 20, TOKEN_STALE);
    assert_false(token_last_resort(&record, a, T + 20));
    is(&record, hve, T + 20, TOKEN_FRESH);
    secret_reset(&record.fingerprint); /* imported: nobody knows what it is good for */
    is(&record, hve, T + 20, TOKEN_STALE);
    record_clear(&record);
}

static void
a_clock_that_is_behind(void **state)
{
    struct record record = kit_token(a, "CANARY", T, 3600);

    (void)state;
    is(&record, a, T - 5, TOKEN_FRESH);
    is(&record, a, T - 6, TOKEN_STALE);
    assert_true(token_last_resort(&record, a, T - 5));
    assert_false(token_last_resort(&record, a, T - 6));
    record_clear(&record);
}

/* A provider whose tokens live shorter than min_remaining must not make every waiter
 * fetch one of its own. */
static void
just_fetched(void **state)
{
    struct record record = kit_token(a, "CANARY", T, 120);

    (void)state;
    is(&record, a, T, TOKEN_FRESH);
    is(&record, a, T + 9, TOKEN_FRESH);
    is(&record, a, T + 10, TOKEN_STALE);
    record.expires_at = T + 5;
    is(&record, a, T + 4, TOKEN_FRESH);
    is(&record, a, T + 5, TOKEN_STALE);
    record.expires_at = T + 3600;
    record.refresh_at = T + 1; /* due, but nobody fetches twice in ten seconds */
    is(&record, a, T + 9, TOKEN_FRESH);
    is(&record, a, T + 10, TOKEN_DUE);
    record_clear(&record);
}

static void
last_resort(void **state)
{
    struct record record = kit_token(a, "CANARY", T, 3600);
    struct record special = kit_token(hve, "CANARY", T, 3600);

    (void)state;
    assert_true(token_last_resort(&record, a, T + 3570));
    assert_false(token_last_resort(&record, a, T + 3571));
    is(&special, hve, T + 3600 - 660, TOKEN_DUE);
    is(&special, hve, T + 3600 - 659, TOKEN_STALE);
    assert_false(token_last_resort(&special, hve, T + 3600 - 659));
    assert_false(token_last_resort(&special, hve, T + 20));
    record_clear(&record);
    record_clear(&special);
}

static void
due_is_spread_by_name(void **state)
{
    struct record record = kit_token(a, "CANARY", T, 10000);
    int tenth[10] = {0};

    (void)state;
    for (int i = 0; i < 1000; i++) {
        char name[32];
        struct account named = {.name = name};
        int64_t due;

        snprintf(name, sizeof name, "user%d@contoso.com", i);
        due = token_due_at(&record, &named) - T;
        assert_in_range(due, 6500, 7999);
        assert_int_equal(due, token_due_at(&record, &named) - T);
        tenth[(due - 6500) / 150]++;
    }
    for (int i = 0; i < 10; i++)
        if (tenth[i] < 50 || tenth[i] > 150)
            fail_msg("%d of 1000 accounts are due in part %d of 10", tenth[i], i);
    record_clear(&record);
}

static void
due_when_the_provider_says(void **state)
{
    struct record record = kit_token(a, "CANARY", T, 3600);

    (void)state;
    record.refresh_at = T + 42;
    assert_int_equal(token_due_at(&record, a), T + 42);
    record.refresh_at = T; /* no later than the token itself: nonsense */
    assert_in_range(token_due_at(&record, a), T + 2340, T + 2879);
    record.refresh_at = 0;
    record.expires_at = T + 5; /* too short to be spread */
    assert_int_equal(token_due_at(&record, a), T + 3);
    record.expires_at = T;
    assert_int_equal(token_due_at(&record, a), T);
    /* a life of which 15 % are 2^32 s, as only a file that was changed can say */
    record.obtained_at = 0;
    record.expires_at = INT64_C(28633115307);
    assert_in_range(token_due_at(&record, a), INT64_C(18611524949),
                    INT64_C(18611524949) + INT64_C(4294967296));
    record_clear(&record);
}

static int64_t
pause_after(struct failure *failure, int code, int64_t retry_after, unsigned random)
{
    struct err why = {.code = code, .text = "why"};

    failure_note(failure, &why, T, retry_after, random);
    assert_int_equal(failure->err.code, code);
    assert_string_equal(failure->err.text, "why");
    assert_int_equal(failure->at, T);
    return failure->retry_at - T;
}

static void
pauses_double(void **state)
{
    static const int expect[] = {2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300};
    struct failure failure = {.err = ERR_INIT};

    (void)state;
    for (int i = 0; i < (int)(sizeof expect / sizeof expect[0]); i++) {
        assert_int_equal(pause_after(&failure, ERR_TEMP, 0, 20), expect[i]);
        assert_int_equal(failure.count, i + 1);
    }
    failure.count = 1000; /* does not grow for ever */
    assert_int_equal(pause_after(&failure, ERR_TIMEOUT, 0, 20), 300);
    assert_int_equal(failure.count, 1000);
}

static void
pauses_differ_by_a_fifth(void **state)
{
    int64_t least = 1000, most = 0;

    (void)state;
    for (unsigned random = 0; random < 200; random++) {
        struct failure failure = {.err = ERR_INIT, .count = 20};
        int64_t pause = pause_after(&failure, ERR_TEMP, 0, random * 2654435761u);

        least = pause < least ? pause : least;
        most = pause > most ? pause : most;
    }
    assert_int_equal(least, 240);
    assert_int_equal(most, 360);
}

static void
the_server_says_how_long(void **state)
{
    struct failure failure = {.err = ERR_INIT};

    (void)state;
    assert_int_equal(pause_after(&failure, ERR_TEMP, 120, 20), 120);
    failure.count = 8; /* its own pause is the longer one */
    assert_int_equal(pause_after(&failure, ERR_TEMP, 120, 20), 300);
    assert_int_equal(pause_after(&failure, ERR_TEMP, 3600, 20), 3600);
    assert_int_equal(pause_after(&failure, ERR_TEMP, 86400, 20), 3600);
    assert_int_equal(pause_after(&failure, ERR_PERSON, 900, 20), 900);
}

static void
a_person_must_act(void **state)
{
    struct failure failure = {.err = ERR_INIT};

    (void)state;
    assert_int_equal(pause_after(&failure, ERR_PERSON, 0, 0), 300);
    assert_int_equal(pause_after(&failure, ERR_PERSON, 0, 40), 300);
    failure.count = 50;
    assert_int_equal(pause_after(&failure, ERR_CONFIG, 0, 7), 300);
}

static void
blocks_until(void **state)
{
    struct failure failure = {.err = ERR_INIT};

    (void)state;
    assert_false(failure_blocks(&failure, T));
    failure.retry_at = T + 100; /* without an error it means nothing */
    assert_false(failure_blocks(&failure, T));
    pause_after(&failure, ERR_PERSON, 0, 0);
    assert_true(failure_blocks(&failure, T));
    assert_true(failure_blocks(&failure, T + 299));
    assert_false(failure_blocks(&failure, T + 300));
    /* a clock that was ahead when it failed must not stop us for years */
    assert_true(failure_blocks(&failure, T - 5));
    assert_false(failure_blocks(&failure, T - 6));
    failure.retry_at = T + 3600;
    assert_true(failure_blocks(&failure, T + 1));
    failure.retry_at = T + 3601; /* nobody here wrote that */
    assert_false(failure_blocks(&failure, T + 1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_token),
        cmocka_unit_test(to_the_second),
        cmocka_unit_test(other_settings),
        cmocka_unit_test(a_clock_that_is_behind),
        cmocka_unit_test(just_fetched),
        cmocka_unit_test(last_resort),
        cmocka_unit_test(due_is_spread_by_name),
        cmocka_unit_test(due_when_the_provider_says),
        cmocka_unit_test(pauses_double),
        cmocka_unit_test(pauses_differ_by_a_fifth),
        cmocka_unit_test(the_server_says_how_long),
        cmocka_unit_test(a_person_must_act),
        cmocka_unit_test(blocks_until),
    };

    return cmocka_run_group_tests_name("freshness", tests, setup, teardown);
}
