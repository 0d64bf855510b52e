/* mail_remedy.c - see mail_remedy.h. */
#include "mail_remedy.h"

#include <stdio.h>
#include <string.h>

/* Puts `value` in the place of the first `length` bytes at `at`, which is in `text`. */
static void
replace(char text[ERR_HINT_MAX], char *at, size_t length, const char *value)
{
    size_t room = ERR_HINT_MAX - (size_t)(at - text);
    char rest[ERR_HINT_MAX];

    snprintf(rest, sizeof rest, "%s", at + length);
    snprintf(at, room, "%s%s", value, rest);
}

/* "Run: mailbearer doctor ACCOUNT --smtp. In Exchange PowerShell: ..." and
 * "... with who signed in (mailbearer doctor ACCOUNT --imap); ...". */
static void
drop_self(char text[ERR_HINT_MAX], const char *account, enum wire wire)
{
    char self[400];
    char *at;

    snprintf(self, sizeof self, " (mailbearer doctor %.300s --%s)", account,
             wire_name(wire));
    if ((at = strstr(text, self)) != NULL)
        replace(text, at, strlen(self), "");
    snprintf(self, sizeof self, "un: mailbearer doctor %.300s --%s", account,
             wire_name(wire));
    if (text[0] != '\0' && strncmp(text + 1, self, strlen(self)) == 0) {
        size_t n = 1 + strlen(self);

        replace(text, text, n + strspn(text + n, ".; "), "");
    }
}

static void
fill(char text[ERR_HINT_MAX], const char *blank, const char *value)
{
    char *at;

    if (value == NULL || value[0] == '\0' || strchr(value, '<') != NULL)
        return; /* it would be found again */
    while ((at = strstr(text, blank)) != NULL)
        replace(text, at, strlen(blank), value);
}

void
mail_remedy_tell(struct patient *p, enum wire wire, bool refused, struct err *err)
{
    char text[ERR_HINT_MAX];

    snprintf(text, sizeof text, "%s", err->hint);
    drop_self(text, PATIENT_NAME(p), wire);
    fill(text, "<client_id>", p->account != NULL ? p->account->client_id : NULL);
    fill(text, "<object id of the enterprise application>", p->object_id);
    fill(text, "<object id under Entra > Enterprise applications>", p->object_id);
    fill(text, "<service principal>", p->object_id);
    if (text[0] == '\0' && err->hint[0] != '\0')
        snprintf(text, sizeof text,
                 "nothing is known here about that reply: ask whoever "
                 "runs the server");
    err_hint(err, "%s", text);
    report_failure(p->report, err);
    if (!refused || !p->microsoft || p->delay_told || err->code != ERR_PERSON)
        return;
    p->delay_told = true;
    report_note(
        p->report,
        "what was changed in Entra or Exchange less than 2 hours ago may not be in "
        "effect yet: then wait, and change nothing more");
}
