/* key_kit.c - see key_kit.h. */
#include "key_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

EVP_PKEY *
kit_rsa(unsigned bits)
{
    EVP_PKEY *key = EVP_RSA_gen(bits);

    assert_non_null(key);
    return key;
}

EVP_PKEY *
kit_rsa_pss(unsigned bits)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    EVP_PKEY *key = NULL;

    assert_non_null(ctx);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

EVP_PKEY *
kit_ec(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    assert_non_null(key);
    return key;
}

static void
append_bio(BIO *bio, struct secret *out)
{
    char *text;
    long len = BIO_get_mem_data(bio, &text);

    assert_true(len > 0);
    assert_int_equal(secret_append(out, text, (size_t)len), 0);
    BIO_free(bio);
}

void
kit_certificate(EVP_PKEY *key, int64_t not_before, int64_t not_after, struct secret *pem)
{
    X509 *x509 = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());
    X509_NAME *name;

    assert_non_null(x509);
    assert_non_null(bio);
    assert_int_equal(X509_set_version(x509, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x509), 1), 1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)not_before));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)not_after));
    name = X509_get_subject_name(x509);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)"relay", -1, -1,
                                                0),
                     1);
    assert_int_equal(X509_set_issuer_name(x509, name), 1);
    assert_int_equal(X509_set_pubkey(x509, key), 1);
    assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(bio, x509), 1);
    append_bio(bio, pem);
    X509_free(x509);
}

void
kit_key(EVP_PKEY *key, const char *passphrase, struct secret *pem)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_non_null(bio);
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(
                         bio, key, passphrase ? EVP_aes_256_cbc() : NULL, passphrase,
                         passphrase ? (int)strlen(passphrase) : 0, NULL, NULL),
                     1);
    append_bio(bio, pem);
}

void
kit_old_key(EVP_PKEY *key, const char *passphrase, struct secret *pem)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_non_null(bio);
    assert_int_equal(PEM_write_bio_PrivateKey_traditional(
                         bio, key, passphrase ? EVP_aes_256_cbc() : NULL,
                         (const unsigned char *)passphrase,
                         passphrase ? (int)strlen(passphrase) : 0, NULL, NULL),
                     1);
    append_bio(bio, pem);
}

void
kit_der(const struct secret *pem, struct secret *der)
{
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    unsigned char *bytes = NULL;
    char *name = NULL;
    char *header = NULL;
    long len = 0;

    assert_non_null(bio);
    do {
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(bytes);
        assert_int_equal(PEM_read_bio(bio, &name, &header, &bytes, &len), 1);
    } while (strcmp(name, "CERTIFICATE") != 0);
    assert_int_equal(secret_append(der, bytes, (size_t)len), 0);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(bytes);
    BIO_free(bio);
}

void
kit_thumbprint(const struct secret *pem, int sha, struct secret *out)
{
    struct secret der = SECRET_INIT;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len;

    kit_der(pem, &der);
    assert_int_equal(EVP_Digest(der.data, der.len, digest, &len,
                                sha == 1 ? EVP_sha1() : EVP_sha256(), NULL),
                     1);
    assert_int_equal(len, sha == 1 ? 20 : 32);
    assert_int_equal(crypto_base64url(digest, len, out), 0);
    secret_clear(&der);
}

bool
kit_verify(EVP_PKEY *key, enum crypto_alg alg, const void *bytes, size_t len,
           const struct secret *signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options;
    int ok;

    assert_non_null(ctx);
    assert_int_equal(EVP_DigestVerifyInit(ctx, &options, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(options, alg == CRYPTO_PS256
                                                               ? RSA_PKCS1_PSS_PADDING
                                                               : RSA_PKCS1_PADDING),
                     1);
    if (alg == CRYPTO_PS256)
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, 32), 1);
    ok = EVP_DigestVerify(ctx, (const unsigned char *)signature->data, signature->len,
                          bytes, len);
    EVP_MD_CTX_free(ctx);
    return ok == 1;
}
