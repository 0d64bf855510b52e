/* test_assertion.c - the client assertion: what stands in it, and who signed it. */
#include "scratch.h"

#include <openssl/evp.h>

#include "base/json.h"
#include "key_kit.h"
#include "oauth/assertion.h"

#define ENDPOINT "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token"
#define CLIENT "11111111-2222-3333-4444-555555555555"
#define NOW INT64_C(1763164800)

static EVP_PKEY *rsa;
static struct secret certificate, key;
static struct crypto_identity *identity;

static int
setup_group(void **state)
{
    struct crypto_pem pem = {.certificate = &certificate,
                             .certificate_name = "cert.pem",
                             .key = &key,
                             .key_name = "key.pem"};
    struct err err = ERR_INIT;

    (void)state;
    json_setup();
    rsa = kit_rsa(2048);
    kit_certificate(rsa, NOW - 86400, NOW + 86400, &certificate);
    kit_key(rsa, NULL, &key);
    return crypto_identity_new(&pem, &identity, &err);
}

static int
teardown_group(void **state)
{
    (void)state;
    crypto_identity_free(&identity);
    EVP_PKEY_free(rsa);
    secret_clear(&certificate);
    secret_clear(&key);
    return 0;
}

static struct secret
made(enum crypto_alg alg)
{
    struct assertion a = {
        .audience = ENDPOINT, .client_id = CLIENT, .alg = alg, .now = NOW};
    struct secret jwt = SECRET_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(secret_append_str(&jwt, "what was there"), 0);
    assert_int_equal(assertion_make(&a, identity, &jwt, &err), 0);
    return jwt;
}

/* Part 0, 1 or 2 of the token, decoded; *end_r is where it ends. */
static struct secret
part(const struct secret *jwt, int n, size_t *end_r)
{
    const char *at = secret_str(jwt);
    struct secret bytes = SECRET_INIT;
    size_t len;

    for (; n > 0; n--) {
        at = strchr(at, '.');
        assert_non_null(at);
        at++;
    }
    len = strcspn(at, ".");
    assert_int_equal(crypto_base64url_decode(at, len, &bytes), 0);
    *end_r = (size_t)(at - secret_str(jwt)) + len;
    return bytes;
}

static void
assert_header(const struct secret *jwt, const char *before, int sha)
{
    struct secret thumbprint = SECRET_INIT;
    struct secret header;
    char want[200];
    size_t end;

    kit_thumbprint(&certificate, sha, &thumbprint);
    header = part(jwt, 0, &end);
    snprintf(want, sizeof want, "%s%s\"}", before, secret_str(&thumbprint));
    assert_string_equal(secret_str(&header), want);
    secret_clear(&thumbprint);
    secret_clear(&header);
}

static void
assert_signature(const struct secret *jwt, enum crypto_alg alg)
{
    size_t signed_len, end;
    struct secret claims = part(jwt, 1, &signed_len);
    struct secret signature = part(jwt, 2, &end);

    assert_int_equal(end, jwt->len); /* three parts, no more */
    assert_true(kit_verify(rsa, alg, jwt->data, signed_len, &signature));
    jwt->data[signed_len - 1] ^= 1;
    assert_false(kit_verify(rsa, alg, jwt->data, signed_len, &signature));
    jwt->data[signed_len - 1] ^= 1;
    secret_clear(&claims);
    secret_clear(&signature);
}

static void
ps256(void **state)
{
    struct secret jwt = made(CRYPTO_PS256);

    (void)state;
    assert_header(&jwt, "{\"alg\": \"PS256\", \"typ\": \"JWT\", \"x5t#S256\": \"", 256);
    assert_signature(&jwt, CRYPTO_PS256);
    secret_clear(&jwt);
}

static void
rs256(void **state)
{
    struct secret jwt = made(CRYPTO_RS256);

    (void)state;
    assert_header(&jwt, "{\"alg\": \"RS256\", \"typ\": \"JWT\", \"x5t\": \"", 1);
    assert_signature(&jwt, CRYPTO_RS256);
    secret_clear(&jwt);
}

/* Copies the id, which is another one each time, and leaves x in its place. */
static void
take_id(struct secret *claims, char id_r[CRYPTO_UUID_LEN + 1])
{
    char *at = strstr(claims->data, "\"jti\": \"");

    assert_non_null(at);
    at += strlen("\"jti\": \"");
    assert_int_equal(strcspn(at, "\""), CRYPTO_UUID_LEN);
    memcpy(id_r, at, CRYPTO_UUID_LEN);
    id_r[CRYPTO_UUID_LEN] = '\0';
    memset(at, 'x', CRYPTO_UUID_LEN);
}

static void
claims(void **state)
{
    struct secret one = made(CRYPTO_PS256), other = made(CRYPTO_PS256);
    char one_id[CRYPTO_UUID_LEN + 1], other_id[CRYPTO_UUID_LEN + 1];
    size_t end;
    struct secret one_claims = part(&one, 1, &end);
    struct secret other_claims = part(&other, 1, &end);

    (void)state;
    take_id(&one_claims, one_id);
    take_id(&other_claims, other_id);
    assert_string_not_equal(one_id, other_id);
    assert_string_equal(
        secret_str(&one_claims),
        "{\"aud\": \"https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token\", "
        "\"iss\": \"11111111-2222-3333-4444-555555555555\", "
        "\"sub\": \"11111111-2222-3333-4444-555555555555\", "
        "\"jti\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\", "
        "\"nbf\": 1763164800, \"iat\": 1763164800, \"exp\": 1763165400}");
    secret_clear(&one);
    secret_clear(&other);
    secret_clear(&one_claims);
    secret_clear(&other_claims);
}

static void
texts_that_are_not_utf8(void **state)
{
    struct assertion a = {
        .audience = ENDPOINT, .client_id = "gr\xfc\xdf", .alg = CRYPTO_PS256, .now = NOW};
    struct secret jwt = SECRET_INIT;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(secret_append_str(&jwt, "kept"), 0);
    assert_int_equal(assertion_make(&a, identity, &jwt, &err), ERR_CONFIG);
    assert_string_equal(err.text,
                        "the client assertion cannot be made: the client id or the token "
                        "endpoint is not UTF-8, or too long");
    assert_string_equal(secret_str(&jwt), "kept");
    secret_clear(&jwt);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ps256),
        cmocka_unit_test(rs256),
        cmocka_unit_test(claims),
        cmocka_unit_test(texts_that_are_not_utf8),
    };

    return cmocka_run_group_tests_name("assertion", tests, setup_group, teardown_group);
}
