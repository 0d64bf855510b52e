/* crypto_pem.c - a certificate and its private key, from PEM text. */
#include "crypto.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "crypto_internal.h"

/* What the passphrase callback is given, and what it tells. */
struct asked {
    const struct secret *passphrase; /* NULL: none */
    bool asked;
    bool too_long;
};

/* With a callback of our own OpenSSL never asks on the terminal. */
static int
give_passphrase(char *buf, int size, int writing, void *arg)
{
    struct asked *a = arg;

    (void)writing;
    a->asked = true;
    if (a->passphrase == NULL || size < 0)
        return -1;
    if (a->passphrase->len > (size_t)size || a->passphrase->len > CRYPTO_PASSPHRASE_MAX) {
        a->too_long = true;
        return -1;
    }
    memcpy(buf, secret_str(a->passphrase), a->passphrase->len);
    return (int)a->passphrase->len;
}

static BIO *
bio_of(const struct secret *text)
{
    return text->len > INT_MAX ? NULL : BIO_new_mem_buf(secret_str(text), (int)text->len);
}

static bool
holds(const struct secret *text, const char *part)
{
    return text->len > 0 && memmem(text->data, text->len, part, strlen(part)) != NULL;
}

/* DER, and PKCS #12 with it, begins with a SEQUENCE whose length takes more than a byte.
 */
static bool
is_der(const struct secret *text)
{
    return text->len > 2 && text->data[0] == 0x30 &&
           ((unsigned char)text->data[1] & 0x80);
}

static int
refuse_format(const struct secret *text, const char *name, const char *what,
              const char *marker, struct err *err)
{
    if (holds(text, marker)) {
        err_set(err, ERR_CONFIG, "%s: the %s in it is damaged", name, what);
        err_hint(err, "copy the file again, from -----BEGIN to the end of the line "
                      "with -----END");
    } else if (is_der(text)) {
        err_set(err, ERR_CONFIG, "%s is DER or PKCS #12, not PEM", name);
        err_hint(err, "convert it; PKCS #12 (.pfx, .p12): openssl pkcs12 -in FILE -out "
                      "FILE.pem; a certificate (.cer, .der): openssl x509 -in FILE -out "
                      "FILE.pem");
    } else {
        err_set(err, ERR_CONFIG, "%s holds no %s in PEM form", name, what);
        err_hint(err, "give the file that has a line -----BEGIN ... %s", marker);
    }
    ERR_clear_error();
    return ERR_CONFIG;
}

static int
read_certificate(const struct secret *text, const char *name, X509 **certificate_r,
                 struct err *err)
{
    struct asked asked = {.passphrase = NULL};
    BIO *bio = bio_of(text);
    X509 *certificate;

    ERR_clear_error();
    if (bio == NULL)
        return crypto_refuse("read a certificate", err);
    certificate = PEM_read_bio_X509(bio, NULL, give_passphrase, &asked);
    BIO_free(bio);
    if (certificate == NULL)
        return refuse_format(text, name, "certificate", "CERTIFICATE-----", err);
    ERR_clear_error();
    *certificate_r = certificate;
    return 0;
}

/* Was the key's cipher one that this OpenSSL does not have (RC2 and the like, from old
 * PKCS #12 files)? */
static bool
is_unknown_cipher(void)
{
    unsigned long code;
    bool found = false;

    while ((code = ERR_get_error()) != 0) {
        if (ERR_GET_LIB(code) == ERR_LIB_EVP &&
            (ERR_GET_REASON(code) == ERR_R_UNSUPPORTED ||
             ERR_GET_REASON(code) == EVP_R_UNSUPPORTED_ALGORITHM ||
             ERR_GET_REASON(code) == EVP_R_UNKNOWN_PBE_ALGORITHM))
            found = true;
    }
    return found;
}

static int
refuse_encrypted(const struct crypto_pem *pem, const struct asked *asked, struct err *err)
{
    bool unknown = is_unknown_cipher(); /* empties the error queue in any case */

    if (pem->passphrase == NULL) {
        err_set(err, ERR_CONFIG,
                "the private key in %s is encrypted and there is no passphrase for it",
                pem->key_name);
        err_hint(err, "set client_key_passphrase_file to a file with the passphrase on "
                      "its first line");
    } else if (asked->too_long) {
        err_set(err, ERR_CONFIG, "the passphrase in %s is longer than %d bytes",
                pem->passphrase_name, CRYPTO_PASSPHRASE_MAX);
        err_hint(err, "encrypt the key with a shorter one: openssl pkcs8 -topk8 -in %s",
                 pem->key_name);
    } else if (unknown) {
        err_set(err, ERR_CONFIG,
                "the private key in %s is encrypted in a way that this OpenSSL does not "
                "offer",
                pem->key_name);
        err_hint(err,
                 "encrypt it again: openssl pkey -provider default -provider legacy -in "
                 "%s -aes256 -out NEW",
                 pem->key_name);
    } else {
        err_set(err, ERR_CONFIG,
                "the passphrase in %s does not open the private key in %s",
                pem->passphrase_name, pem->key_name);
        err_hint(err,
                 "write the right one on the first line of that file; try it: openssl "
                 "pkey -in %s -noout",
                 pem->key_name);
    }
    return ERR_CONFIG;
}

