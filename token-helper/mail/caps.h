/* caps.h - what a server says it can do, read from its replies; and what of that a client
 * may be told.
 *
 * Used by:  connection.c (collects), sign_in.c (chooses a mechanism), local_*.c (repeats)
 * Includes: client/ and libc. No I/O.
 *
 * A capability is a word of IMAP's CAPABILITY (RFC 3501), a line of POP3's CAPA
 * (RFC 2449), a line of SMTP's reply to EHLO behind the first (RFC 5321). The latest list
 * counts: servers say another one after STARTTLS, and again after the sign-in.
 */
#ifndef MAILBEARER_CAPS_H
#define MAILBEARER_CAPS_H

#include <stdbool.h>
#include <stddef.h>

#include "../client/secret.h"
#include "wire.h"

struct caps {
    enum wire wire;
    bool in_list;       /* POP3, SMTP: a list is under way */
    struct secret text; /* one capability a line */
};

void caps_init(struct caps *caps, enum wire wire);
void caps_clear(struct caps *caps);

/* Every line the server says is to be passed here, without its end. What is above 32 kB
 * is left out. */
void caps_line(struct caps *caps, const char *line, size_t len);

/* True when any list was seen. */
bool caps_known(const struct caps *caps);

/* True when the server offers this SASL mechanism. */
bool caps_offers(const struct caps *caps, const char *mechanism);

/* The next capability a client may be told, *at counting from 0; borrowed, *len_r bytes.
 * NULL at the end. Left out is what concerns the sign-in and TLS, both of which are
 * behind us, and COMPRESS: AUTH, SASL, STARTTLS, STLS, LOGINDISABLED, SASL-IR. */
const char *caps_next(const struct caps *caps, size_t *at, size_t *len_r);

#endif
