/* test_throttle.c - who fails waits, twice as long each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../fetch-helper/throttle.h"

static const struct throttle_rule rule = {0, 100, 800};
static const struct throttle_rule lenient = {3, 100, 800};
static struct throttle t;

static int
setup(void **state)
{
    (void)state;
    t = (struct throttle){.seed = 7};
    return 0;
}

static void
the_wait_doubles_up_to_its_most(void **state)
{
    static const int64_t waits[] = {100, 200, 400, 800, 800, 800};
    int64_t now = 1000;

    (void)state;
    assert_int_equal(throttle_take(&t, 5, &rule, now, 9000), 0);
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        throttle_failed(&t, 5, &rule, now);
        assert_int_equal(throttle_take(&t, 5, &rule, now, 9000), waits[i]);
        now += 100000; /* what was taken is long over */
    }
    assert_int_equal(throttle_take(&t, 6, &rule, now, 9000), 0);
}

static void
tries_at_once_take_turns(void **state)
{
    (void)state;
    throttle_failed(&t, 5, &rule, 1000);
    throttle_failed(&t, 5, &rule, 1000);
    assert_int_equal(throttle_take(&t, 5, &rule, 1000, 9000), 200);
    assert_int_equal(throttle_take(&t, 5, &rule, 1000, 9000), 400);
    assert_int_equal(throttle_take(&t, 5, &rule, 1000, 9000), 600);
    assert_int_equal(throttle_take(&t, 5, &rule, 1500, 9000), 300);
}

static void
too_long_a_wait_is_told_and_not_taken(void **state)
{
    (void)state;
    throttle_failed(&t, 5, &rule, 1000);
    assert_int_equal(throttle_take(&t, 5, &rule, 1000, 50), 100);
    assert_int_equal(throttle_take(&t, 5, &rule, 1000, 50), 100);
    assert_int_equal(throttle_take(&t, 5, &rule, 1060, 50), 40);
}

static void
some_failures_are_free(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        throttle_failed(&t, 5, &lenient, 1000);
        assert_int_equal(throttle_take(&t, 5, &lenient, 1000, 9000), 0);
    }
    throttle_failed(&t, 5, &lenient, 1000);
    assert_int_equal(throttle_take(&t, 5, &lenient, 1000, 9000), 100);
}

static void
success_and_time_forgive(void **state)
{
    (void)state;
    throttle_failed(&t, 5, &rule, 1000);
    throttle_forgive(&t, 5);
    assert_int_equal(throttle_take(&t, 5, &rule, 1000, 9000), 0);
    throttle_failed(&t, 5, &rule, 1000);
    throttle_failed(&t, 5, &rule, 1000);
    assert_int_equal(throttle_take(&t, 5, &rule, 1001 + THROTTLE_FORGET_MS, 9000), 0);
    /* and it begins anew */
    throttle_failed(&t, 5, &rule, 1001 + THROTTLE_FORGET_MS);
    assert_int_equal(throttle_take(&t, 5, &rule, 1001 + THROTTLE_FORGET_MS, 9000), 100);
    throttle_forgive(&t, 5);
    for (size_t i = 0; i < THROTTLE_ENTRIES; i++)
        assert_int_equal(t.entry[i].key, 0);
}

static void
a_full_table_loses_the_oldest(void **state)
{
    (void)state;
    throttle_failed(&t, 5, &rule, 1000);
    for (uint64_t key = 1; key < THROTTLE_ENTRIES; key++)
        throttle_failed(&t, 1000 + key, &rule, 2000);
    assert_int_equal(throttle_take(&t, 5, &rule, 1000, 9000), 100);
    throttle_failed(&t, 999999, &rule, 2001);
    assert_int_equal(throttle_take(&t, 5, &rule, 1000, 9000), 0);
    assert_int_equal(throttle_take(&t, 1001, &rule, 2000, 9000), 100);
    assert_int_equal(throttle_take(&t, 999999, &rule, 2001, 9000), 100);
}

static void
keys(void **state)
{
    struct throttle other = {.seed = 8};

    (void)state;
    assert_true(throttle_key(&t, 'n', "ab", 2) == throttle_key(&t, 'n', "ab", 2));
    assert_true(throttle_key(&t, 'n', "ab", 2) != throttle_key(&t, 'a', "ab", 2));
    assert_true(throttle_key(&t, 'n', "ab", 2) != throttle_key(&t, 'n', "ba", 2));
    assert_true(throttle_key(&t, 'n', "ab", 2) != throttle_key(&other, 'n', "ab", 2));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_wait_doubles_up_to_its_most, setup),
        cmocka_unit_test_setup(tries_at_once_take_turns, setup),
        cmocka_unit_test_setup(too_long_a_wait_is_told_and_not_taken, setup),
        cmocka_unit_test_setup(some_failures_are_free, setup),
        cmocka_unit_test_setup(success_and_time_forgive, setup),
        cmocka_unit_test_setup(a_full_table_loses_the_oldest, setup),
        cmocka_unit_test_setup(keys, setup),
    };

    return cmocka_run_group_tests_name("throttle", tests, NULL, NULL);
}
