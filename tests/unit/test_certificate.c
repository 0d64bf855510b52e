/* test_certificate.c - certificate, key and passphrase from files. */
#include "scratch.h"

#include <openssl/evp.h>

#include "key_kit.h"
#include "oauth/certificate.h"

#define FROM INT64_C(1700000000)
#define UNTIL INT64_C(1763164799)

static char dir[SCRATCH_PATH_MAX];
static char cert_path[SCRATCH_PATH_MAX], key_path[SCRATCH_PATH_MAX],
    both_path[SCRATCH_PATH_MAX], locked_path[SCRATCH_PATH_MAX],
    passphrase_path[SCRATCH_PATH_MAX];
static EVP_PKEY *rsa;

static int
setup_group(void **state)
{
    struct secret certificate = SECRET_INIT, key = SECRET_INIT, locked = SECRET_INIT;
    char both[8192];

    (void)state;
    scratch_make(dir);
    rsa = kit_rsa(2048);
    kit_certificate(rsa, FROM, UNTIL, &certificate);
    kit_key(rsa, NULL, &key);
    kit_key(rsa, "correct horse", &locked);
    scratch_write(scratch_path(cert_path, dir, "cert.pem"), certificate.data,
                  certificate.len, 0644);
    scratch_write(scratch_path(key_path, dir, "key.pem"), key.data, key.len, 0600);
    scratch_write(scratch_path(locked_path, dir, "locked.pem"), locked.data, locked.len,
                  0600);
    scratch_write(scratch_path(passphrase_path, dir, "passphrase"), "correct horse\n", 14,
                  0600);
    snprintf(both, sizeof both, "%s%s", secret_str(&key), secret_str(&certificate));
    scratch_write(scratch_path(both_path, dir, "both.pem"), both, strlen(both), 0600);
    secret_clear(&certificate);
    secret_clear(&key);
    secret_clear(&locked);
    return 0;
}

static int
teardown_group(void **state)
{
    (void)state;
    EVP_PKEY_free(rsa);
    scratch_remove(dir);
    return 0;
}

