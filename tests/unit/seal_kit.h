/* seal_kit.h - an encrypted store in a temporary directory, and two keys for it.
 *
 * Used by:  test_store_key.c, test_store_seal.c
 */
#ifndef MAILBEARER_TESTS_SEAL_KIT_H
#define MAILBEARER_TESTS_SEAL_KIT_H

#include "store_kit.h"

#include "accounts/store_upkeep.h"
#include "base/json.h"
#include "oauth/store_key.h"

#define A "alice@contoso.com"
#define B "bob@contoso.com"
#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define OTHER_HEX "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static char dir[SCRATCH_PATH_MAX];
static char keys[SCRATCH_PATH_MAX]; /* a directory for key files, outside the store */
static struct store store;
static struct store_key *key, *other_key;

static inline const char *
in_store(const char *name)
{
    static char paths[8][SCRATCH_PATH_MAX];
    static unsigned next;

    return scratch_path(paths[next++ % 8], dir, name);
}

/* A key file with these bytes; the path is good until the next call. */
static inline const char *
key_file(const void *bytes, size_t len)
{
    static char path[SCRATCH_PATH_MAX];

    scratch_write(scratch_path(path, keys, "key"), bytes, len, 0600);
    return path;
}

static inline struct store_key *
loaded(const void *bytes, size_t len)
{
    struct store_key *k = NULL;
    struct err err = ERR_INIT;

    if (store_key_load(key_file(bytes, len), &k, &err) != 0)
        fail_msg("%s", err.text);
    return k;
}

static inline int
setup(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    scratch_make(dir);
    scratch_make(keys);
    key = loaded(HEX, strlen(HEX));
    other_key = loaded(OTHER_HEX, strlen(OTHER_HEX));
    assert_int_equal(store_open(dir, &store, &err), 0);
    assert_null(store.cipher);
    assert_null(store.old_cipher);
    return 0;
}

static inline int
teardown(void **state)
{
    (void)state;
    store_close(&store);
    store_key_free(&key);
    store_key_free(&other_key);
    assert_null(key);
    store_key_free(&key);
    scratch_remove(dir);
    scratch_remove(keys);
    return 0;
}

static inline void
put(const char *account, int n)
{
    struct err err = ERR_INIT;

    if (kit_put(&store, account, n, &err) != 0)
        fail_msg("%s", err.text);
}

static inline void
use(const struct store_key *k)
{
    store.cipher = k != NULL ? store_key_cipher(k) : NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
