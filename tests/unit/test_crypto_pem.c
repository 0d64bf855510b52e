/* test_crypto_pem.c - certificates and private keys from PEM text, and what they sign. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "key_kit.h"

#define FROM INT64_C(1700000000)
#define UNTIL INT64_C(1763164799)
#define PASSPHRASE "correct horse"
#define NEW_PAIR                                                                         \
    "make a longer one with openssl req -x509 -newkey rsa:2048 and register its "        \
    "certificate"

static EVP_PKEY *rsa, *other_rsa, *weak_rsa, *ec, *pss;
static struct secret certificate, other_certificate, key;

static int
setup_group(void **state)
{
    (void)state;
    rsa = kit_rsa(2048);
    other_rsa = kit_rsa(2048);
    weak_rsa = kit_rsa(1024);
    ec = kit_ec();
    pss = kit_rsa_pss(2048);
    kit_certificate(rsa, FROM, UNTIL, &certificate);
    kit_certificate(other_rsa, FROM, UNTIL + 1, &other_certificate);
    kit_key(rsa, NULL, &key);
    return 0;
}

static int
teardown_group(void **state)
{
    (void)state;
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(other_rsa);
    EVP_PKEY_free(weak_rsa);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(pss);
    secret_clear(&certificate);
    secret_clear(&other_certificate);
    secret_clear(&key);
    return 0;
}

static struct secret
of(const char *text)
{
    struct secret s = SECRET_INIT;

    assert_int_equal(secret_append_str(&s, text), 0);
    return s;
}

static struct crypto_pem
pair(const struct secret *c, const struct secret *k)
{
    return (struct crypto_pem){.certificate = c,
                               .certificate_name = "/cert.pem",
                               .key = k,
                               .key_name = "/key.pem"};
}

static struct crypto_identity *
taken(const struct crypto_pem *pem)
{
    struct crypto_identity *identity = NULL;
    struct err err = ERR_INIT;

    if (crypto_identity_new(pem, &identity, &err) != 0)
        fail_msg("%s", err.text);
    assert_non_null(identity);
    assert_int_equal(ERR_peek_error(), 0);
    return identity;
}

static void
refused(const struct crypto_pem *pem, const char *text, const char *hint)
{
    struct crypto_identity *identity = NULL;
    struct err err = ERR_INIT;

    assert_int_equal(crypto_identity_new(pem, &identity, &err), ERR_CONFIG);
    assert_null(identity);
    assert_string_equal(err.text, text);
    assert_string_equal(err.hint, hint);
    /* libcurl would find what is left here */
    assert_int_equal(ERR_peek_error(), 0);
}

static void
sign_and_verify(enum crypto_alg alg)
{
    static const char message[] = "header.claims";
    const size_t len = sizeof message - 1;
    struct crypto_pem pem = pair(&certificate, &key);
    struct crypto_identity *identity = taken(&pem);
    enum crypto_alg wrong = alg == CRYPTO_PS256 ? CRYPTO_RS256 : CRYPTO_PS256;
    struct secret signature = SECRET_INIT, again = SECRET_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(crypto_identity_sign(identity, alg, message, len, &signature, &err),
                     0);
    assert_int_equal(signature.len, 256);
    assert_true(kit_verify(rsa, alg, message, len, &signature));
    assert_false(kit_verify(rsa, alg, message, len - 1, &signature));
    assert_false(kit_verify(rsa, wrong, message, len, &signature));
    assert_false(kit_verify(other_rsa, alg, message, len, &signature));
    assert_int_equal(crypto_identity_sign(identity, alg, message, len, &again, &err), 0);
    /* PSS has a random salt, PKCS #1 v1.5 has none. */
    assert_int_equal(secret_equal(&signature, &again), alg == CRYPTO_RS256);
    crypto_identity_free(&identity);
    assert_null(identity);
    crypto_identity_free(&identity);
    secret_clear(&signature);
    secret_clear(&again);
    ERR_clear_error();
}

static void
ps256(void **state)
{
    (void)state;
    sign_and_verify(CRYPTO_PS256);
}

static void
rs256(void **state)
{
    (void)state;
    sign_and_verify(CRYPTO_RS256);
}

