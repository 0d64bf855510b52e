/* test_id_token.c - who signed in. */
#include <stdlib.h>

#include "oauth/crypto.h"
#include "oauth/id_token.h"
#include "oauth_kit.h"

static int
read_claims(const char *claims, struct identity *identity, struct err *err)
{
    struct secret token = SECRET_INIT;
    int r;

    kit_set(&token, "eyJhbGciOiJSUzI1NiJ9.");
    assert_int_equal(crypto_base64url(claims, strlen(claims), &token), 0);
    assert_int_equal(secret_append_str(&token, ".c2ln"), 0);
    r = id_token_read(secret_str(&token), "app-1", identity, err);
    secret_clear(&token);
    return r;
}

static struct identity
identity_of(const char *claims)
{
    struct identity identity = IDENTITY_INIT;
    struct err err = ERR_INIT;

    if (read_claims(claims, &identity, &err) != 0)
        fail_msg("%s: %s", claims, err.text);
    return identity;
}

static void
names(const char *claims, const char *name)
{
    struct identity identity = identity_of(claims);

    assert_string_equal(identity_name(&identity), name);
    identity_clear(&identity);
    assert_null(identity_name(&identity));
}

static void
the_name_to_show(void **state)
{
    (void)state;
    names("{\"aud\":\"app-1\",\"preferred_username\":\"a@x\",\"upn\":\"b@x\","
          "\"email\":\"c@x\",\"sub\":\"s\"}",
          "a@x");
    names("{\"aud\":\"app-1\",\"upn\":\"b@x\",\"email\":\"c@x\",\"sub\":\"s\"}", "b@x");
    names("{\"aud\":\"app-1\",\"preferred_username\":\"\",\"email\":\"c@x\"}", "c@x");
    names("{\"aud\":[\"other\",\"app-1\"],\"sub\":\"s\"}", "s");
    names("{\"sub\":\"s\"}", "s");
    names("{\"sub\":\"a\\u001b[2Jb\"}", "a?[2Jb");
}

static bool
is(const char *claims, const char *name)
{
    struct identity identity = identity_of(claims);
    bool same = identity_is(&identity, name);

    identity_clear(&identity);
    return same;
}

static void
the_person(void **state)
{
    static const char all[] = "{\"preferred_username\":\"a@x\",\"upn\":\"b@x\","
                              "\"email\":\"c@x\",\"sub\":\"s\"}";

    (void)state;
    assert_true(is(all, "a@x"));
    assert_true(is(all, "A@X"));
    assert_true(is(all, "b@x"));
    assert_true(is(all, "C@x"));
    assert_false(is(all, "s"));
    assert_false(is(all, "a@"));
    assert_false(is(all, "a@xy"));
    assert_false(is(all, ""));
    assert_true(is("{\"sub\":\"s\"}", "s"));
    assert_false(is("{\"sub\":\"s\"}", "t"));
}

static void
refused(const char *token, const char *text)
{
    struct identity identity = IDENTITY_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(id_token_read(token, "app-1", &identity, &err), ERR_PROTOCOL);
    assert_string_equal(err.text, text);
    assert_null(identity_name(&identity));
}

static void
what_is_no_id_token(void **state)
{
    struct identity identity = IDENTITY_INIT;
    struct err err = ERR_INIT;
    char *longer = calloc(1, ID_TOKEN_MAX + 2);

    (void)state;
    refused("", "the id_token cannot be read");
    refused("opaque", "the id_token cannot be read");
    refused("a.b", "the id_token cannot be read");
    refused("a..c", "the id_token cannot be read");
    refused("a.e30=.c", "the id_token cannot be read");
    refused("a.W10.c", "the id_token cannot be read"); /* [] */
    refused("a.e30.c", "the id_token names nobody");   /* {} */
    assert_int_equal(read_claims("{\"aud\":\"app-2\",\"sub\":\"s\"}", &identity, &err),
                     ERR_PROTOCOL);
    assert_string_equal(err.text, "the id_token is for another application");
    assert_int_equal(read_claims("{\"aud\":[],\"sub\":\"s\"}", &identity, &err),
                     ERR_PROTOCOL);
    assert_int_equal(read_claims("{\"aud\":7,\"sub\":\"s\"}", &identity, &err),
                     ERR_PROTOCOL);
    assert_non_null(longer);
    memset(longer, 'a', ID_TOKEN_MAX + 1);
    refused(longer, "the id_token is longer than 65536 bytes");
    free(longer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_to_show),
        cmocka_unit_test(the_person),
        cmocka_unit_test(what_is_no_id_token),
    };

    return cmocka_run_group_tests_name("id_token", tests, NULL, NULL);
}
