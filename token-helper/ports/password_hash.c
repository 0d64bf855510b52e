/* password_hash.c - see password_hash.h. */
#include "password_hash.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define GROUPS 5
#define GROUP 4

int
password_check_new(const struct secret *password, struct err *err)
{
    size_t characters = 0;

    for (size_t i = 0; i < password->len; i++)
        characters += ((unsigned char)password->data[i] & 0xc0u) != 0x80u;
    if (password->len == 0)
        err_set(err, ERR_USAGE, "the password is empty");
    else if (characters < PASSWORD_MIN)
        err_set(err, ERR_USAGE, "the password has fewer than %d characters",
                PASSWORD_MIN);
    else if (password->len > PASSWORD_MAX)
        err_set(err, ERR_USAGE, "the password has more than %d bytes", PASSWORD_MAX);
    else if (secret_has_control(password))
        err_set(err, ERR_USAGE, "the password holds a control character");
    else
        return 0;
    err_hint(err, "let one be made: mailbearer passwd --generate ACCOUNT");
    return ERR_USAGE;
}

int
password_generate(struct secret *out, struct err *err)
{
    /* 32 letters that are not taken for one another */
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
    unsigned char bytes[GROUPS * GROUP];
    int r = 0;

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return err_set(err, ERR_TEMP, "no random numbers: %s", strerror(errno));
    for (size_t i = 0; i < sizeof bytes && r == 0; i++) {
        if (i > 0 && i % GROUP == 0)
            r = secret_append_char(out, '-');
        if (r == 0)
            r = secret_append_char(out, letters[bytes[i] % 32]);
    }
    explicit_bzero(bytes, sizeof bytes);
    return r == 0 ? 0 : err_set(err, r, "out of memory");
}

/* libxcrypt chooses method, cost and salt. musl's crypt(3) has neither yescrypt nor
 * settings of its own making: SHA-512 there, at about the same time a check. */
#if defined(CRYPT_GENSALT_OUTPUT_SIZE) && !defined(PASSWORD_HASH_PLAIN)
#define SETTING_SIZE CRYPT_GENSALT_OUTPUT_SIZE

static bool
new_setting(char setting[SETTING_SIZE])
{
    return crypt_gensalt_rn("$y$", 0, NULL, 0, setting, SETTING_SIZE) != NULL;
}

static const char *
hash_into(struct crypt_data *data, const char *password, const char *setting)
{
    return crypt_rn(password, setting, data, sizeof *data);
}
#else
#define METHOD "$6$rounds=50000$"
#define SALT 16
#define SETTING_SIZE (sizeof METHOD + SALT)

static bool
new_setting(char setting[SETTING_SIZE])
{
    static const char letters[] =
        "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    unsigned char bytes[SALT];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return false;
    memcpy(setting, METHOD, sizeof METHOD);
    for (size_t i = 0; i < SALT; i++)
        setting[sizeof METHOD - 1 + i] = letters[bytes[i] % 64];
    setting[sizeof METHOD - 1 + SALT] = '\0';
    return true;
}

/* A setting it does not know: NULL, or a text that is no hash. */
static const char *
hash_into(struct crypt_data *data, const char *password, const char *setting)
{
    const char *result = crypt_r(password, setting, data);

    return result != NULL && result[0] != '*' ? result : NULL;
}
#endif

/* crypt(3) with a setting. Allocated, since the library's structure holds what was made
 * of the password; NULL on failure, else to be ended with forget(). */
static struct crypt_data *
run(const struct secret *password, const char *setting, const char **result_r)
{
    struct crypt_data *data = calloc(1, sizeof *data);

    if (data == NULL)
        return NULL;
    *result_r = hash_into(data, secret_str(password), setting);
    if (*result_r == NULL) {
        explicit_bzero(data, sizeof *data);
        free(data);
        return NULL;
    }
    return data;
}

static void
forget(struct crypt_data *data)
{
    explicit_bzero(data, sizeof *data);
    free(data);
}

int
password_hash(const struct secret *password, struct secret *out, struct err *err)
{
    char setting[SETTING_SIZE];
    const char *result = NULL;
    struct crypt_data *data;
    int r;

    if (!new_setting(setting)) {
        err_set(err, ERR_CONFIG, "this system's crypt(3) makes no hashes: %s",
                strerror(errno));
        err_hint(err, "install libxcrypt");
        return ERR_CONFIG;
    }
    if ((data = run(password, setting, &result)) == NULL)
        return err_set(err, ERR_TEMP, "crypt(3) failed: %s", strerror(errno));
    if ((r = secret_append_str(out, result)) != 0)
        err_set(err, r, "out of memory");
    forget(data);
    return r;
}

static bool
same(const char *a, const char *b)
{
    size_t n = strlen(a);
    unsigned char difference = 0;

    if (strlen(b) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    return difference == 0;
}

bool
password_is(const struct secret *password, const char *hash, const char *like)
{
    char setting[SETTING_SIZE];
    const char *with = hash != NULL ? hash : like;
    const char *result = NULL;
    struct crypt_data *data;
    bool is = false;

    if (with == NULL && new_setting(setting))
        with = setting;
    /* crypt(3) stops at a NUL: what is behind it would not count */
    if (with == NULL || memchr(secret_str(password), '\0', password->len) != NULL ||
        (data = run(password, with, &result)) == NULL)
        return false;
    is = same(result, with) && hash != NULL;
    forget(data);
    return is;
}
