/* network.c - see patient.h: names, connections, certificates, the clock. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/wallclock.h"
#include "../oauth/discovery.h"
#include "clock_check.h"
#include "look.h"
#include "mail_remedy.h"
#include "network_fault.h"
#include "patient.h"
#include "resolve.h"

#define RESOLVE_MS 5000
#define LOOK_MS 10000
#define REST_MS 32000 /* for the checks behind */
#define URL_MAX 600
#define EXPIRES_SOON_S (14 * INT64_C(86400))
#define TARGETS_MAX (PROTOCOL_COUNT + 1)

/* One place that is looked at. */
struct target {
    struct patient_server *mail; /* NULL: the token endpoint */
    const char *service;         /* "token endpoint", "imap" ... */
    char url[URL_MAX];
    char host[256];
    int port;
    struct resolved resolved;
    bool by_address; /* no name to look up: an address, or the proxy's business */
};

struct targets {
    struct patient *patient;
    struct target target[TARGETS_MAX];
    struct look look[TARGETS_MAX];
    size_t count;
};

/* --- what is looked at -----------------------------------------------------------------
 */

/* "https://host:port/path" into host and port. False: it is none. */
static bool
split_url(const char *url, char host[256], int *port_r)
{
    const char *at = strstr(url, "://");
    size_t n;

    if (at == NULL)
        return false;
    *port_r = strncmp(url, "https:", 6) == 0 ? 443 : 80;
    at += 3;
    n = at[0] == '[' ? strcspn(++at, "]") : strcspn(at, ":/?#");
    if (n == 0 || n >= 256)
        return false;
    memcpy(host, at, n);
    host[n] = '\0';
    at += n + (at[n] == ']');
    if (at[0] == ':')
        *port_r = (int)strtol(at + 1, NULL, 10);
    return *port_r > 0 && *port_r < 65536;
}

/* An address needs no name server. */
static bool
is_address(const char *host)
{
    return strchr(host, ':') != NULL || host[strspn(host, "0123456789.")] == '\0';
}

static void
add_target(struct targets *t, const struct target *target, const struct look *look)
{
    const char *proxy = look->proxy;

    t->target[t->count] = *target;
    t->look[t->count] = *look;
    t->look[t->count].url = t->target[t->count].url;
    t->target[t->count].by_address = is_address(target->host) || proxy != NULL;
    t->count++;
}

static void
add_mail(struct targets *t, enum protocol protocol)
{
    struct patient_server *m = &t->patient->mail[protocol];
    const struct mail_server *s = &m->server;
    struct target target = {
        .mail = m, .service = protocol_name(protocol), .port = s->port};
    struct look look = {
        .proxy = s->proxy, .ca_file = s->ca_file, .starttls = s->starttls};
    bool v6 = strchr(s->host, ':') != NULL;

    if (strlen(s->host) >= sizeof target.host || strpbrk(s->host, "/?#@[]%\\ ") != NULL)
        return; /* the accounts file has none such; mail_check() says what is wrong */
    snprintf(target.host, sizeof target.host, "%s", s->host);
    snprintf(target.url, sizeof target.url, "%s%s://%s%s%s:%d/", target.service,
             s->starttls ? "" : "s", v6 ? "[" : "", s->host, v6 ? "]" : "", s->port);
    add_target(t, &target, &look);
}

/* Where tokens come from: the endpoint, or who tells where it is. */
static void
add_endpoint(struct targets *t)
{
    const struct account *a = t->patient->account;
    struct target target = {.service = "token endpoint"};
    struct secret url = SECRET_INIT;

    if (a == NULL || a->grant == GRANT_APP_PASSWORD || a->grant == GRANT_MANAGED_IDENTITY)
        return;
    if (a->provider.token_endpoint != NULL)
        snprintf(target.url, sizeof target.url, "%s", a->provider.token_endpoint);
    else if (a->provider.issuer != NULL &&
             discovery_url(a->provider.issuer, DISCOVERY_OPENID, &url, NULL) == 0)
        snprintf(target.url, sizeof target.url, "%s", secret_str(&url));
    secret_clear(&url);
    if (split_url(target.url, target.host, &target.port))
        add_target(t, &target, &(struct look){.proxy = a->proxy, .ca_file = a->ca_file});
}

/* --- findings --------------------------------------------------------------------------
 */

static void
resolve(struct targets *t)
{
    const char *name[TARGETS_MAX];
    struct resolved result[TARGETS_MAX];
    size_t index[TARGETS_MAX], count = 0;
    struct deadline deadline =
        deadline_in(patient_share(t->patient, RESOLVE_MS, REST_MS + LOOK_MS));

    for (size_t i = 0; i < t->count; i++)
        if (!t->target[i].by_address) {
            index[count] = i;
            name[count++] = t->target[i].host;
        }
    resolve_all(name, count, &deadline, result);
    for (size_t i = 0; i < count; i++)
        t->target[index[i]].resolved = result[i];
}

