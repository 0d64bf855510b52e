/* import_formats.h - files in which other tools keep a sign-in, read. No I/O.
 *
 * Used by:  cmd_import.c
 * Includes: accounts/accounts.h, base/json.h, client/.
 *
 * sasl-xoauth2: a JSON object with `refresh_token`; `user` and `client_id` may be there.
 *               Its `access_token` and `expiry` are not used.
 * mutt_oauth2:  a JSON object with `refresh_token`, `email` and, since 2022, `client_id`;
 *               encrypted by a program of the user's choice. Its `access_token` is not
 *               used: the end of its life is noted without time zone.
 * refresh-token: the refresh token on one line.
 *
 * Access tokens are left behind: another one is fetched at the first use, for the scope
 * and the client that our account has.
 */
#ifndef MAILBEARER_IMPORT_FORMATS_H
#define MAILBEARER_IMPORT_FORMATS_H

#include "../accounts/accounts.h"

enum import_format {
    IMPORT_SASL_XOAUTH2,
    IMPORT_MUTT_OAUTH2,
    IMPORT_REFRESH_TOKEN,
    IMPORT_FORMAT_COUNT,
};

/* By the command line's name; IMPORT_FORMAT_COUNT when it is none of them. */
enum import_format import_format_from_name(const char *name);

#define IMPORT_FILE_MAX 65536u

struct imported {
    struct secret refresh_token;
    char *user;      /* whose it is; NULL: not told */
    char *client_id; /* which application it was given to; NULL: not told */
};

#define IMPORTED_INIT                                                                    \
    {                                                                                    \
        SECRET_INIT, NULL, NULL                                                          \
    }

/* Reads the file's content; `name` is how messages call it. 0; ERR_CONFIG: it is not of
 * this format, or holds no refresh token that can be used; ERR_NOMEM. err never holds
 * what was read. */
int import_parse(enum import_format format, const struct secret *text, const char *name,
                 struct imported *imported_r, struct err *err);

/* Does it fit the account? A refresh token is good for one person and one application.
 * 0, ERR_CONFIG. */
int import_check(const struct imported *imported, const struct account *account,
                 struct err *err);

void imported_clear(struct imported *imported);

#endif
