/* host_owner.h - whose mail server a host is, by its name: what only some providers ask
 * for, or refuse, depends on it, whatever the account's provider is called.
 *
 * Used by:  setup/, doctor/
 * Includes: libc.
 */
#ifndef MAILBEARER_HOST_OWNER_H
#define MAILBEARER_HOST_OWNER_H

#include <stdbool.h>

/* Exchange Online, in any cloud. */
bool host_is_exchange(const char *host);

/* Gmail. */
bool host_is_google(const char *host);

#endif
