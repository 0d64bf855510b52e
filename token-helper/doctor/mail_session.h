/* mail_session.h - a signed-in session tried out, without leaving a trace.
 *
 * Used by:  mail_check.c
 * Includes: mail/visit.h, report.h.
 */
#ifndef MAILBEARER_MAIL_SESSION_H
#define MAILBEARER_MAIL_SESSION_H

#include "../mail/visit.h"
#include "report.h"

/* SMTP: MAIL FROM the mailbox and RSET, so that nothing is sent; with `send_to`, one
 * small message to that address. IMAP: EXAMINE INBOX, which Exchange answers with "User
 * is authenticated but not connected" where the mailbox cannot be opened. POP3: STAT. */
void mail_session(struct visit *visit, const char *send_to, struct report *report);

/* Takes out of the catalogue's remedy the advice to run what is being run: "Run:
 * mailbearer doctor ACCOUNT --smtp. In Exchange PowerShell: ...". */
void mail_session_remedy(struct err *err, const char *account, enum wire wire);

#endif
