/* certificate.c - see certificate.h. */
#include "certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "../base/file.h"
#include "../base/wallclock.h"

#define WHAT_CERTIFICATE "client certificate"
#define WHAT_KEY "client key"

/* A certificate is public: it need not be private, only a regular file. */
static int
read_public(const char *path, struct secret *out, struct err *err)
{
    /* O_NONBLOCK: a FIFO would otherwise wait here for its writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    int r;

    if (fd == -1) {
        r = err_set(err, errno == ENOENT || errno == ENOTDIR ? ERR_CONFIG : ERR_STORE,
                    "cannot open %s %s: %s", WHAT_CERTIFICATE, path, strerror(errno));
        err_hint(err,
                 "correct client_certificate; uid %lu must be able to read that file",
                 (unsigned long)geteuid());
        return r;
    }
    if (fstat(fd, &st) != 0)
        r = err_set(err, ERR_STORE, "cannot read %s %s: %s", WHAT_CERTIFICATE, path,
                    strerror(errno));
    else if (!S_ISREG(st.st_mode))
        r = err_set(err, ERR_CONFIG, "%s %s is not a regular file", WHAT_CERTIFICATE,
                    path);
    else
        r = file_read_fd(fd, path, CERTIFICATE_FILE_MAX, out, err);
    close(fd);
    return r;
}

int
certificate_load(const struct certificate_files *files,
                 struct crypto_identity **identity_r, struct err *err)
{
    const char *key_file = files->key != NULL ? files->key : files->certificate;
    bool together = strcmp(key_file, files->certificate) == 0;
    struct secret certificate = SECRET_INIT;
    struct secret key = SECRET_INIT;
    struct secret passphrase = SECRET_INIT;
    struct crypto_pem pem = {.certificate = together ? &key : &certificate,
                             .certificate_name = files->certificate,
                             .key = &key,
                             .key_name = key_file,
                             .passphrase_name = files->passphrase_file};
    int r;

    if ((!together && (r = read_public(files->certificate, &certificate, err)) != 0) ||
        (r = file_read_private(key_file, WHAT_KEY, CERTIFICATE_FILE_MAX, &key, err)) != 0)
        goto out;
    if (files->passphrase_file != NULL) {
        if ((r = file_read_secret_line(files->passphrase_file, "client key passphrase",
                                       &passphrase, err)) != 0)
            goto out;
        pem.passphrase = &passphrase;
    }
    r = crypto_identity_new(&pem, identity_r, err);
out:
    secret_clear(&certificate);
    secret_clear(&key);
    secret_clear(&passphrase);
    return r;
}

int
certificate_validity(const char *path, struct crypto_validity *validity_r,
                     struct err *err)
{
    struct secret certificate = SECRET_INIT; /* the key may be in the same file */
    int r = read_public(path, &certificate, err);

    if (r == 0)
        r = crypto_certificate_validity(&certificate, path, validity_r, err);
    secret_clear(&certificate);
    return r;
}

int
certificate_check_dates(const struct crypto_validity *validity, const char *path,
                        int64_t now, struct err *err)
{
    char when[WALLCLOCK_TEXT_MAX], clock[WALLCLOCK_TEXT_MAX];

    if (now > validity->not_after) {
        err_set(err, ERR_PERSON, "the %s %s expired on %s", WHAT_CERTIFICATE, path,
                wallclock_text(validity->not_after, when));
        err_hint(err,
                 "make a new pair, register the certificate with the application, and "
                 "put both in place of the old ones");
        return ERR_PERSON;
    }
    if (now < validity->not_before) {
        err_set(err, ERR_TEMP, "the %s %s is valid from %s on, and it is %s",
                WHAT_CERTIFICATE, path, wallclock_text(validity->not_before, when),
                wallclock_text(now, clock));
        err_hint(err, "see whether the clock is right: timedatectl");
        return ERR_TEMP;
    }
    return 0;
}