static void
thumbprints(void **state)
{
    struct crypto_pem pem = pair(&certificate, &key);
    struct crypto_identity *identity = taken(&pem);
    struct secret sha1 = SECRET_INIT, sha256 = SECRET_INIT;
    struct secret want1 = SECRET_INIT, want256 = SECRET_INIT;
    struct err err = ERR_INIT;

    (void)state;
    kit_thumbprint(&certificate, 1, &want1);
    kit_thumbprint(&certificate, 256, &want256);
    assert_int_equal(crypto_identity_thumbprint(identity, CRYPTO_RS256, &sha1, &err), 0);
    assert_int_equal(crypto_identity_thumbprint(identity, CRYPTO_PS256, &sha256, &err),
                     0);
    assert_int_equal(sha1.len, 27);
    assert_int_equal(sha256.len, 43);
    assert_string_equal(secret_str(&sha1), secret_str(&want1));
    assert_string_equal(secret_str(&sha256), secret_str(&want256));
    crypto_identity_free(&identity);
    secret_clear(&sha1);
    secret_clear(&sha256);
    secret_clear(&want1);
    secret_clear(&want256);
}

static void
dates(void **state)
{
    struct crypto_pem pem = pair(&certificate, &key);
    struct crypto_identity *identity = taken(&pem);
    struct crypto_validity v = {0, 0};
    struct secret far = SECRET_INIT;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(crypto_identity_validity(identity)->not_before, FROM);
    assert_int_equal(crypto_identity_validity(identity)->not_after, UNTIL);
    crypto_identity_free(&identity);
    assert_int_equal(crypto_certificate_validity(&certificate, "/cert.pem", &v, &err), 0);
    assert_int_equal(v.not_before, FROM);
    assert_int_equal(v.not_after, UNTIL);
    /* beyond 2049 it is another ASN.1 type (RFC 5280 4.1.2.5); here the year 9999 */
    kit_certificate(rsa, -1, INT64_C(253402300799), &far);
    assert_int_equal(crypto_certificate_validity(&far, "/cert.pem", &v, &err), 0);
    assert_int_equal(v.not_before, -1);
    assert_int_equal(v.not_after, INT64_C(253402300799));
    secret_clear(&far);
    assert_int_equal(crypto_certificate_validity(&key, "/key.pem", &v, &err), ERR_CONFIG);
    assert_string_equal(err.text, "/key.pem holds no certificate in PEM form");
    assert_int_equal(ERR_peek_error(), 0);
}

/* The account's own certificate comes first in a chain; its key may stand in the same
 * file, before or behind. */
static void
chains_and_files_of_both(void **state)
{
    struct secret chain = SECRET_INIT, mixed = SECRET_INIT;
    struct crypto_pem pem = pair(&chain, &key);
    struct crypto_identity *identity;

    (void)state;
    assert_int_equal(secret_append_str(&chain, "subject=CN = relay\n"), 0);
    assert_int_equal(secret_append(&chain, certificate.data, certificate.len), 0);
    assert_int_equal(secret_append(&chain, other_certificate.data, other_certificate.len),
                     0);
    identity = taken(&pem);
    assert_int_equal(crypto_identity_validity(identity)->not_after, UNTIL);
    crypto_identity_free(&identity);

    assert_int_equal(secret_append(&mixed, key.data, key.len), 0);
    assert_int_equal(secret_append(&mixed, chain.data, chain.len), 0);
    pem = pair(&mixed, &mixed);
    identity = taken(&pem);
    assert_int_equal(crypto_identity_validity(identity)->not_after, UNTIL);
    crypto_identity_free(&identity);

    assert_int_equal(secret_append(&chain, key.data, key.len), 0);
    pem = pair(&chain, &chain);
    identity = taken(&pem);
    crypto_identity_free(&identity);
    secret_clear(&chain);
    secret_clear(&mixed);
}

static void
another_certificate_s_key(void **state)
{
    struct crypto_pem pem = pair(&other_certificate, &key);

    (void)state;
    refused(&pem,
            "the private key in /key.pem does not belong to the certificate /cert.pem",
            "give the pair that was made together; openssl x509 -pubkey -noout and "
            "openssl pkey -pubout print the same for both");
}

static void
encrypted_keys(void **state)
{
    struct secret texts[2] = {SECRET_INIT, SECRET_INIT};
    struct secret right = of(PASSPHRASE), wrong = of("correct horst"), none = SECRET_INIT;

    (void)state;
    kit_key(rsa, PASSPHRASE, &texts[0]);
    kit_old_key(rsa, PASSPHRASE, &texts[1]);
    for (size_t i = 0; i < 2; i++) {
        struct crypto_pem pem = pair(&certificate, &texts[i]);
        struct crypto_identity *identity;

        refused(&pem,
                "the private key in /key.pem is encrypted and there is no passphrase for "
                "it",
                "set client_key_passphrase_file to a file with the passphrase on its "
                "first line");
        pem.passphrase_name = "/passphrase";
        pem.passphrase = &wrong;
        refused(
            &pem,
            "the passphrase in /passphrase does not open the private key in /key.pem",
            "write the right one on the first line of that file; try it: openssl pkey "
            "-in /key.pem -noout");
        pem.passphrase = &none;
        refused(
            &pem,
            "the passphrase in /passphrase does not open the private key in /key.pem",
            "write the right one on the first line of that file; try it: openssl pkey "
            "-in /key.pem -noout");
        pem.passphrase = &right;
        identity = taken(&pem);
        crypto_identity_free(&identity);
        secret_clear(&texts[i]);
    }
    secret_clear(&right);
    secret_clear(&wrong);
}

