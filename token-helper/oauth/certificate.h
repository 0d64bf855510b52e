/* certificate.h - an account's client certificate and key, from the files it names.
 *
 * Used by:  assertion's callers (acquire.c), commands/ (check, status)
 * Includes: crypto.h, base/, client/. Blocks on the files; the agent calls it off its
 * event loop, and each time anew, so that a renewed certificate counts at once.
 */
#ifndef MAILBEARER_CERTIFICATE_H
#define MAILBEARER_CERTIFICATE_H

#include "crypto.h"

#define CERTIFICATE_FILE_MAX (256u * 1024u)

struct certificate_files {
    const char *certificate;     /* client_certificate: PEM, the first one counts */
    const char *key;             /* client_key; NULL: in the certificate's file */
    const char *passphrase_file; /* client_key_passphrase_file; NULL: none */
};

/* 0: *identity_r, to be freed by crypto_identity_free(). ERR_CONFIG: a file is absent or
 * too large, the key's or the passphrase's file is not private, and all that
 * crypto_identity_new() refuses. ERR_STORE: a file cannot be read. ERR_NOMEM. The
 * certificate's own file may be readable by everybody. Dates are not looked at. */
int certificate_load(const struct certificate_files *files,
                     struct crypto_identity **identity_r, struct err *err);

/* The dates alone; needs neither key nor passphrase. Returns as certificate_load(). */
int certificate_validity(const char *path, struct crypto_validity *validity_r,
                         struct err *err);

/* May it be used now? 0. ERR_PERSON: it has expired. ERR_TEMP: it is not valid yet, or
 * the clock is wrong. `path` is for the text. */
int certificate_check_dates(const struct crypto_validity *validity, const char *path,
                            int64_t now, struct err *err);

#endif
