/* mail_session.c - see mail_session.h. */
#include "mail_session.h"

#include <stdio.h>
#include <string.h>

#include "../base/wallclock.h"
#include "../mail/refusal.h"
#include "mail_remedy.h"
#include "trial_message.h"

struct session {
    struct patient *patient;
    struct visit *visit;
    struct report *report; /* the patient's */
    char said[COMMAND_SAID_MAX];
};

/* One command. False: it failed, and was told as "WHAT: said". `rights`: whether it works
 * depends on rights that an administrator may just have changed. */
static bool
do_command(struct session *s, const char *line, bool rights, const char *what)
{
    const struct mail_server *server = s->visit->server;
    struct err err = ERR_INIT;
    bool yes = false;

    if (visit_command(s->visit, line, &yes, s->said, &err) == 0) {
        if (yes)
            return true;
        refusal_said(s->visit->caps.wire, server->host, what, s->visit->account,
                     server->user, s->said, &err);
    }
    mail_remedy_tell(s->patient, s->visit->caps.wire, rights, &err);
    return false;
}

static void
try_imap(struct session *s)
{
    if (do_command(s, "EXAMINE INBOX", true, "does not open INBOX"))
        report_ok(s->report, "INBOX can be opened: %.300s", s->said);
}

static void
try_pop3(struct session *s)
{
    if (do_command(s, "STAT", true, "does not open the mailbox"))
        report_ok(s->report, "the mailbox can be opened: %.300s", s->said);
}

/* --- SMTP ------------------------------------------------------------------------------
 */

static bool
begin_mail(struct session *s)
{
    const char *user = s->visit->server->user;
    char line[300];

    if (!trial_message_address(user)) {
        report_note(s->report, "MAIL FROM is not tried: %.200s is no address", user);
        return false;
    }
    snprintf(line, sizeof line, "MAIL FROM:<%s>", user);
    return do_command(s, line, true, "refuses the mailbox as sender");
}

static void
try_smtp(struct session *s)
{
    char accepted[COMMAND_SAID_MAX];

    if (!begin_mail(s))
        return;
    memcpy(accepted, s->said, sizeof accepted);
    if (do_command(s, "RSET", false, "does not take RSET"))
        report_ok(s->report, "takes mail from %s: %.300s; RSET: nothing was sent",
                  s->visit->server->user, accepted);
}

static bool
send_text(struct session *s, const char *to)
{
    struct secret text = SECRET_INIT;
    struct err err = ERR_INIT;
    bool sent = false;

    if (trial_message_write(s->visit->server->user, to, wallclock_now(), &text, &err) !=
            0 ||
        stream_send_all(&s->visit->wait, text.data, text.len, &err) != 0)
        report_failure(s->report, &err);
    else
        sent = do_command(s, ".", true, "does not take the message");
    secret_clear(&text);
    return sent;
}

static void
send_message(struct session *s, const char *to)
{
    struct err err = ERR_INIT;
    char line[300];

    if (!trial_message_address(to)) {
        err_set(&err, ERR_USAGE, "--send-to: no address: %.200s", to);
        err_hint(&err, "give one in ASCII, without a name or angle brackets");
        report_failure(s->report, &err);
        return;
    }
    snprintf(line, sizeof line, "RCPT TO:<%s>", to);
    if (begin_mail(s) && do_command(s, line, false, "refuses the recipient") &&
        do_command(s, "DATA", false, "takes no message") && send_text(s, to))
        report_ok(s->report, "a message from %s to %s was accepted: %.300s",
                  s->visit->server->user, to, s->said);
}

void
mail_session(struct patient *p, struct visit *visit)
{
    struct session s = {.patient = p, .visit = visit, .report = p->report};
    const char *send_to = p->request->send_to;

    switch (visit->caps.wire) {
    case WIRE_IMAP:
        try_imap(&s);
        break;
    case WIRE_POP3:
        try_pop3(&s);
        break;
    case WIRE_SMTP:
        if (send_to != NULL)
            send_message(&s, send_to);
        else
            try_smtp(&s);
        break;
    }
}
