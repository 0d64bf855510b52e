/* local_gate.c - a sign-in that is judged, and TLS that is begun. See local.h. */
#include <string.h>

#include "failure.h"
#include "local.h"

/* What a wrong sign-in is told; the same whether the account exists or not. */
static int
say_wrong(struct local *local, const char *tag, struct err *err)
{
    switch (local->caps->wire) {
    case WIRE_IMAP:
        return local_sayf(local, err,
                          "%s NO [AUTHENTICATIONFAILED] wrong name or password\r\n", tag);
    case WIRE_POP3:
        return local_say(local, "-ERR [AUTH] wrong name or password\r\n", err);
    case WIRE_SMTP:
        break;
    }
    return local_say(local, "535 5.7.8 Wrong name or password\r\n", err);
}

/* POP3 and SMTP have said it with the answer, and close. */
static void
say_bye(struct local *local)
{
    if (local->caps->wire == WIRE_IMAP)
        local_say(local, "* BYE good-bye\r\n", NULL);
}

int
local_enter(struct local *local, const char *tag, const struct credentials *given,
            bool *in_r, enum local_next *next_r, struct err *err)
{
    struct err why = ERR_INIT;
    enum gate_answer answer = GATE_IN;
    char line[FAILURE_MAX];
    int r = 0;

    if (local->gate != NULL)
        answer = local->gate->enter(local->gate, &given->name, &given->password, &why);
    *in_r = answer == GATE_IN;
    if (answer == GATE_GONE)
        return err_set(err, ERR_TEMP, "the mail program is gone");
    if (answer == GATE_WRONG || answer == GATE_LAST)
        r = say_wrong(local, tag, err);
    if (answer == GATE_FAILED) {
        r = local_say(local, failure_sign_in(local->caps->wire, tag, &why, line), err);
        if (err != NULL)
            *err = why;
        r = why.code;
    }
    if (answer == GATE_LAST || answer == GATE_FAILED) {
        say_bye(local);
        client_finish(local->client);
        *next_r = LOCAL_OUT;
    }
    return r;
}

int
local_start_tls(struct local *local, const char *go_on, struct err *err)
{
    size_t behind = 0;
    int r;

    lineio_rest(&local->in, &behind);
    if (behind > 0)
        return err_set(err, ERR_TEMP, "plaintext came behind the command to start TLS");
    if ((r = local_say(local, go_on, err)) != 0)
        return r;
    return local->gate->start_tls(local->gate, err);
}
