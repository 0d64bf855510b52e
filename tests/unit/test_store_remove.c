/* test_store_remove.c - tokens are forgotten, whole, and no others. */
#include "accounts/store_remove.h"
#include "oauth_kit.h"
#include "scratch.h"

static char dir[SCRATCH_PATH_MAX];
static struct store store;

static int
setup(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    scratch_make(dir);
    return store_open(dir, &store, &err);
}

static int
teardown(void **state)
{
    (void)state;
    store_close(&store);
    scratch_remove(dir);
    return 0;
}

static void
put(const char *name)
{
    char path[SCRATCH_PATH_MAX];

    scratch_write(scratch_path(path, dir, name), "CANARY", 6, 0600);
}

static int
is_there(const char *name)
{
    char path[SCRATCH_PATH_MAX];

    return scratch_exists(scratch_path(path, dir, name));
}

static void
one_account_is_forgotten(void **state)
{
    struct err err = ERR_INIT;
    bool there = false;

    (void)state;
    put("alice.json");
    put("alice.json.new");
    put("alice.lock");
    put("alice2.json");
    assert_int_equal(store_remove(&store, "alice", &there, &err), 0);
    assert_true(there);
    assert_false(is_there("alice.json"));
    assert_false(is_there("alice.json.new"));
    assert_true(is_there("alice.lock"));
    assert_true(is_there("alice2.json"));
    assert_int_equal(store_remove(&store, "alice", &there, &err), 0);
    assert_false(there);
}

static void
an_unfinished_write_alone(void **state)
{
    struct err err = ERR_INIT;
    bool there = true;

    (void)state;
    put("bob.json.new");
    assert_int_equal(store_remove(&store, "bob", &there, &err), 0);
    assert_false(there);
    assert_false(is_there("bob.json.new"));
}

static void
what_cannot_be_removed_is_said(void **state)
{
    char path[SCRATCH_PATH_MAX];
    struct err err = ERR_INIT;
    bool there = false;

    (void)state;
    assert_int_equal(mkdir(scratch_path(path, dir, "dir.json"), 0700), 0);
    assert_int_equal(store_remove(&store, "dir", &there, &err), ERR_STORE);
    assert_non_null(strstr(err.text, "cannot remove "));
    assert_non_null(strstr(err.text, "dir.json: Is a directory"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_account_is_forgotten),
        cmocka_unit_test(an_unfinished_write_alone),
        cmocka_unit_test(what_cannot_be_removed_is_said),
    };

    return cmocka_run_group_tests_name("store_remove", tests, setup, teardown);
}
