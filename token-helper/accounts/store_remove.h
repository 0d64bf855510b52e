/* store_remove.h - forget an account's tokens.
 *
 * Used by:  commands/cmd_logout.c
 * Includes: store.h.
 */
#ifndef MAILBEARER_STORE_REMOVE_H
#define MAILBEARER_STORE_REMOVE_H

#include "store.h"

/* Removes the account's record, whatever it holds and whoever's key it is under, and what
 * an unfinished write left. Under its lock; the lock's file stays. *there_r: there was
 * one. 0; ERR_STORE: it is still there, or may come back after a crash; ERR_CONFIG. */
int store_remove(const struct store *store, const char *account, bool *there_r,
                 struct err *err);

#endif
