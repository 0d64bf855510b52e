/* claims_judge.c - see claims.h: audience, directory, application, person, time. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "claims_private.h"
#include "patient.h"

#define EXCHANGE_APP "00000002-0000-0ff1-ce00-000000000000"
#define GRAPH_APP "00000003-0000-0000-c000-000000000000"
#define PERSONAL_TENANT "9188040d-6c67-4c5b-b112-36a304b66dad"
#define SKEW_S 300

const char *
claims_account(const struct claims_question *q)
{
    return q->account != NULL ? q->account->name : q->user;
}

/* --- audience --------------------------------------------------------------------------
 */

static const char *
audience(const struct json *json)
{
    const char *aud = json_get_string(json, "aud");

    return aud != NULL ? aud : json_array_string(json, "aud", 0);
}

/* Does aud, with or without a '/' at the end, name this host? */
static bool
is_host(const char *aud, const char *host)
{
    size_t n = strlen(host);

    if (strncasecmp(aud, "https://", 8) == 0)
        aud += 8;
    return strncasecmp(aud, host, n) == 0 &&
           (aud[n] == '\0' || strcmp(aud + n, "/") == 0);
}

static bool
is_graph(const char *aud)
{
    static const char *const hosts[] = {"graph.microsoft.com", "graph.microsoft.us",
                                        "dod-graph.microsoft.us",
                                        "microsoftgraph.chinacloudapi.cn"};

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        if (is_host(aud, hosts[i]))
            return true;
    return strcasecmp(aud, GRAPH_APP) == 0;
}

static bool
is_exchange(const char *aud)
{
    static const char *const hosts[] = {
        "outlook.office365.com", "outlook.office.com",
        "outlook.office365.us",  "outlook-dod.office365.us",
        "outlook.com",           "partner.outlook.cn",
        "webmail.apps.mil",      "outlook-sdf.office365.com"};

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        if (is_host(aud, hosts[i]))
            return true;
    return strcasecmp(aud, EXCHANGE_APP) == 0;
}

/* False: it is another service's, and what it permits there does not matter. */
static bool
judge_audience(const struct claims_question *q, struct report *report)
{
    const char *aud = audience(q->json);
    bool app = q->account != NULL && q->account->grant != GRANT_AUTHORIZATION_CODE;
    struct err err = ERR_INIT;

    if (aud != NULL && is_exchange(aud)) {
        report_ok(report, "it is for Exchange: aud %.200s", aud);
        return true;
    }
    if (aud != NULL && is_graph(aud)) {
        err_set(&err, ERR_CONFIG,
                "it is for Microsoft Graph (aud %.100s): Exchange refuses it. This is "
                "the usual mistake",
                aud);
        err_hint(&err,
                 app ? "leave `scope` out, or set scope = "
                       "\"https://outlook.office365.com/.default\""
                     : "leave `scope` out, or begin each permission in it with the "
                       "resource: https://outlook.office.com/SMTP.Send; then: mailbearer "
                       "login %s",
                 claims_account(q));
        report_failure(report, &err);
        return false;
    }
    err_set(&err, ERR_CONFIG,
            "it is for %.200s, which is no name of Exchange's that is "
            "known here",
            aud != NULL ? aud : "nobody in particular (no aud)");
    err_hint(&err, "compare `scope`, for Exchange it begins with "
                   "https://outlook.office365.com/ or https://outlook.office.com/");
    report_warning(report, &err);
    return true;
}

/* --- person, tenant, application -------------------------------------------------------
 */

static bool
is_guid(const char *text)
{
    return strlen(text) == 36 && strspn(text, "0123456789abcdefABCDEF-") == 36;
}

static void
judge_tenant(const struct claims_question *q, struct report *report)
{
    const char *tid = json_get_string(q->json, "tid");
    const char *tenant = q->account != NULL ? q->account->tenant : NULL;
    struct err err = ERR_INIT;

    if (tid == NULL)
        return;
    if (tenant != NULL && strcmp(tenant, "consumers") == 0)
        tenant = PERSONAL_TENANT;
    if (tenant == NULL || !is_guid(tenant)) {
        report_ok(report, "it is of the directory %.60s (tid)", tid);
        return;
    }
    if (strcasecmp(tenant, tid) == 0) {
        report_ok(report, "it is of the account's tenant %.60s (tid)", tid);
        return;
    }
    err_set(&err, ERR_CONFIG, "it is of the directory %.60s, the account's tenant is %s",
            tid, tenant);
    err_hint(&err, "correct `tenant`, then: mailbearer token %s --refresh",
             claims_account(q));
    report_failure(report, &err);
}

/* The object id is told because the usual mistake is to give Exchange the other one, that
 * of the app registration, which no token holds. */
