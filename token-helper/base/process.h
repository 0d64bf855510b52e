/* process.h - what each of our programs does first.
 *
 * Used by:  front/main.c, commands/main.c, fetch-helper/main.c; accounts/place.c and
 *           fetch-helper/service_user.c for giving up root
 * Includes: libc.
 */
#ifndef MAILBEARER_PROCESS_H
#define MAILBEARER_PROCESS_H

#include <sys/types.h>

/* Opens standard input, output and error where the caller closed them: the next file
 * opened would take their place, and a token or an error text be written into it. Closes
 * the process to others: not traceable, no core file, since tokens pass through it
 * (LeakSanitizer must look into it in the builds it is part of). 0, or -1: not even
 * /dev/null can be opened. */
int process_begin(void);

/* Root becomes this user, for good: real, effective and saved ids, and the groups that
 * the user is in (`group` alone where the uid has no name); untraceable as before. 0; -1
 * with errno, EPERM when it had no effect: the process must not go on then. */
int process_become(uid_t uid, gid_t group);

#endif