static void
loaded(struct certificate_files files)
{
    struct crypto_identity *identity = NULL;
    struct secret signature = SECRET_INIT;
    struct err err = ERR_INIT;

    if (certificate_load(&files, &identity, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(crypto_identity_validity(identity)->not_after, UNTIL);
    assert_int_equal(
        crypto_identity_sign(identity, CRYPTO_PS256, "text", 4, &signature, &err), 0);
    assert_true(kit_verify(rsa, CRYPTO_PS256, "text", 4, &signature));
    crypto_identity_free(&identity);
    secret_clear(&signature);
}

static void
from_files(void **state)
{
    (void)state;
    loaded((struct certificate_files){cert_path, key_path, NULL});
    loaded((struct certificate_files){cert_path, locked_path, passphrase_path});
    loaded((struct certificate_files){both_path, NULL, NULL});
    loaded((struct certificate_files){both_path, both_path, NULL});
}

/* The text wanted: `before`, the path of `name`, `behind`. */
static void
refused(struct certificate_files files, int code, const char *before, const char *name,
        const char *behind)
{
    struct crypto_identity *identity = NULL;
    struct err err = ERR_INIT;
    char want[SCRATCH_PATH_MAX + 200];

    assert_int_equal(certificate_load(&files, &identity, &err), code);
    assert_null(identity);
    snprintf(want, sizeof want, "%s%s/%s%s", before, dir, name, behind);
    assert_string_equal(err.text, want);
}

static void
files_that_are_refused(void **state)
{
    char absent[SCRATCH_PATH_MAX], large[SCRATCH_PATH_MAX], fifo[SCRATCH_PATH_MAX];
    char *text = calloc(1, CERTIFICATE_FILE_MAX + 1);

    (void)state;
    assert_non_null(text);
    scratch_path(absent, dir, "absent");
    refused((struct certificate_files){absent, key_path, NULL}, ERR_CONFIG,
            "cannot open client certificate ", "absent", ": No such file or directory");
    refused((struct certificate_files){cert_path, absent, NULL}, ERR_CONFIG,
            "cannot open client key ", "absent", ": No such file or directory");
    refused((struct certificate_files){cert_path, locked_path, absent}, ERR_CONFIG,
            "cannot open client key passphrase ", "absent",
            ": No such file or directory");
    refused((struct certificate_files){cert_path, locked_path, NULL}, ERR_CONFIG,
            "the private key in ", "locked.pem",
            " is encrypted and there is no passphrase for it");
    scratch_write(scratch_path(large, dir, "large"), text, CERTIFICATE_FILE_MAX + 1,
                  0600);
    refused((struct certificate_files){large, key_path, NULL}, ERR_CONFIG, "", "large",
            " is too large");
    assert_int_equal(mkfifo(scratch_path(fifo, dir, "fifo"), 0600), 0);
    refused((struct certificate_files){fifo, key_path, NULL}, ERR_CONFIG,
            "client certificate ", "fifo", " is not a regular file");
    free(text);
}

/* The certificate may be seen by everybody; the key, and a file with the key, may not. */
static void
keys_that_others_can_read(void **state)
{
    (void)state;
    assert_int_equal(chmod(key_path, 0644), 0);
    refused((struct certificate_files){cert_path, key_path, NULL}, ERR_CONFIG,
            "client key ", "key.pem", " has mode 644: everybody may read or change it");
    assert_int_equal(chmod(key_path, 0600), 0);
    assert_int_equal(chmod(both_path, 0644), 0);
    refused((struct certificate_files){both_path, NULL, NULL}, ERR_CONFIG, "client key ",
            "both.pem", " has mode 644: everybody may read or change it");
    assert_int_equal(chmod(both_path, 0600), 0);
    assert_int_equal(chmod(passphrase_path, 0644), 0);
    refused((struct certificate_files){cert_path, locked_path, passphrase_path},
            ERR_CONFIG, "client key passphrase ", "passphrase",
            " has mode 644: everybody may read or change it");
    assert_int_equal(chmod(passphrase_path, 0600), 0);
}

static void
the_dates_alone(void **state)
{
    struct crypto_validity v = {0, 0};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(certificate_validity(cert_path, &v, &err), 0);
    assert_int_equal(v.not_before, FROM);
    assert_int_equal(v.not_after, UNTIL);
    v.not_after = 0;
    assert_int_equal(certificate_validity(both_path, &v, &err), 0);
    assert_int_equal(v.not_after, UNTIL);
    assert_int_equal(certificate_validity(passphrase_path, &v, &err), ERR_CONFIG);
}

static void
dates_and_the_clock(void **state)
{
    const struct crypto_validity v = {FROM, UNTIL};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(certificate_check_dates(&v, "/c.pem", FROM, &err), 0);
    assert_int_equal(certificate_check_dates(&v, "/c.pem", UNTIL, &err), 0);
    assert_int_equal(certificate_check_dates(&v, "/c.pem", UNTIL + 1, &err), ERR_PERSON);
    assert_string_equal(err.text,
                        "the client certificate /c.pem expired on 2025-11-14T23:59:59Z");
    assert_string_equal(err.hint,
                        "make a new pair, register the certificate with the application, "
                        "and put both in place of the old ones");
    assert_int_equal(certificate_check_dates(&v, "/c.pem", FROM - 1, &err), ERR_TEMP);
    assert_string_equal(err.text,
                        "the client certificate /c.pem is valid from "
                        "2023-11-14T22:13:20Z on, and it is 2023-11-14T22:13:19Z");
    assert_string_equal(err.hint, "see whether the clock is right: timedatectl");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_files),
        cmocka_unit_test(files_that_are_refused),
        cmocka_unit_test(keys_that_others_can_read),
        cmocka_unit_test(the_dates_alone),
        cmocka_unit_test(dates_and_the_clock),
    };

    return cmocka_run_group_tests_name("certificate", tests, setup_group, teardown_group);
}
