/* complain.c - see complain.h. */
#include "complain.h"

#include <stdio.h>
#include <string.h>

#define SUBJECT_MAX 256

/* What to do when the text says it all but the reader may want to know where to look. */
static const char *
general_hint(int code)
{
    switch (code) {
    case ERR_CONFIG:
        return "correct it there; mailbearer.conf(5) lists what is known";
    case ERR_NOACCOUNT:
        return "see which accounts there are: mailbearer status";
    case ERR_NOAGENT:
        return "start the agent: mailbearer agent (mailbearer-agent(8))";
    case ERR_STORE:
        return "check the state directory's disk, owner and modes: mailbearer check";
    case ERR_USAGE:
        return "see: mailbearer --help";
    case ERR_PERSON:
    case ERR_DENIED:
        return "see: mailbearer status, mailbearer check";
    default:
        return "try again later; if it stays so, see: mailbearer status";
    }
}

int
complain(const char *subject, const struct err *err)
{
    char name[SUBJECT_MAX] = "";

    if (subject != NULL) {
        /* from the command line: it goes to a terminal */
        snprintf(name, sizeof name, "%s", subject);
        name[err_clean(name, strlen(name))] = '\0';
    }
    fprintf(stderr, "mailbearer: %s%s%s\n", name, name[0] != '\0' ? ": " : "", err->text);
    fprintf(stderr, "mailbearer: to mend it: %s\n",
            err->hint[0] != '\0' ? err->hint : general_hint(err->code));
    return err_exit_status(err->code);
}
