/* complain.h - how our programs say on stderr what went wrong.
 *
 * Used by:  front/, commands/
 * Includes: client/error.h, libc.
 */
#ifndef MAILBEARER_COMPLAIN_H
#define MAILBEARER_COMPLAIN_H

#include "../client/error.h"

/* One line what, one line what to do (where err has no hint, a general one for its code):
 *     mailbearer: SUBJECT: what happened
 *     mailbearer: to mend it: what to do
 * `subject` (an account, a command) may be NULL; control characters in it become '?'.
 * Returns the exit status for err->code.
 */
int complain(const char *subject, const struct err *err);

#endif