static void
tell_name(const struct targets *t, const struct target *g)
{
    struct err err = ERR_INIT;

    if (g->by_address)
        return;
    if (g->resolved.done && g->resolved.why[0] == '\0') {
        report_ok(t->patient->report, "%s: %s has %u IPv4 and %u IPv6 addresses (%d ms)",
                  g->service, g->host, g->resolved.v4, g->resolved.v6, g->resolved.ms);
        return;
    }
    if (g->resolved.done)
        err_set(&err, ERR_TEMP, "%s: %s has no address: %s", g->service, g->host,
                g->resolved.why);
    else
        err_set(&err, ERR_TIMEOUT, "%s: the name server does not answer for %s",
                g->service, g->host);
    err_hint(&err, "check the name, /etc/resolv.conf and the name server");
    report_failure(t->patient->report, &err);
}

static void
tell_certificate(const struct targets *t, const struct target *g, const struct look *l)
{
    int64_t left = l->expires - wallclock_now();
    char when[WALLCLOCK_TEXT_MAX], span[PATIENT_SPAN_MAX];

    if (l->subject[0] == '\0')
        return;
    wallclock_text(l->expires, when);
    report_ok(
        t->patient->report,
        "%s: certificate %.120s, issued by %.120s, %u in the chain, until %.10s (%s); "
        "trusted by %s",
        g->service, l->subject, l->issuer, l->chain, when, patient_span(left, span),
        l->ca_file != NULL ? l->ca_file : "the system's authorities");
    if (l->expires == 0 || left >= EXPIRES_SOON_S || g->mail == NULL)
        return;
    report_note(t->patient->report,
                "%s: the certificate of %s ends in %s; whoever runs it must renew it",
                g->service, g->host, span);
}

static void
tell_fault(const struct targets *t, const struct target *g, const struct look *l)
{
    const struct network_place place = {.service = g->service,
                                        .host = g->host,
                                        .port = g->port,
                                        .account = PATIENT_NAME(t->patient),
                                        .mail =
                                            g->mail != NULL ? &g->mail->server : NULL};
    enum wire wire = WIRE_SMTP;
    struct err err = ERR_INIT;

    network_fault(&place, l, &err);
    if (wire_from_name(g->service, &wire))
        mail_remedy_tell(t->patient, wire, false, &err);
    else
        report_failure(t->patient->report, &err);
}

static void
tell_connection(const struct targets *t, const struct target *g, const struct look *l)
{
    if (l->result != LOOK_OK) {
        tell_fault(t, g, l);
        return;
    }
    if (g->mail != NULL)
        g->mail->reachable = true;
    report_ok(t->patient->report, "%s: connected to %s port %d (%s%s) in %d ms%s%s%s",
              g->service, g->host, g->port, l->proxy != NULL ? "by proxy " : "",
              l->proxy != NULL ? l->proxy : l->ip, l->connect_ms,
              l->tls[0] != '\0' ? ", " : "", l->tls, l->starttls ? " by STARTTLS" : "");
    tell_certificate(t, g, l);
}

static void
tell_clock(const struct targets *t)
{
    if (t->count == 0 || t->target[0].mail != NULL) {
        report_note(t->patient->report, "not compared: no token endpoint is asked");
        return;
    }
    if (t->look[0].date == 0)
        report_note(t->patient->report, "not compared: %s did not tell its time",
                    t->target[0].host);
    else
        clock_judge(t->target[0].host, t->look[0].date, t->look[0].date_at,
                    t->patient->report);
}

void
network_check(struct patient *p)
{
    struct targets t = {.patient = p};
    struct err err = ERR_INIT;

    add_endpoint(&t);
    for (size_t i = 0; i < PROTOCOL_COUNT; i++)
        if (p->mail[i].wanted)
            add_mail(&t, (enum protocol)i);
    report_check(p->report, "network");
    resolve(&t);
    if (look_all(t.look, t.count, patient_share(p, LOOK_MS, REST_MS), &err) != 0) {
        report_failure(p->report, &err);
        return;
    }
    for (size_t i = 0; i < t.count; i++) {
        tell_name(&t, &t.target[i]);
        if (t.look[i].result != LOOK_NO_NAME || t.target[i].by_address ||
            t.target[i].resolved.why[0] == '\0')
            tell_connection(&t, &t.target[i], &t.look[i]);
    }
    report_check(p->report, "clock");
    tell_clock(&t);
}
