/* context.h - the accounts file and store that a command works with.
 *
 * Used by:  front/, commands/
 * Includes: place.h, accounts.h, store.h.
 */
#ifndef MAILBEARER_CONTEXT_H
#define MAILBEARER_CONTEXT_H

#include "accounts.h"
#include "place.h"
#include "store.h"

struct context {
    const char *config; /* what -c gave, or NULL */
    struct place place;
    struct accounts *accounts; /* NULL until context_accounts() */
    struct store store;        /* fd -1 until context_store() */
};

#define CONTEXT_INIT                                                                     \
    {                                                                                    \
        .store = {.fd = -1 }                                                             \
    }

/* Finds and reads the accounts file. Returns as place_find() and accounts_read(). */
int context_accounts(struct context *context, struct err *err);

/* The account of that name, after context_accounts(). 0, or ERR_NOACCOUNT with the
 * accounts file's path in the text. */
int context_account(const struct context *context, const char *name,
                    const struct account **account_r, struct err *err);

/* The state directory in force. Borrowed. */
const char *context_state_directory(const struct context *context);

/* Becomes the state directory's owner and opens the store, after context_accounts().
 * Returns as place_enter() and store_open(). */
int context_store(struct context *context, struct err *err);

void context_close(struct context *context);

#endif
