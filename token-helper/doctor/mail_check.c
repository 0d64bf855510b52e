/* mail_check.c - see patient.h: the sign-in at each server. */
#include <stdio.h>
#include <string.h>

#include "../mail/visit.h"
#include "mail_remedy.h"
#include "mail_session.h"
#include "patient.h"

static enum wire
wire_of(enum protocol protocol)
{
    static const enum wire wires[] = {[PROTOCOL_SMTP] = WIRE_SMTP,
                                      [PROTOCOL_IMAP] = WIRE_IMAP,
                                      [PROTOCOL_POP3] = WIRE_POP3};

    return wires[protocol];
}

static void
tell_mechanisms(struct patient *p, const struct visit *v)
{
    static const char *const known[] = {"XOAUTH2", "OAUTHBEARER", "PLAIN", "LOGIN"};
    char list[100] = "";
    size_t at = 0;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (caps_offers(&v->caps, known[i]))
            at += (size_t)snprintf(list + at, sizeof list - at, " %s", known[i]);
    report_ok(p->report, "%s port %d answers and offers%s", v->server->host,
              v->server->port, at > 0 ? list : " no sign-in");
}

/* --- sign in ---------------------------------------------------------------------------
 */

static int
open_visit(struct patient *p, enum protocol protocol, const struct deadline *d,
           struct visit *v, struct err *err)
{
    return visit_open(v, wire_of(protocol), &p->mail[protocol].server, PATIENT_NAME(p),
                      deadline_left(d), err);
}

/* The next token, if there is another one: a server that refused a token does not take
 * it a second time. */
static int
try_fresh(struct patient *p, enum protocol protocol, const struct deadline *d,
          struct visit *v, struct secret *fresh, struct err *err)
{
    struct err why = ERR_INIT;
    int r = err->code;

    if (p->renewed)
        return r; /* by another server: this one was asked with the new one already */
    p->renewed = true;
    report_note(p->report, "the token was refused: another one is asked for");
    if (grant_fresh(p, &p->token, d, fresh, &why) != 0) {
        report_warning(p->report, &why);
        return r;
    }
    if (secret_equal(fresh, &p->token)) {
        report_note(p->report, "there is no other one (an agent fetches one at most "
                               "every 30 s)");
        return r;
    }
    visit_close(v);
    if ((r = open_visit(p, protocol, d, v, err)) == 0)
        r = visit_sign_in(v, fresh, err);
    if (r == 0)
        report_note(p->report, "the fresh token was accepted: what the one before "
                               "lacked has been changed since, or it was revoked");
    return r;
}

static int
sign_in_there(struct patient *p, enum protocol protocol, const struct deadline *d,
              struct visit *v, struct secret *fresh, struct err *err)
{
    int r = visit_sign_in(v, &p->token, err);

    if (r != 0 && v->refused)
        r = try_fresh(p, protocol, d, v, fresh, err);
    if (r == 0)
        report_ok(p->report, "signed in as %s by %s: %.300s", v->server->user,
                  v->mechanism, secret_str(&v->answer));
    return r;
}

static void
check_protocol(struct patient *p, enum protocol protocol, int ms)
{
    struct deadline d = deadline_in(ms);
    struct secret fresh = SECRET_INIT;
    struct visit v = {.connection = NULL};
    struct err err = ERR_INIT;

    if (open_visit(p, protocol, &d, &v, &err) != 0) {
        mail_remedy_tell(p, wire_of(protocol), false, &err);
    } else {
        tell_mechanisms(p, &v);
        if (p->token.len == 0)
            report_note(p->report, "not signed in: there is no token (see: grant)");
        else if (sign_in_there(p, protocol, &d, &v, &fresh, &err) != 0)
            mail_remedy_tell(p, wire_of(protocol), true, &err);
        else
            mail_session(p, &v);
    }
    visit_close(&v);
    if (fresh.len > 0) /* for the servers that follow */
        secret_move(&p->token, &fresh);
    secret_clear(&fresh);
}

/* What is left of the time, shared among the servers from this one on. */
static int
time_for(const struct patient *p, size_t from)
{
    int servers = 1;

    for (size_t i = from + 1; i < PROTOCOL_COUNT; i++)
        if (p->mail[i].wanted && p->mail[i].reachable)
            servers++;
    return deadline_left(&p->deadline) / servers;
}

void
mail_check(struct patient *p)
{
    for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
        if (!p->mail[i].wanted)
            continue;
        report_check(p->report, protocol_name((enum protocol)i));
        if (p->mail[i].reachable)
            check_protocol(p, (enum protocol)i, time_for(p, i));
        else
            report_note(p->report, "not tried: it was not reached (see: network)");
    }
}
