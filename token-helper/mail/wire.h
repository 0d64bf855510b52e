/* wire.h - the three protocols that are carried.
 *
 * Used by:  fetch-helper/ and whatever talks to a mail server.
 * Folder:   mail/ connects to a mail server and signs in. It may include client/,
 * catalogue/ and of base/ only base64, log and wipe_alloc: it reads no accounts file and
 * no store, and its own connection.c alone knows libcurl.
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