static void
tell_application(const struct claims_question *q, const char *id, struct report *report)
{
    const char *oid = claims_object_id(q->json);

    if (id != NULL && oid != NULL)
        report_ok(
            report,
            "it is of the application %.60s; Exchange knows that by the object id of "
            "its enterprise application, %.60s",
            id, oid);
}

static void
judge_application(const struct claims_question *q, struct report *report)
{
    const char *id = json_get_string(q->json, "appid");
    const char *ours = q->account != NULL ? q->account->client_id : NULL;
    struct err err = ERR_INIT;

    if (id == NULL)
        id = json_get_string(q->json, "azp");
    if (id == NULL || ours == NULL || strcasecmp(id, ours) == 0) {
        tell_application(q, id, report);
        return;
    }
    err_set(&err, ERR_CONFIG, "it was made for the application %.60s, client_id is %.60s",
            id, ours);
    err_hint(&err, "run: mailbearer token %s --refresh", claims_account(q));
    report_warning(report, &err);
}

const char *
claims_object_id(const struct json *json)
{
    const char *oid = json_get_string(json, "oid");

    if (oid == NULL || !is_guid(oid) || claims_person(json) != NULL ||
        json_get_string(json, "scp") != NULL)
        return NULL;
    return oid;
}

/* Who signed in; NULL: nobody, it is the application's own. */
const char *
claims_person(const struct json *json)
{
    const char *name = json_get_string(json, "upn");

    if (name == NULL)
        name = json_get_string(json, "unique_name");
    return name != NULL ? name : json_get_string(json, "preferred_username");
}

/* The mailbox of another: for IMAP and POP3 that is how shared mailboxes are opened. */
static void
judge_delegate(const struct claims_question *q, const char *who, struct report *report)
{
    struct err err = ERR_INIT;

    if (!q->wanted[PROTOCOL_SMTP]) {
        report_ok(report, "%.100s signed in, for the mailbox %.100s", who, q->user);
        return;
    }
    err_set(&err, ERR_CONFIG,
            "%.100s signed in, for the mailbox %.100s: SMTP refuses that", who, q->user);
    err_hint(&err,
             "for SMTP an account of its own with user = %.100s, and SendAs: "
             "docs/entra-setup.md, section 4",
             who);
    report_warning(report, &err);
}

static void
judge_person(const struct claims_question *q, struct report *report)
{
    const char *who = claims_person(q->json);
    const char *hint = q->account != NULL ? q->account->login_hint : NULL;
    struct err err = ERR_INIT;

    if (who == NULL)
        return;
    if (strcasecmp(who, q->user) == 0) {
        report_ok(report, "it is %.200s's own", who);
    } else if (hint != NULL && strcasecmp(who, hint) == 0) {
        judge_delegate(q, who, report);
    } else {
        err_set(&err, ERR_PERSON, "%.100s signed in, and the mailbox is %.100s", who,
                q->user);
        err_hint(&err,
                 "sign in as %.100s: mailbearer login %.100s; or, if it is the same "
                 "person, or may open that mailbox: login_hint = %.100s",
                 q->user, claims_account(q), who);
        /* the server decides: it may be an alias, or a shared mailbox */
        report_warning(report, &err);
    }
}

/* --- time ------------------------------------------------------------------------------
 */

static void
judge_time(const struct claims_question *q, struct report *report)
{
    int64_t exp = 0, nbf = 0;
    char span[PATIENT_SPAN_MAX];
    struct err err = ERR_INIT;

    json_get_integer(q->json, "exp", &exp);
    json_get_integer(q->json, "nbf", &nbf);
    if (exp != 0 && exp <= q->now) {
        err_set(&err, ERR_TEMP, "it ended %s ago by this machine's clock",
                patient_span(q->now - exp, span));
        err_hint(&err, "check this machine's clock; then: mailbearer token %s --refresh",
                 claims_account(q));
        report_failure(report, &err);
    } else if (nbf > q->now + SKEW_S) {
        err_set(&err, ERR_TEMP, "by this machine's clock it begins in %s only",
                patient_span(nbf - q->now, span));
        err_hint(&err, "set this machine's clock");
        report_failure(report, &err);
    } else if (exp != 0) {
        report_ok(report, "it ends in %s", patient_span(exp - q->now, span));
    }
}

void
claims_judge(struct claims_question *q, struct report *report)
{
    bool exchange;

    judge_time(q, report);
    if (!claims_are_microsofts(q->json)) {
        report_note(report, "it is not Entra's: what else is in it is not judged");
        return;
    }
    exchange = judge_audience(q, report);
    judge_tenant(q, report);
    judge_application(q, report);
    judge_person(q, report);
    if (exchange)
        claims_judge_permissions(q, report);
}
