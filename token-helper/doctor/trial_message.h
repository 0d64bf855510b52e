/* trial_message.h - the one message that doctor sends when it is told to. Pure, but for
 * random bytes.
 *
 * Used by:  mail_session.c
 * Includes: client/.
 */
#ifndef MAILBEARER_TRIAL_MESSAGE_H
#define MAILBEARER_TRIAL_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "../client/error.h"
#include "../client/secret.h"

/* May it stand in MAIL FROM:<> and RCPT TO:<> as it is? ASCII, one '@' with something on
 * both sides, nothing that ends or quotes it (RFC 5321 4.1.2 allows more). */
bool trial_message_address(const char *address);

/* Appends the message (RFC 5322), lines ending in CRLF, without the dot that ends DATA;
 * no line begins with a dot. Both addresses are trial_message_address()es. 0, ERR_NOMEM,
 * ERR_CONFIG (no random bytes). */
int trial_message_write(const char *from, const char *to, int64_t now, struct secret *out,
                        struct err *err);

#endif
