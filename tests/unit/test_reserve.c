/* test_reserve.c - memory put aside, and what takes it. */
/* link: -Wl,--wrap=malloc */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/reserve.h"
#include "base/wipe_alloc.h"
#include "client/error.h"

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static int refuse; /* so many calls answer NULL */
static size_t largest;

void *
__wrap_malloc(size_t size)
{
    if (size > largest)
        largest = size;
    if (refuse > 0) {
        refuse--;
        return NULL;
    }
    return __real_malloc(size);
}

static void
held_once(void **state)
{
    (void)state;
    largest = 0;
    assert_int_equal(reserve_hold(), 0);
    assert_true(largest >= 512u * 1024u);
    largest = 0;
    assert_int_equal(reserve_hold(), 0);
    assert_int_equal(largest, 0); /* there is one already */
    assert_true(reserve_release());
    assert_false(reserve_release());
}

static void
none_to_be_had(void **state)
{
    (void)state;
    refuse = 1;
    assert_int_equal(reserve_hold(), ERR_NOMEM);
    assert_false(reserve_release());
}

static void
an_allocation_takes_it(void **state)
{
    void *block;

    (void)state;
    assert_int_equal(reserve_hold(), 0);
    refuse = 1;
    block = wipe_malloc(100);
    assert_non_null(block);
    wipe_free(block);
    assert_false(reserve_release()); /* it is gone */
    refuse = 1;
    assert_null(wipe_malloc(100));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_once),
        cmocka_unit_test(none_to_be_had),
        cmocka_unit_test(an_allocation_takes_it),
    };

    return cmocka_run_group_tests_name("reserve", tests, NULL, NULL);
}
