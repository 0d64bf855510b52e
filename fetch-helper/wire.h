/* wire.h - the three protocols that are carried.
 *
 * Used by:  fetch-helper/ everywhere.
 * Folder:   mailbearer-fetch may include token-helper/client/, token-helper/catalogue/
 * and of base/ only json, log, process, wipe_alloc: it reads no accounts file and no
 * store.
 */
#ifndef MAILBEARER_WIRE_H
#define MAILBEARER_WIRE_H

#include <stdbool.h>

enum wire { WIRE_IMAP, WIRE_POP3, WIRE_SMTP };

/* "imap", "pop3", "smtp"; static. */
const char *wire_name(enum wire wire);

/* False, *wire_r untouched, when it is none of them. */
bool wire_from_name(const char *name, enum wire *wire_r);

#endif
