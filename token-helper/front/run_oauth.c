/* run_oauth.c - see front.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/complain.h"
#include "front.h"

int
run_oauth(const struct front *front)
{
    const char *program = secure_getenv("MAILBEARER_OAUTH");
    struct err err = ERR_INIT;

    if (program == NULL || program[0] == '\0')
        program = MAILBEARER_LIBEXECDIR "/mailbearer-oauth";
    execv(program, front->argv);
    err_set(&err, ERR_CONFIG, "cannot run %s: %s", program, strerror(errno));
    err_hint(&err, "install mailbearer completely: this program does the network's part");
    return complain(NULL, &err);
}
