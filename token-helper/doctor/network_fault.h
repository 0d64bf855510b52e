/* network_fault.h - why a server cannot be used, in words, and what to do. Pure.
 *
 * Used by:  network.c
 * Includes: look.h, mail/server.h.
 */
#ifndef MAILBEARER_NETWORK_FAULT_H
#define MAILBEARER_NETWORK_FAULT_H

#include "../mail/server.h"
#include "look.h"

/* What was looked at; all borrowed. */
struct network_place {
    const char *service; /* "token endpoint", "imap", "pop3", "smtp" */
    const char *host;
    int port;
    const char *account;            /* its name */
    const struct mail_server *mail; /* NULL: the token endpoint */
};

/* Sets err from a look whose result is not LOOK_OK: ERR_TEMP, ERR_TIMEOUT, ERR_PROTOCOL,
 * or what the catalogue knows of the server's reply. */
void network_fault(const struct network_place *place, const struct look *look,
                   struct err *err);

#endif
