/* agent_check.c - see patient.h: who listens, who serves the account. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/wallclock.h"
#include "../client/agent_client.h"
#include "patient.h"

#define ASK_MS 3000
#define REST_MS 40000 /* for the checks behind */
#define START_HINT "start it: systemctl start mailbearer (mailbearer-agent(8))"

/* Where a chrooted smtp(8) finds the system's socket by the same name. `doctor --postfix`
 * knows other queue directories; this is the one of nearly everybody. */
#define POSTFIX_QUEUE "/var/spool/postfix"

static int
ask(struct patient *p, struct agent_query *query, struct secret *reply, struct err *err)
{
    query->deadline_ms = patient_share(p, ASK_MS, REST_MS);
    return agent_client_ask(query, reply, err);
}

/* --- who listens -----------------------------------------------------------------------
 */

static const char *
named_socket(void)
{
    const char *path = secure_getenv(AGENT_SOCKET_ENV);

    return path != NULL && path[0] != '\0' ? path : NULL;
}

/* Somebody listens, and does not answer as an agent does. */
static void
tell_trouble(struct patient *p, const char *what, const struct err *err)
{
    struct err told = ERR_INIT;

    err_set(&told, err->code, "%s: %s", what, err->text);
    err_hint(&told, "%s",
             err->hint[0] != '\0' ? err->hint
                                  : "look into its log, then start it anew: systemctl "
                                    "restart mailbearer");
    report_failure(p->report, &told);
}

/* True when somebody answered at `what`. */
static bool
check_version(struct patient *p, struct agent_query query, const char *what,
              struct err *err)
{
    struct secret version = SECRET_INIT;
    bool there;

    query.map = "version";
    query.key = "-";
    there = ask(p, &query, &version, err) == 0;
    if (there)
        report_ok(p->report, "%s: %.100s answers", what, secret_str(&version));
    else if (err->code != ERR_NOAGENT)
        tell_trouble(p, what, err);
    secret_clear(&version);
    return there;
}

/* Nobody has to have an agent, but programs in a chroot, and others' processes, do. */
static void
tell_absence(struct patient *p, const struct err *err)
{
    report_note(p->report,
                "%s: `mailbearer token` reads the store itself, but Postfix, the plugin "
                "and other users get no token; to start it: systemctl start mailbearer, "
                "or mailbearer agent",
                err->text);
}

static void
check_jail(struct patient *p)
{
    struct agent_query query = {.path = POSTFIX_QUEUE AGENT_SOCKET_SYSTEM};
    struct err err = ERR_INIT;

    if (access(POSTFIX_QUEUE, F_OK) != 0)
        return;
    if (check_version(p, query, "the socket in Postfix's chroot", &err) ||
        err.code != ERR_NOAGENT)
        return;
    if (access(query.path, F_OK) != 0) {
        report_note(p->report,
                    "Postfix is here, and there is no socket in its chroot (%s); whether "
                    "it needs one: mailbearer doctor --postfix",
                    query.path);
        return;
    }
    err_hint(&err, START_HINT);
    report_warning(p->report, &err);
}

static void
check_sockets(struct patient *p)
{
    struct err err = ERR_INIT;

    if (named_socket() != NULL) {
        if (!check_version(p, (struct agent_query){.where = AGENT_NAMED}, named_socket(),
                           &err) &&
            err.code == ERR_NOAGENT)
            report_warning(p->report, &err);
        return;
    }
    if (p->where == AGENT_NAMED) {
        report_note(p->report, "with -c no agent is asked but the one that "
                               "MAILBEARER_SOCKET names, and it names none");
        return;
    }
    if (!(p->where & AGENT_USER) ||
        !check_version(p, (struct agent_query){.where = AGENT_USER}, "your agent", &err))
        if (!check_version(p, (struct agent_query){.where = AGENT_SYSTEM},
                           "the system's agent", &err) &&
            err.code == ERR_NOAGENT)
            tell_absence(p, &err);
    if (p->where & AGENT_SYSTEM)
        check_jail(p);
}

/* --- who serves the account ------------------------------------------------------------
 */