static void
a_passphrase_that_is_not_needed(void **state)
{
    struct secret passphrase = of(PASSPHRASE);
    struct crypto_pem pem = pair(&certificate, &key);
    struct crypto_identity *identity;

    (void)state;
    pem.passphrase = &passphrase;
    pem.passphrase_name = "/passphrase";
    identity = taken(&pem);
    crypto_identity_free(&identity);
    secret_clear(&passphrase);
}

static void
passphrases_of_any_length(void **state)
{
    char text[CRYPTO_PASSPHRASE_MAX + 2];
    struct secret passphrase = SECRET_INIT, encrypted = SECRET_INIT;
    struct crypto_pem pem = pair(&certificate, &encrypted);
    struct crypto_identity *identity;

    (void)state;
    memset(text, 'x', sizeof text);
    text[CRYPTO_PASSPHRASE_MAX] = '\0';
    kit_key(rsa, text, &encrypted);
    assert_int_equal(secret_append_str(&passphrase, text), 0);
    pem.passphrase = &passphrase;
    pem.passphrase_name = "/passphrase";
    identity = taken(&pem);
    crypto_identity_free(&identity);
    assert_int_equal(secret_append_char(&passphrase, 'x'), 0);
    refused(&pem, "the passphrase in /passphrase is longer than 1023 bytes",
            "encrypt the key with a shorter one: openssl pkcs8 -topk8 -in /key.pem");
    secret_clear(&passphrase);
    secret_clear(&encrypted);
}

/* PBE with RC2 of 40 bits, as old PKCS #12 files have it: OpenSSL 3 keeps that in its
 * legacy provider, which is not loaded. A key of 512 bits, made for this test. */
static void
a_cipher_that_openssl_gave_up(void **state)
{
    struct secret old =
        of("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
           "MIIBgjAcBgoqhkiG9w0BDAEGMA4ECFrRjKn/gCSxAgIIAASCAWAwqsHoOdeFHoKe\n"
           "DLx7IF8T0tvmKUDWAVFMf+xnvORUrFHOLgE2cS7Z0Iv06geWYxUGqtX/FfO5UDnz\n"
           "+lUHj7+Bjxw0XNVBUo/bKpVDRGVeQQKExx7+ZxyaMmcXWX/jXE4AdncrBO+6XNFT\n"
           "wwwaau9A59T+irNII3RC6TxXiO4eMCLImXMNG3k5+CYSlauWh2X7KcI9Q6wyqINn\n"
           "jXU0RQZBsHE4mh3U094+HEnaFnmWZBjjZi48cDb9C5Yq8E+I3Q+eXTIJuVtWEF/D\n"
           "zV3pfIzWU+bav2F7Qz3jV2HjeRQKoKGWwysEGukV2FOh7USAIRTswwCiuYZFFJGg\n"
           "r/z5oNY6bavj+N/g5XqY+0ICmO2WNwFEA2ZuqvmQWCI5rKzSi0KBNQOEpL6hlpVp\n"
           "V38mu1ESveQTCz+xzK3BMOW52iDVqi1EUZWii8V6u6rM9EktNZAWyD5pHGCBbQIe\n"
           "d4hYG0E4\n"
           "-----END ENCRYPTED PRIVATE KEY-----\n");
    struct secret passphrase = of("x");
    struct crypto_pem pem = pair(&certificate, &old);

    (void)state;
    pem.passphrase = &passphrase;
    pem.passphrase_name = "/passphrase";
    refused(&pem,
            "the private key in /key.pem is encrypted in a way that this OpenSSL does "
            "not offer",
            "encrypt it again: openssl pkey -provider default -provider legacy -in "
            "/key.pem -aes256 -out NEW");
    secret_clear(&old);
    secret_clear(&passphrase);
}

