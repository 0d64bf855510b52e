/* test_slots.c - no second has many tokens to replace, and none is replaced too late. */
#include "agent/slots.h"

#include "accounts/freshness.h"
#include "oauth_kit.h"

#define T INT64_C(1700000000)
#define MANY 10000

static struct accounts *accounts;
static const struct account *a, *hve;
static struct slots *slots;
static struct slot slot[MANY];

static int
begin(void **state)
{
    if (conf_setup(state) != 0)
        return -1;
    accounts =
        conf_accept("defaults { client_id = c }\n"
                    "account a { min_remaining = 300 }\n"
                    "account hve { provider = microsoft-hve tenant = t.example }\n");
    a = kit_account(accounts, "a");
    hve = kit_account(accounts, "hve");
    slots = slots_new();
    assert_non_null(slots);
    memset(slot, 0, sizeof slot);
    return 0;
}

static int
finish(void **state)
{
    slots_free(&slots);
    assert_null(slots);
    accounts_free(&accounts);
    return conf_teardown(state);
}

/* How many slots the fullest second has. */
static unsigned
busiest(void)
{
    static unsigned short load[7200];
    unsigned most = 0;

    memset(load, 0, sizeof load);
    for (int i = 0; i < MANY; i++) {
        size_t second = (size_t)(slot[i].at - T);

        assert_in_range(second, 0, 7199);
        if (++load[second] > most)
            most = load[second];
    }
    return most;
}

static void
alone_at_three_quarters(void **state)
{
    struct record record = kit_token(a, "CANARY", T, 3600);

    (void)state;
    slots_assign(slots, &slot[0], &record, a, T);
    assert_int_equal(slot[0].at, T + 2700);
    slots_assign(slots, &slot[1], &record, a, T);
    assert_int_equal(slot[1].at, T + 2699); /* that second has one */
    slots_drop(slots, &slot[0]);
    assert_int_equal(slot[0].at, 0);
    slots_assign(slots, &slot[2], &record, a, T);
    assert_int_equal(slot[2].at, T + 2700);
    record_clear(&record);
}

/* 10,000 in one second: the window of 1,081 seconds is filled evenly, and their next
 * tokens are spread over more seconds still. */
static void
fetched_together(void **state)
{
    struct record record = kit_token(a, "CANARY", T, 3600);

    (void)state;
    for (int i = 0; i < MANY; i++) {
        slots_assign(slots, &slot[i], &record, a, T);
        assert_in_range(slot[i].at, T + 2160, T + 3240);
    }
    assert_in_range(busiest(), 9, 10);
    for (int i = 0; i < MANY; i++) {
        record.obtained_at = slot[i].at;
        record.expires_at = slot[i].at + 3600;
        slots_assign(slots, &slot[i], &record, a, record.obtained_at);
        slot[i].at -= 3600; /* only for busiest() */
    }
    assert_in_range(busiest(), 1, 7);
    record_clear(&record);
}

static void
never_later_than_retries_need(void **state)
{
    struct record record = kit_token(hve, "CANARY", T, 3600);

    (void)state;
    for (int i = 0; i < 2000; i++) {
        slots_assign(slots, &slot[i], &record, hve, T);
        assert_in_range(slot[i].at, T + 2160, T + 3600 - 660 - 60);
    }
    record_clear(&record);
}

static void
what_the_provider_says_is_the_earliest(void **state)
{
    struct record record = kit_token(a, "CANARY", T, 3600);

    (void)state;
    record.refresh_at = T + 1800;
    for (int i = 0; i < 2000; i++) {
        slots_assign(slots, &slot[i], &record, a, T);
        assert_in_range(slot[i].at, T + 1800, T + 3240);
    }
    assert_int_equal(slot[0].at, T + 1800);
    record_clear(&record);
}

/* An old token, read from the store: not before the present second. */
static void
what_is_past_is_not_chosen(void **state)
{
    struct record record = kit_token(a, "CANARY", T, 3600);

    (void)state;
    slots_assign(slots, &slot[0], &record, a, T + 3000);
    assert_int_equal(slot[0].at, T + 3001);
    slots_assign(slots, &slot[1], &record, a, T + 3230); /* too late for a choice */
    assert_int_equal(slot[1].at, token_due_at(&record, a));
    slots_assign(slots, &slot[1], &record, a, T + 3600); /* it has ended */
    assert_int_equal(slot[1].at, 0);
    record_clear(&record);
}

static void
no_choice_for_short_and_very_long_lives(void **state)
{
    static const int64_t lives[] = {1, 60, 400, 86401, INT64_C(1) << 40};

    (void)state;
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
        struct record record = kit_token(a, "CANARY", T, lives[i]);

        slots_assign(slots, &slot[0], &record, a, T);
        assert_int_equal(slot[0].at, token_due_at(&record, a));
        record_clear(&record);
    }
}

/* Two and a half times the average; few accounts are not held up. */
static void
pace(void **state)
{
    struct record record = kit_token(a, "CANARY", T, 3600);

    (void)state;
    assert_int_equal(slots_pace(slots), 8);
    for (int i = 0; i < MANY; i++)
        slots_assign(slots, &slot[i], &record, a, T);
    assert_in_range(slots_pace(slots), 9, 10);
    for (int i = 0; i < MANY; i++)
        slots_drop(slots, &slot[i]);
    assert_int_equal(slots_pace(slots), 8);
    record_clear(&record);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(alone_at_three_quarters, begin, finish),
        cmocka_unit_test_setup_teardown(fetched_together, begin, finish),
        cmocka_unit_test_setup_teardown(never_later_than_retries_need, begin, finish),
        cmocka_unit_test_setup_teardown(what_the_provider_says_is_the_earliest, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(what_is_past_is_not_chosen, begin, finish),
        cmocka_unit_test_setup_teardown(no_choice_for_short_and_very_long_lives, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(pace, begin, finish),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
