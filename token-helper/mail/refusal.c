/* refusal.c - see refusal.h. */
#include "refusal.h"

#include <string.h>

#include "../catalogue/catalogue.h"

static int
code_of(enum wire wire, const struct catalogue_entry *entry, const char *said)
{
    if (entry != NULL)
        return entry->class_ == CATALOGUE_TRANSIENT ? ERR_TEMP : ERR_PERSON;
    return wire == WIRE_SMTP && said[0] == '4' ? ERR_TEMP : ERR_PERSON;
}

int
refusal_said(enum wire wire, const char *host, const char *what, const char *account,
             const char *user, const char *said, struct err *err)
{
    const struct catalogue_values values = {.mailbox = user, .account = account};
    const struct catalogue_entry *entry;
    char remedy[ERR_HINT_MAX];
    size_t at = 0;
    int code;

    entry = catalogue_search(said, strlen(said), 0, &at);
    code = code_of(wire, entry, said);
    err_set(err, code, "%s %s: %s", host, what, said);
    if (entry != NULL)
        err_hint(err, "%s", catalogue_remedy(entry, &values, remedy, sizeof remedy));
    else
        err_hint(err, "run: mailbearer doctor %s --%s", account, wire_name(wire));
    return code;
}
