/* doctor.h - `mailbearer doctor`: checks everything, and says what to do.
 *
 * Used by:  commands/cmd_doctor.c
 * Includes: report.h.
 *
 * Both add what they find to `report`, go on where they can, and print nothing else. What
 * ends them early (no such account, no accounts file) is a finding like the others. Never
 * a token or secret in a finding. At most DOCTOR_DEADLINE_MS in all, whatever the servers
 * do.
 */
#ifndef MAILBEARER_DOCTOR_H
#define MAILBEARER_DOCTOR_H

#include <stdbool.h>

#include "report.h"

#define DOCTOR_DEADLINE_MS 60000

/* doctor ACCOUNT */
struct doctor_request {
    const char *config;    /* what -c gave, or NULL */
    const char *account;   /* as typed */
    bool smtp, imap, pop3; /* which servers; none: all that the account has */
    const char *send_to;   /* send one message there; NULL: nothing is sent */
};

void doctor_account(const struct doctor_request *request, struct report *report);

/* doctor --postfix */
struct doctor_postfix_request {
    const char *config;     /* what -c gave, or NULL */
    const char *config_dir; /* Postfix's configuration directory; NULL: MAIL_CONFIG, else
                               Postfix's own default */
};

void doctor_postfix(const struct doctor_postfix_request *request, struct report *report);

#endif
