/* account.c - see doctor.h: `mailbearer doctor ACCOUNT`. */
#include <inttypes.h>
#include <stdio.h>

#include "../base/log.h"
#include "patient.h"

int
patient_share(const struct patient *p, int most, int rest)
{
    int left = deadline_left(&p->deadline);
    int share = left - rest;

    if (share < 1000)
        share = left < 1000 ? left : 1000;
    return share < most ? share : most;
}

bool
patient_has_password(const struct patient *p)
{
    if (p->account != NULL)
        return p->account->grant == GRANT_APP_PASSWORD;
    for (size_t i = 0; i < PROTOCOL_COUNT; i++)
        if (p->mail[i].server.host != NULL)
            return p->mail[i].server.password;
    return false;
}

char *
patient_span(int64_t seconds, char buf[PATIENT_SPAN_MAX])
{
    int64_t n = seconds < 0 ? 0 : seconds;

    if (n < 120)
        snprintf(buf, PATIENT_SPAN_MAX, "%" PRId64 " s", n);
    else if (n < 7200)
        snprintf(buf, PATIENT_SPAN_MAX, "%" PRId64 " min", n / 60);
    else if (n < 172800)
        snprintf(buf, PATIENT_SPAN_MAX, "%" PRId64 " h", n / 3600);
    else
        snprintf(buf, PATIENT_SPAN_MAX, "%" PRId64 " days", n / 86400);
    return buf;
}

static void
take_options(struct patient *p)
{
    const struct doctor_request *q = p->request;
    bool all = !q->smtp && !q->imap && !q->pop3;

    p->mail[PROTOCOL_SMTP].asked = q->smtp || q->send_to != NULL;
    p->mail[PROTOCOL_IMAP].asked = q->imap;
    p->mail[PROTOCOL_POP3].asked = q->pop3;
    for (size_t i = 0; i < PROTOCOL_COUNT; i++)
        p->mail[i].wanted = all || p->mail[i].asked;
}

/* Asked for, and the account has none. */
static void
check_servers(struct patient *p)
{
    bool any = false;

    for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
        struct patient_server *m = &p->mail[i];
        struct err err = ERR_INIT;

        m->wanted = m->wanted && m->server.host != NULL;
        any = any || m->wanted;
        if (!m->asked || m->server.host != NULL)
            continue;
        err_set(&err, ERR_CONFIG, "%s has no %s server", PATIENT_NAME(p),
                protocol_name((enum protocol)i));
        err_hint(&err, "add to its section: %s = \"HOST:PORT tls\"",
                 protocol_name((enum protocol)i));
        report_failure(p->report, &err);
    }
    if (!any)
        report_note(p->report, "no server is signed in to: the account has none");
}

static void
patient_clear(struct patient *p)
{
    secret_clear(&p->token);
    for (size_t i = 0; i < PROTOCOL_COUNT; i++)
        json_free(&p->upstream[i]);
    context_close(&p->context);
    store_key_free(&p->key);
}

void
doctor_account(const struct doctor_request *request, struct report *report)
{
    struct patient p = {.request = request,
                        .report = report,
                        .deadline = deadline_in(DOCTOR_DEADLINE_MS - 2000),
                        .context = CONTEXT_INIT};

    log_set_level(LOG_LEVEL_ERROR); /* what is found is in the report */
    take_options(&p);
    local_check(&p);
    agent_check(&p);
    if (!p.unknown) {
        check_servers(&p);
        network_check(&p);
        grant_check(&p);
        claims_check(&p);
        mail_check(&p);
    }
    patient_clear(&p);
}