static int
read_key(const struct crypto_pem *pem, EVP_PKEY **key_r, struct err *err)
{
    struct asked asked = {.passphrase = pem->passphrase};
    BIO *bio = bio_of(pem->key);
    EVP_PKEY *key;

    ERR_clear_error();
    if (bio == NULL)
        return crypto_refuse("read a private key", err);
    key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &asked);
    BIO_free(bio);
    if (key == NULL) {
        if (asked.asked)
            return refuse_encrypted(pem, &asked, err);
        return refuse_format(pem->key, pem->key_name, "private key", "PRIVATE KEY-----",
                             err);
    }
    ERR_clear_error();
    *key_r = key;
    return 0;
}

/* What PS256 and RS256 ask of a key (RFC 7518 3.3, 3.5), and that it is the right one. */
static int
check_pair(const struct crypto_pem *pem, X509 *certificate, EVP_PKEY *key,
           struct err *err)
{
    int same;

    if (!EVP_PKEY_is_a(key, "RSA")) {
        const char *type = EVP_PKEY_get0_type_name(key);

        err_set(err, ERR_CONFIG, "the private key in %s is not RSA but %s", pem->key_name,
                type != NULL ? type : "something else");
        err_hint(err, "make one with openssl req -x509 -newkey rsa:2048 and register its "
                      "certificate; Entra takes RSA only");
        return ERR_CONFIG;
    }
    if (EVP_PKEY_get_bits(key) < CRYPTO_RSA_BITS_MIN) {
        err_set(err, ERR_CONFIG, "the private key in %s has %d bits, %d is the least",
                pem->key_name, EVP_PKEY_get_bits(key), CRYPTO_RSA_BITS_MIN);
        err_hint(err, "make a longer one with openssl req -x509 -newkey rsa:2048 and "
                      "register its certificate");
        return ERR_CONFIG;
    }
    same = EVP_PKEY_eq(X509_get0_pubkey(certificate), key);
    ERR_clear_error();
    if (same == 1)
        return 0;
    err_set(err, ERR_CONFIG,
            "the private key in %s does not belong to the certificate %s", pem->key_name,
            pem->certificate_name);
    err_hint(err, "give the pair that was made together; openssl x509 -pubkey -noout and "
                  "openssl pkey -pubout print the same for both");
    return ERR_CONFIG;
}

static bool
seconds_of(const ASN1_TIME *when, int64_t *seconds_r)
{
    struct tm tm;

    if (when == NULL || ASN1_TIME_to_tm(when, &tm) != 1)
        return false;
    *seconds_r = timegm(&tm);
    return true;
}

static int
read_validity(const X509 *certificate, const char *name,
              struct crypto_validity *validity_r, struct err *err)
{
    struct crypto_validity v;

    if (!seconds_of(X509_get0_notBefore(certificate), &v.not_before) ||
        !seconds_of(X509_get0_notAfter(certificate), &v.not_after)) {
        ERR_clear_error();
        return err_set(err, ERR_CONFIG, "%s: the certificate's dates cannot be read",
                       name);
    }
    *validity_r = v;
    return 0;
}

int
crypto_certificate_validity(const struct secret *certificate, const char *name,
                            struct crypto_validity *validity_r, struct err *err)
{
    X509 *x509 = NULL;
    int r = read_certificate(certificate, name, &x509, err);

    if (r == 0)
        r = read_validity(x509, name, validity_r, err);
    X509_free(x509);
    return r;
}

int
crypto_identity_new(const struct crypto_pem *pem, struct crypto_identity **identity_r,
                    struct err *err)
{
    struct crypto_identity *identity = calloc(1, sizeof *identity);
    int r;

    if (identity == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    if ((r = read_certificate(pem->certificate, pem->certificate_name,
                              &identity->certificate, err)) != 0 ||
        (r = read_validity(identity->certificate, pem->certificate_name,
                           &identity->validity, err)) != 0 ||
        (r = read_key(pem, &identity->key, err)) != 0 ||
        (r = check_pair(pem, identity->certificate, identity->key, err)) != 0)
        goto out;
    *identity_r = identity;
    identity = NULL;
out:
    crypto_identity_free(&identity);
    return r;
}

void
crypto_identity_free(struct crypto_identity **identity)
{
    if (*identity == NULL)
        return;
    X509_free((*identity)->certificate);
    EVP_PKEY_free((*identity)->key); /* wipes the private numbers */
    free(*identity);
    *identity = NULL;
}
