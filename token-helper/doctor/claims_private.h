/* claims_private.h - what claims_judge.c and claims_permissions.c share. */
#ifndef MAILBEARER_CLAIMS_PRIVATE_H
#define MAILBEARER_CLAIMS_PRIVATE_H

#include "claims.h"

/* What to call the account in a remedy. */
const char *claims_account(const struct claims_question *q);

/* Who signed in; NULL: nobody, it is the application's own. Borrowed. */
const char *claims_person(const struct json *json);

/* Of a token for Exchange: a person's permissions, or an application's roles. */
void claims_judge_permissions(struct claims_question *q, struct report *report);

#endif
