/* mail_remedy.h - what a mail server refused, with the remedy made exact.
 *
 * Used by:  mail_check.c, mail_session.c
 * Includes: patient.h, mail/wire.h.
 */
#ifndef MAILBEARER_MAIL_REMEDY_H
#define MAILBEARER_MAIL_REMEDY_H

#include "../mail/wire.h"
#include "patient.h"

/* Reports err as a failure. Its remedy, the catalogue's, is changed in two ways: the
 * advice to run doctor, which is running, is taken out; and blanks such as <client_id>
 * are filled with what the account and its token say. `refused`: the server said no to
 * who signs in; then, once in a report, it is said that changes take their time. */
void mail_remedy_tell(struct patient *p, enum wire wire, bool refused, struct err *err);

#endif
