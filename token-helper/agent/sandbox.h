/* sandbox.h - the agent locks itself in: what it does not need it cannot do any more,
 * even when somebody has made it his.
 *
 * Used by:  agent/agent.c
 * Includes: listen.h, landlock.h, accounts/, base/, client/, libc.
 *
 * It sets no_new_privs, and with Landlock (landlock(7), from Linux 5.13) closes all files
 * but these: its store, to read and write; /etc, system libraries, what the resolver
 * reads, and the folders of the accounts file, of what that includes and of all secrets,
 * certificates and CA files it names, to read; its own sockets, to remove. No program can
 * be executed, no TCP port bound (6.7), nobody outside signalled or spoken to over an
 * abstract socket (6.12). Where the kernel has no Landlock, or not all of it, the rest is
 * done all the same.
 *
 * Folders, not files: a rule stays with the file it was made for, and secrets are
 * replaced by renaming. A sandbox cannot be widened: a reload that names a secret in
 * another folder needs a restart of the agent. That is why /etc is open as a whole: what
 * its modes protect they still do.
 */
#ifndef MAILBEARER_SANDBOX_H
#define MAILBEARER_SANDBOX_H

#include "../accounts/accounts.h"
#include "listen.h"

/* With this variable set to "off" there is no sandbox. */
#define SANDBOX_ENV "MAILBEARER_SANDBOX"

struct sandbox;

/* Locks the calling thread in, and all that it starts from now on: call it when there are
 * no other threads, after the user was changed and the store opened. What could not be
 * done is in the log, and is no failure. 0, ERR_NOMEM. */
int sandbox_enter(const struct accounts *accounts, const char *state_directory,
                  const struct listeners *listeners, struct sandbox **sandbox_r,
                  struct err *err);

/* Can everything that these accounts name be read from inside? 0; ERR_CONFIG: err names
 * the first that cannot be and says to restart the agent; ERR_NOMEM. Always 0 where there
 * is no Landlock. */
int sandbox_covers(struct sandbox *sandbox, const struct accounts *accounts,
                   struct err *err);

/* Is it Landlock that may have kept us from a file? */
bool sandbox_closed(const struct sandbox *sandbox);

/* Sets NULL, takes NULL. */
void sandbox_free(struct sandbox **sandbox);

#endif
