/* sign_in.h - sign in at the server, over a connection that is already encrypted.
 *
 * Used by:  fetch-helper/tunnel.c, doctor/, agent/
 * Includes: client/, base64, caps, refusal, lineio, stream.
 *
 * libcurl could do this too, but it keeps what the server sends behind its final OK in a
 * buffer that nobody can reach, and hangs up on a refusal's JSON challenge before the
 * server has said why (tried with 7.88: neither the header nor the debug callback sees
 * those bytes). So libcurl is given no user name; it then stops behind the capabilities.
 *
 * The message always goes in a line of its own (no initial response): Exchange's POP3
 * drops the connection on one, Dovecot and Gmail refuse long ones.
 */
#ifndef MAILBEARER_SIGN_IN_H
#define MAILBEARER_SIGN_IN_H

#include <stdbool.h>

#include "../client/error.h"
#include "../client/secret.h"
#include "caps.h"
#include "lineio.h"
#include "stream.h"

struct sign_in {
    struct stream_wait *wait; /* where to write; its deadline is for everything */
    struct lineio *in;        /* the server's lines, reading from `wait` */
    struct caps *caps;        /* in: before the sign-in; out: after it */
    struct secret *held;      /* out: untagged replies of IMAP that came meanwhile and
                                 are for the client, with their line ends */
    struct secret *answer;    /* out: the server's last word, yes or no, without what was
                                 sent to it; NULL: not wanted */
    const char *host, *account; /* for messages */
    const char *user;
    const struct secret *secret; /* token or password */
    bool password;
};

/* Longest line of the server's that is taken. */
#define SIGN_IN_LINE_MAX 65536u

/* Signs in with XOAUTH2, with OAUTHBEARER where only that is offered; with a password,
 * PLAIN, else LOGIN. There is no way from a token to a password or back. Then asks for
 * the capabilities once more (IMAP: unless the final OK told them; not in POP3).
 * 0:          *mechanism_r (static) was taken. What the server sent behind its last reply
 *             is lineio_rest(q->in).
 * ERR_PERSON: refused; *refused_r tells whether another token may help.
 * ERR_TEMP, ERR_TIMEOUT, ERR_PROTOCOL, ERR_NOMEM. err holds what the server said, and
 * never the secret. */
int sign_in(const struct sign_in *q, const char **mechanism_r, bool *refused_r,
            struct err *err);

#endif