static void
keys_of_another_kind(void **state)
{
    struct secret weak_certificate = SECRET_INIT, weak_key = SECRET_INIT;
    struct secret ec_certificate = SECRET_INIT, ec_key = SECRET_INIT;
    struct secret pss_certificate = SECRET_INIT, pss_key = SECRET_INIT;
    struct crypto_pem pem = pair(&weak_certificate, &weak_key);

    (void)state;
    kit_certificate(weak_rsa, FROM, UNTIL, &weak_certificate);
    kit_key(weak_rsa, NULL, &weak_key);
    refused(&pem, "the private key in /key.pem has 1024 bits, 2048 is the least",
            NEW_PAIR);
    kit_certificate(ec, FROM, UNTIL, &ec_certificate);
    kit_key(ec, NULL, &ec_key);
    pem = pair(&ec_certificate, &ec_key);
    refused(&pem, "the private key in /key.pem is not RSA but EC",
            "make one with openssl req -x509 -newkey rsa:2048 and register its "
            "certificate; Entra takes RSA only");
    kit_certificate(pss, FROM, UNTIL, &pss_certificate);
    kit_key(pss, NULL, &pss_key);
    pem = pair(&pss_certificate, &pss_key);
    refused(&pem, "the private key in /key.pem is not RSA but RSA-PSS",
            "make one with openssl req -x509 -newkey rsa:2048 and register its "
            "certificate; Entra takes RSA only");
    /* an RSA key of the account's with a certificate for something else */
    pem = pair(&ec_certificate, &key);
    refused(&pem,
            "the private key in /key.pem does not belong to the certificate /cert.pem",
            "give the pair that was made together; openssl x509 -pubkey -noout and "
            "openssl pkey -pubout print the same for both");
    secret_clear(&weak_certificate);
    secret_clear(&weak_key);
    secret_clear(&ec_certificate);
    secret_clear(&ec_key);
    secret_clear(&pss_certificate);
    secret_clear(&pss_key);
}

static void
files_of_another_kind(void **state)
{
    struct secret der = SECRET_INIT, nothing = SECRET_INIT, cut = SECRET_INIT;
    struct crypto_pem pem = pair(&der, &key);
    const char *der_hint =
        "convert it; PKCS #12 (.pfx, .p12): openssl pkcs12 -in FILE -out FILE.pem; a "
        "certificate (.cer, .der): openssl x509 -in FILE -out FILE.pem";

    (void)state;
    kit_der(&certificate, &der);
    refused(&pem, "/cert.pem is DER or PKCS #12, not PEM", der_hint);
    pem = pair(&certificate, &der);
    refused(&pem, "/key.pem is DER or PKCS #12, not PEM", der_hint);
    pem = pair(&nothing, &key);
    refused(&pem, "/cert.pem holds no certificate in PEM form",
            "give the file that has a line -----BEGIN ... CERTIFICATE-----");
    pem = pair(&certificate, &nothing);
    refused(&pem, "/key.pem holds no private key in PEM form",
            "give the file that has a line -----BEGIN ... PRIVATE KEY-----");
    pem = pair(&certificate, &certificate);
    refused(&pem, "/key.pem holds no private key in PEM form",
            "give the file that has a line -----BEGIN ... PRIVATE KEY-----");
    assert_int_equal(secret_append(&cut, certificate.data, certificate.len / 2), 0);
    pem = pair(&cut, &key);
    refused(&pem, "/cert.pem: the certificate in it is damaged",
            "copy the file again, from -----BEGIN to the end of the line with -----END");
    secret_clear(&cut);
    assert_int_equal(secret_append(&cut, key.data, key.len / 2), 0);
    pem = pair(&certificate, &cut);
    refused(&pem, "/key.pem: the private key in it is damaged",
            "copy the file again, from -----BEGIN to the end of the line with -----END");
    secret_clear(&cut);
    secret_clear(&der);
}

/* The keys above have been allocated. */
static void
set_up_too_late(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(crypto_setup(&err), ERR_NOMEM);
    assert_string_equal(err.text, "OpenSSL was in use before it was set up");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ps256),
        cmocka_unit_test(rs256),
        cmocka_unit_test(thumbprints),
        cmocka_unit_test(dates),
        cmocka_unit_test(chains_and_files_of_both),
        cmocka_unit_test(another_certificate_s_key),
        cmocka_unit_test(encrypted_keys),
        cmocka_unit_test(a_passphrase_that_is_not_needed),
        cmocka_unit_test(passphrases_of_any_length),
        cmocka_unit_test(a_cipher_that_openssl_gave_up),
        cmocka_unit_test(keys_of_another_kind),
        cmocka_unit_test(files_of_another_kind),
        cmocka_unit_test(set_up_too_late),
    };

    return cmocka_run_group_tests_name("crypto_pem", tests, setup_group, teardown_group);
}
