/* mail_session.h - a signed-in session tried out, without leaving a trace.
 *
 * Used by:  mail_check.c
 * Includes: mail/visit.h, patient.h.
 */
#ifndef MAILBEARER_MAIL_SESSION_H
#define MAILBEARER_MAIL_SESSION_H

#include "../mail/visit.h"
#include "patient.h"

/* SMTP: MAIL FROM the mailbox and RSET, so that nothing is sent; with --send-to, one
 * small message to that address. IMAP: EXAMINE INBOX, which Exchange answers with "User
 * is authenticated but not connected" where the mailbox cannot be opened. POP3: STAT. */
void mail_session(struct patient *p, struct visit *visit);

#endif
