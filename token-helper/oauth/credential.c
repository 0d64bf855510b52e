/* credential.c - see credential.h. */
#include "credential.h"

#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "../base/file.h"
#include "certificate.h"
#include "secret_source.h"

void
credential_clear(struct credential *c)
{
    secret_clear(&c->secret);
    secret_clear(&c->assertion);
    crypto_identity_free(&c->identity);
}

static int
read_certificate(const struct account *account, int64_t now, struct credential *c,
                 struct err *err)
{
    struct certificate_files files = {.certificate = account->client_certificate,
                                      .key = account->client_key,
                                      .passphrase_file =
                                          account->client_key_passphrase_file};
    int r = certificate_load(&files, &c->identity, err);

    return r != 0 ? r
                  : certificate_check_dates(crypto_identity_validity(c->identity),
                                            account->client_certificate, now, err);
}

/* The file's modes are its writer's business (Kubernetes mounts it as it likes). */
static int
read_federated(const struct account *account, struct credential *c, struct err *err)
{
    const char *path = account->federated_token_file;
    struct secret text = SECRET_INIT;
    size_t n;
    int r;

    if ((r = file_read_foreign(path, "federated token", FEDERATED_TOKEN_MAX, &text,
                               err)) == 0) {
        n = strcspn(secret_str(&text), "\r\n");
        if (n == 0)
            r = err_set(err, ERR_TEMP, "federated token %s is empty", path);
        else if (secret_set(&c->assertion, text.data, n) != 0)
            r = err_set(err, ERR_NOMEM, "out of memory");
        else if (secret_has_control(&c->assertion))
            r = err_set(err, ERR_CONFIG, "federated token %s holds a control character",
                        path);
    }
    if (r != 0 && err != NULL && err->hint[0] == '\0')
        err_hint(err,
                 "see that the cluster writes the token there and that uid %lu may "
                 "read it, or correct federated_token_file",
                 (unsigned long)geteuid());
    secret_clear(&text);
    return r;
}

int
credential_read(const struct account *account, int64_t now,
                struct credential *credential_r, struct err *err)
{
    struct credential c = CREDENTIAL_INIT;
    int r;

    if (account->client_certificate != NULL)
        r = read_certificate(account, now, &c, err);
    else if (account->federated_token_file != NULL)
        r = read_federated(account, &c, err);
    else
        r = secret_source_read(account, &c.secret, err);
    if (r != 0) {
        credential_clear(&c);
        return r;
    }
    credential_clear(credential_r);
    *credential_r = c;
    return 0;
}

bool
credential_changed_since(const struct account *account, int64_t since, int64_t now)
{
    const char *const files[] = {account->client_secret_file, account->client_certificate,
                                 account->client_key, account->client_key_passphrase_file,
                                 account->federated_token_file};
    struct stat st;

    for (size_t i = 0; i < sizeof files / sizeof files[0] && now > since; i++)
        if (files[i] != NULL && stat(files[i], &st) == 0 && st.st_ctim.tv_sec >= since &&
            st.st_ctim.tv_sec <= now)
            return true;
    return false;
}
