/* options.h - the command line of mailbearer-fetch.
 *
 * Used by:  main.c, session.c, listener.c, port_gate.c, port_sockets.c
 * Includes: wire.h, libc.
 */
#ifndef MAILBEARER_OPTIONS_H
#define MAILBEARER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "../token-helper/mail/wire.h"

#define OPTIONS_LISTEN_MAX 16

struct options {
    const char *config; /* -c, or NULL */
    bool verbose;       /* -v */
    bool to_syslog;     /* --syslog */
    bool greeting;      /* --greeting */
    enum wire wire;
    const char *host;    /* NULL: the account's */
    const char *port;    /* NULL: the account's */
    const char *account; /* NULL: whom the local sign-in names, on a port */

    /* local ports */
    const char *listen[OPTIONS_LISTEN_MAX];
    size_t listen_count;
    mode_t mode;       /* --mode: of a UNIX socket */
    const char *group; /* --group: of a UNIX socket, or NULL */
    const char *user;  /* --user: whom root becomes, or NULL: mailbearer-fetch */
    int max_sessions;
    int sign_in_ms;       /* --sign-in-time: for a client to sign in */
    int failure_ms;       /* --failure-delay: after the first failure */
    bool allow_remote;    /* --allow-remote */
    bool starttls;        /* --starttls */
    const char *tls_cert; /* both or none */
    const char *tls_key;
};

/* Reads the command line; texts borrow from argv. -1: go on; else the exit status, help
 * or complaint being printed. */
int options_read(int argc, char **argv, struct options *options_r);

/* Complains that the session on standard input and output has no account; the exit
 * status. */
int options_need_account(void);

#endif
