/* redirect.h - the address a browser is sent back to after a sign-in, and what it brings
 * (RFC 6749 4.1.2). No I/O, no clock.
 *
 * Used by:  grant_code.c, commands/ (the sign-in flows), tests/fuzz
 * Includes: catalogue/, accounts/, client/.
 *
 * What arrives here may come from anybody who can reach the listener, or was pasted by a
 * person: nothing of it is believed before the state was compared (grant_code.h).
 */
#ifndef MAILBEARER_REDIRECT_H
#define MAILBEARER_REDIRECT_H

#include <stdbool.h>
#include <stddef.h>

#include "../accounts/accounts.h"
#include "../client/error.h"
#include "../client/secret.h"

#define REDIRECT_QUERY_MAX 16384u /* bytes of a query */
#define REDIRECT_HOST_MAX 255
#define REDIRECT_PATH_MAX 1024

/* redirect_uri, taken apart. */
struct redirect_target {
    bool https;
    bool loopback;                    /* http, and localhost, 127.0.0.0/8 or [::1] */
    char host[REDIRECT_HOST_MAX + 1]; /* without the brackets of an IPv6 address */
    int port;                         /* 0: none is written */
    char path[REDIRECT_PATH_MAX + 1]; /* without the query; "" when there is none */
};

/* 0, or ERR_CONFIG: not an absolute http or https address, or too long. */
int redirect_target_parse(const char *uri, struct redirect_target *target_r,
                          struct err *err);

/* Appends `uri` with this port in place of the one written, or of none. `uri` is one that
 * redirect_target_parse() took. 0 or ERR_NOMEM. */
int redirect_with_port(const char *uri, int port, struct secret *out, struct err *err);

/* What came back: each is empty when its parameter was absent. */
struct redirect {
    struct secret code; /* good for one use, with the verifier */
    struct secret state;
    struct secret error;
    struct secret description;
};

#define REDIRECT_INIT                                                                    \
    {                                                                                    \
        SECRET_INIT, SECRET_INIT, SECRET_INIT, SECRET_INIT                               \
    }

/* Reads a query (without its `?`): code, state, error, error_description; other names are
 * the provider's business and are passed over. *redirect_r is replaced on success only.
 * 0; ERR_PROTOCOL: too long, badly encoded, a control character in one of the four, one
 * of them twice, both code and error; ERR_NOMEM. */
int redirect_parse(const char *query, size_t len, struct redirect *redirect_r,
                   struct err *err);

/* The query in an address that a person pasted: blanks, quotes and angle brackets around
 * it and a fragment behind it are left out; a query alone is taken as well. 0, with
 * *query_r pointing into `text`; ERR_USAGE: there is no query in it, err says what was
 * expected. */
int redirect_find_query(const char *text, size_t len, const char **query_r, size_t *len_r,
                        struct err *err);

/* Says in err, in the catalogue's words where it has them, why the provider sent `error`
 * instead of a code. Returns ERR_PERSON, or ERR_TEMP where trying again is all. */
int redirect_refusal(const struct redirect *redirect, const struct account *account,
                     struct err *err);

void redirect_clear(struct redirect *redirect);

#endif