static void
tell_state(struct patient *p, const struct secret *status)
{
    struct json *json = NULL;
    const struct json *error;
    struct err err = ERR_INIT;
    const char *state;

    if (json_parse(secret_str(status), status->len, &json, &err) != 0) {
        report_failure(p->report, &err);
        return;
    }
    state = json_get_string(json, "state");
    report_ok(p->report, "it serves %s; state: %.30s", PATIENT_NAME(p),
              state != NULL ? state : "?");
    error = json_get_object(json, "error");
    if (error != NULL && json_get_string(error, "text") != NULL) {
        err_set(&err, ERR_PERSON, "its last error: %s", json_get_string(error, "text"));
        if (json_get_string(error, "hint") != NULL)
            err_hint(&err, "%s", json_get_string(error, "hint"));
        report_warning(p->report, &err);
    }
    if (json_get_true(json, "unsaved")) {
        err_set(&err, ERR_STORE, "its newest token is in the agent's memory alone");
        err_hint(&err, "make room in, or give access to, the state directory");
        report_warning(p->report, &err);
    }
    json_free(&json);
}

/* Without an accounts file of ours the agent's word counts; with one it is a fault, which
 * check_sockets() may have told already. */
static void
not_served(struct patient *p, struct err *err, bool told)
{
    told = told || err->code == ERR_NOAGENT;
    if (told && p->account != NULL && err->code != ERR_NOACCOUNT)
        return;
    if (err->code == ERR_NOAGENT || (err->code == ERR_NOACCOUNT && p->account == NULL)) {
        report_failure(p->report, &p->missing);
        p->unknown = true;
        return;
    }
    if (err->code == ERR_NOACCOUNT) {
        err_set(err, ERR_CONFIG, "the agent does not know %s", PATIENT_NAME(p));
        err_hint(err, "it uses another accounts file, or could not read this one: look "
                      "into its log, then send it SIGHUP");
    }
    report_failure(p->report, err);
    p->unknown = p->account == NULL;
}

static void
check_service(struct patient *p, bool told)
{
    struct agent_query query = {
        .map = "status", .key = PATIENT_NAME(p), .where = p->where};
    struct secret status = SECRET_INIT;
    struct err err = ERR_INIT;

    if (ask(p, &query, &status, &err) == 0) {
        p->served = true;
        tell_state(p, &status);
    } else {
        not_served(p, &err, told);
    }
    secret_clear(&status);
}

/* --- an account that only the agent has ------------------------------------------------
 */

static void
take_server(struct patient *p, enum protocol protocol)
{
    struct agent_query query = {.map = "upstream", .where = p->where};
    struct secret key = SECRET_INIT, reply = SECRET_INIT;
    struct json *json = NULL;
    const char *security, *auth;
    struct err err = ERR_INIT;
    int64_t port = 0;

    if (secret_append_str(&key, protocol_name(protocol)) != 0 ||
        secret_append_char(&key, ' ') != 0 ||
        secret_append_str(&key, PATIENT_NAME(p)) != 0)
        goto out;
    query.key = secret_str(&key);
    if (ask(p, &query, &reply, &err) != 0 ||
        json_parse(secret_str(&reply), reply.len, &json, &err) != 0 ||
        !json_get_integer(json, "port", &port) || port < 1 || port > 65535)
        goto out; /* it has none: check_servers() tells when one was asked for */
    security = json_get_string(json, "security");
    auth = json_get_string(json, "auth");
    p->mail[protocol].server = (struct mail_server){
        .user = json_get_string(json, "user"),
        .host = json_get_string(json, "host"),
        .port = (int)port,
        .proxy = json_get_string(json, "proxy"),
        .ca_file = json_get_string(json, "ca_file"),
        .starttls = security != NULL && strcmp(security, "starttls") == 0,
        .password = auth != NULL && strcmp(auth, "plain") == 0};
    if (p->mail[protocol].server.user == NULL)
        p->mail[protocol].server.host = NULL;
    p->upstream[protocol] = json;
    json = NULL;
out:
    json_free(&json);
    secret_clear(&key);
    secret_clear(&reply);
}

void
agent_check(struct patient *p)
{
    size_t failures;

    if (p->unknown)
        return;
    report_check(p->report, "agent");
    failures = p->report->count[REPORT_FAILURE];
    check_sockets(p);
    check_service(p, p->report->count[REPORT_FAILURE] > failures);
    if (p->unknown || p->account != NULL)
        return;
    report_note(p->report, "the accounts file and the store are the agent's: what is in "
                           "them is not looked at");
    for (size_t i = 0; i < PROTOCOL_COUNT; i++)
        take_server(p, (enum protocol)i);
}
