/* probed.h - an account whose server is asked now and then. Private to probe.c.
 *
 * Includes: accounts/, mail/server.h, mail/wire.h.
 */
#ifndef MAILBEARER_PROBED_H
#define MAILBEARER_PROBED_H

#include "../accounts/accounts.h"
#include "../accounts/store.h"
#include "../mail/server.h"
#include "../mail/wire.h"

struct probed {
    char *name, *user, *host, *proxy, *ca_file;
    struct mail_server server; /* made of these */
    enum wire wire;
    int64_t next_ms;        /* when it is its turn; monotonic */
    struct failure refusal; /* code ERR_NONE: none is known */
};

/* Its SMTP server, else IMAP, else POP3. False: it has none. */
bool probed_server(const struct account *account, enum protocol *protocol_r);

/* A copy of what is needed; NULL: out of memory. */
struct probed *probed_new(const struct account *account, enum protocol protocol);

/* Takes NULL. */
void probed_free(struct probed *e);

/* Where in the period the account of that name has its turn: 0 to 999 of 1000. */
unsigned probed_slot(const char *name);

#endif
