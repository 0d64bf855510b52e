/* complain.c - see complain.h. */
#include "complain.h"

#include <stdio.h>

int
complain(const char *subject, const struct err *err)
{
    fprintf(stderr, "mailbearer: %s%s%s\n", subject != NULL ? subject : "",
            subject != NULL ? ": " : "", err->text);
    if (err->hint[0] != '\0')
        fprintf(stderr, "mailbearer: to mend it: %s\n", err->hint);
    return err_exit_status(err->code);
}
