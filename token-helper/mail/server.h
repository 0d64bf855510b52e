/* server.h - where an account's mail server is and how it is to be spoken to.
 *
 * Used by:  connection.c, and who connects: fetch-helper/, token-helper/doctor/
 * Includes: libc.
 */
#ifndef MAILBEARER_SERVER_H
#define MAILBEARER_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>

/* All texts are borrowed. */
struct mail_server {
    const char *user;    /* the mailbox */
    const char *host;    /* an IPv6 address stands without brackets */
    int port;            /* 1..65535 */
    const char *proxy;   /* NULL: none */
    const char *ca_file; /* NULL: the system's */
    bool starttls;       /* else TLS from the start */
    bool password;       /* the secret is a password, not a token */
    /* Becomes true, by another thread's doing, when all is to end: what is under way then
     * fails within a second. NULL: never. */
    const atomic_bool *stop;
};

#endif
