/* place.h - which accounts file, which state directory, as whom.
 *
 * Used by:  front/, commands/, agent/
 * Includes: accounts.h, client/, libc.
 *
 * Root and the owner of the system's state directory (the user `mailbearer`) use the
 * system's files, everybody else their own. No name service is asked on the way: the
 * front prints a token in less time than a look-up takes.
 */
#ifndef MAILBEARER_PLACE_H
#define MAILBEARER_PLACE_H

#include <limits.h>
#include <sys/types.h>

#include "accounts.h"

#define PLACE_PATH_MAX 4096

struct place {
    bool system; /* the system's files, not a user's own */
    bool given;  /* config was named by -c */
    char config[PLACE_PATH_MAX];
    char state[PLACE_PATH_MAX]; /* default; store { directory } in the file wins */
};

/* Finds the place for this process. `config` is what -c gave, or NULL. Compiled-in paths:
 * SYSCONFDIR/mailbearer/mailbearer.conf and LOCALSTATEDIR/lib/mailbearer.
 * 0, or ERR_CONFIG when neither HOME nor XDG_CONFIG_HOME is usable. */
int place_find(const char *config, struct place *place_r, struct err *err);

/* Who owns the system's state directory; (uid_t)-1 when there is none. One stat(2). */
uid_t place_system_owner(void);

/* Makes `directory` with mode 0700 when it is not there (as root: for the user
 * `mailbearer` where that user exists), then, as root, becomes its owner for good (groups
 * too). Afterwards the process is the directory's owner, or root when root owns it.
 * 0; ERR_STORE (cannot be made, not a directory, others may write in it); ERR_DENIED (it
 * belongs to somebody else and we are not root). */
int place_enter(const char *directory, struct err *err);

#endif
