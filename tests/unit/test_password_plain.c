/* test_password_plain.c - password_hash.c as it is where crypt(3) is musl's plain one; as
 * it is here: test_ports_file.c. */
#include "scratch.h"

#define PASSWORD_HASH_PLAIN
#define password_check_new plain_check_new
#define password_generate plain_generate
#define password_hash plain_hash
#define password_is plain_is
/* NOLINTNEXTLINE(bugprone-suspicious-include) */
#include "../../token-helper/ports/password_hash.c"

static struct err err;

static void
hash_of(const char *text, struct secret *hash_r)
{
    struct secret password = SECRET_INIT;

    assert_int_equal(secret_append_str(&password, text), 0);
    assert_int_equal(plain_hash(&password, hash_r, &err), 0);
    secret_clear(&password);
}

static bool
is(const char *text, const char *hash, const char *like)
{
    struct secret password = SECRET_INIT;
    bool answer;

    assert_int_equal(secret_append_str(&password, text), 0);
    answer = plain_is(&password, hash, like);
    secret_clear(&password);
    return answer;
}

static void
a_hash(void **state)
{
    struct secret hash = SECRET_INIT, again = SECRET_INIT;

    (void)state;
    hash_of("correct horse battery", &hash);
    /* method, 16 letters of salt, 86 of SHA-512 */
    assert_int_equal(hash.len, strlen("$6$rounds=50000$") + 16 + 1 + 86);
    assert_memory_equal(secret_str(&hash), "$6$rounds=50000$", 16);
    assert_int_equal(
        strspn(secret_str(&hash) + 16,
               "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
        16);
    assert_int_equal(secret_str(&hash)[32], '$');
    hash_of("correct horse battery", &again);
    assert_string_not_equal(secret_str(&hash), secret_str(&again));
    secret_clear(&hash);
    secret_clear(&again);
}

static void
right_and_wrong(void **state)
{
    struct secret hash = SECRET_INIT;

    (void)state;
    hash_of("correct horse battery", &hash);
    assert_true(is("correct horse battery", secret_str(&hash), NULL));
    assert_false(is("correct horse batterz", secret_str(&hash), NULL));
    assert_false(is("", secret_str(&hash), NULL));
    /* nobody's password, whatever it costs */
    assert_false(is("correct horse battery", NULL, secret_str(&hash)));
    assert_false(is("correct horse battery", NULL, NULL));
    secret_clear(&hash);
}

static void
no_hash(void **state)
{
    static const char *const wrong[] = {"*", "*0", "", "x", "correct horse battery"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(is("correct horse battery", wrong[i], NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash),
        cmocka_unit_test(right_and_wrong),
        cmocka_unit_test(no_hash),
    };

    return cmocka_run_group_tests_name("password_plain", tests, NULL, NULL);
}
