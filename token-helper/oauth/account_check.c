/* account_check.c - see account_check.h. */
#include "account_check.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "../base/file.h"
#include "certificate.h"

struct check {
    const struct account *account;
    int64_t now;
    account_found_fn *found;
    void *arg;
};

static void
failed(const struct check *c, const struct err *err)
{
    c->found(c->arg, true, err);
}

static void
check_users(const struct check *c)
{
    for (size_t i = 0; i < c->account->allow_users.count; i++) {
        const char *user = c->account->allow_users.names[i];
        struct err err = ERR_INIT;

        if (strspn(user, "0123456789") == strlen(user) || getpwnam(user) != NULL)
            continue;
        err_set(&err, ERR_CONFIG, "allow_users names %.200s, and there is no such user",
                user);
        err_hint(&err, "correct the name, or make the user");
        c->found(c->arg, false, &err);
    }
}

static void
check_secret_date(const struct check *c)
{
    int64_t left = c->account->secret_expires - c->now;
    struct err err = ERR_INIT;

    if (c->account->secret_expires == 0 || left >= ACCOUNT_CHECK_SOON_S)
        return;
    err_set(&err, ERR_PERSON,
            left <= 0 ? "its client secret has expired"
                      : "its client secret expires in less than 30 days");
    err_hint(&err, "make a new one, put it in place, and change secret_expires");
    c->found(c->arg, left <= 0, &err);
}

/* The secret's file is read, as the agent would; a command is not run. */
static void
check_secret(const struct check *c)
{
    const struct account *a = c->account;
    struct secret secret = SECRET_INIT;
    struct err err = ERR_INIT;

    if (a->client_secret_file != NULL &&
        file_read_secret_line(a->client_secret_file, "client secret", &secret, &err) != 0)
        failed(c, &err);
    if (a->app_password_file != NULL &&
        file_read_secret_line(a->app_password_file, "app password", &secret, &err) != 0)
        failed(c, &err);
    secret_clear(&secret);
    check_secret_date(c);
}

/* Certificate and key are read and compared, the dates looked at. */
static void
check_certificate(const struct check *c)
{
    const struct account *a = c->account;
    struct certificate_files files = {a->client_certificate, a->client_key,
                                      a->client_key_passphrase_file};
    struct crypto_identity *identity = NULL;
    struct err err = ERR_INIT;

    if (a->client_certificate == NULL)
        return;
    if (certificate_load(&files, &identity, &err) != 0 ||
        certificate_check_dates(crypto_identity_validity(identity), a->client_certificate,
                                c->now, &err) != 0) {
        failed(c, &err);
    } else if (crypto_identity_validity(identity)->not_after - c->now <
               ACCOUNT_CHECK_SOON_S) {
        err_set(&err, ERR_CONFIG, "its client certificate expires in less than 30 days");
        err_hint(&err, "make a new one and upload it: Entra > App registrations > "
                       "Certificates & secrets");
        c->found(c->arg, false, &err);
    }
    crypto_identity_free(&identity);
}

static void
check_ca_file(const struct check *c)
{
    const char *path = c->account->ca_file;
    struct err err = ERR_INIT;

    if (path == NULL || access(path, R_OK) == 0)
        return;
    err_set(&err, ERR_CONFIG, "ca_file %s: %s", path, strerror(errno));
    err_hint(&err, "the agent must be able to read it");
    failed(c, &err);
}

void
account_check_files(const struct account *account, int64_t now, account_found_fn *found,
                    void *arg)
{
    const struct check c = {account, now, found, arg};

    check_users(&c);
    check_secret(&c);
    check_certificate(&c);
    check_ca_file(&c);
}
