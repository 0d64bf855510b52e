/* cmd_status.c - `mailbearer status`: how every account is, and what to do. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../accounts/context.h"
#include "../accounts/status_report.h"
#include "../base/complain.h"
#include "../base/file.h"
#include "../base/json.h"
#include "../base/wallclock.h"
#include "../client/agent_client.h"
#include "../oauth/certificate.h"
#include "../oauth/store_key.h"
#include "commands.h"
#include "status_prometheus.h"
#include "status_text.h"

#define ASK_MS 5000

static const char help_text[] =
    "usage: mailbearer status [ACCOUNT] [--format text|json|prometheus]\n"
    "\n"
    "Tells for every account, or for ACCOUNT: its state, how long its token is\n"
    "good, when it was fetched, the last error and its remedy, and what will\n"
    "expire. Asks the agent, or reads the store where none listens.\n"
    "\n"
    "  --format text        for people (default)\n"
    "  --format json        one object; times are seconds since 1970 UTC\n"
    "  --format prometheus  metrics, for the node exporter's textfile collector\n"
    "\n"
    "states: ok            a token can be handed out\n"
    "        idle          none at hand, the next request fetches one\n"
    "        failing       temporary trouble, it is being tried again\n"
    "        needs-action  a person must act\n"
    "        signed-out    nobody has signed in yet\n";

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_PROMETHEUS, FORMAT_COUNT };

struct status_options {
    const char *account; /* NULL: all */
    enum format format;
};

/* What is shown is collected here, but for text, which is printed as it comes. */
struct report {
    struct json *json;
    struct status_prometheus *prometheus;
};

/* Where it comes from. */
struct source {
    int where; /* enum agent_where */
    struct context context;
    struct store_key *key; /* NULL: the store is not open, or not encrypted */
};

static enum format
format_from_name(const char *name)
{
    static const char *const names[] = {[FORMAT_TEXT] = "text",
                                        [FORMAT_JSON] = "json",
                                        [FORMAT_PROMETHEUS] = "prometheus"};

    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (strcmp(names[i], name) == 0)
            return (enum format)i;
    return FORMAT_COUNT;
}

/* -1: go on; else the exit status. */
static int
parse(int argc, char **argv, struct status_options *o)
{
    static const struct option options[] = {{"format", required_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'f' && (o->format = format_from_name(optarg)) != FORMAT_COUNT)
            continue;
        if (c == 'h') {
            fputs(help_text, stdout);
            return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
        }
        fputs(help_text, stderr);
        return EX_USAGE;
    }
    if (argc - optind > 1) {
        fputs(help_text, stderr);
        return EX_USAGE;
    }
    o->account = argv[optind];
    return -1;
}

/* --- where it comes from
 * ----------------------------------------------------------------- */

static int
from_agent(int where, const char *account, struct secret *out, struct err *err)
{
    struct agent_query query = {
        .map = "status", .key = account, .where = where, .deadline_ms = ASK_MS};

    return agent_client_ask(&query, out, err);
}

static int
open_store(struct source *source, struct err *err)
{
    struct context *context = &source->context;
    int r;

    if (context->store.fd >= 0)
        return 0;
    if ((r = context_store(context, err)) == 0 &&
        (r = store_key_use(context->accounts, &context->store, &source->key, err)) != 0)
        store_close(&context->store); /* the next account is to say the same */
    return r;
}

static int
from_store(struct source *source, const struct account *account, struct secret *out,
           struct err *err)
{
    struct status_extra extra = {.unsaved = false};
    struct crypto_validity validity;
    struct record record = RECORD_INIT;
    struct err unread = ERR_INIT; /* that is for `check` to complain about */
    int r;

    if ((r = open_store(source, err)) != 0)
        return r;
    if (account->client_certificate != NULL &&
        certificate_validity(account->client_certificate, &validity, &unread) == 0)
        extra.certificate_expires = validity.not_after;
    if ((r = store_read(&source->context.store, account->name, &record, NULL, err)) == 0)
        r = status_json(account, &record, &extra, wallclock_now(), out, err);
    record_clear(&record);
    return r;
}

/* --- all together
 * ------------------------------------------------------------------------ */

static int
show(const struct status_options *o, const struct secret *line, struct report *report,
     struct err *err)
{
    struct json *json = NULL;
    int r = json_parse(secret_str(line), line->len, &json, err);

    if (r != 0)
        return r;
    if (o->format == FORMAT_JSON)
        r = json_append_object(report->json, "accounts", &json);
    else if (o->format == FORMAT_PROMETHEUS)
        r = status_prometheus_add(report->prometheus, json, wallclock_now());
    else
        status_print(json, wallclock_now());
    json_free(&json);
    return r == 0 ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

static int
one(struct source *source, const struct status_options *o, const char *name,
    struct report *report, struct err *err)
{
    const struct account *account = NULL;
    struct secret line = SECRET_INIT;
    int r = from_agent(source->where, name, &line, err);

    if ((r == ERR_NOAGENT || r == ERR_NOACCOUNT) && source->context.accounts != NULL &&
        (r = context_account(&source->context, name, &account, err)) == 0)
        r = from_store(source, account, &line, err);
    if (r == 0)
        r = show(o, &line, report, err);
    secret_clear(&line);
    return r;
}

static int
every(struct source *source, const struct status_options *o, struct report *report)
{
    const struct accounts *accounts = source->context.accounts;
    int status = EX_OK;

    for (size_t i = 0; i < accounts->count; i++) {
        const char *name = accounts->account[i].name;
        struct err err = ERR_INIT;

        if (one(source, o, name, report, &err) != 0) {
            int failed = complain(name, &err);

            status = status == EX_OK ? failed : status;
        }
    }
    return status;
}

/* One account: one that only the system's agent knows needs no accounts file of ours, so
 * what is wrong with that file (`file_err`) matters only when no agent knows the account.
 */
static int
only(struct source *source, const struct status_options *o, struct report *report,
     const struct err *file_err)
{
    struct err err = ERR_INIT;
    int r = one(source, o, o->account, report, &err);

    if (r == 0)
        return EX_OK;
    if (file_err->code != ERR_NONE && (r == ERR_NOAGENT || r == ERR_NOACCOUNT))
        return complain(NULL, file_err);
    return complain(o->account, &err);
}

static int
write_report(enum format format, const struct report *report)
{
    struct secret text = SECRET_INIT;
    struct err err = ERR_INIT;
    int r = format == FORMAT_JSON ? json_write(report->json, true, &text)
                                  : status_prometheus_write(report->prometheus, &text);

    if (r != 0)
        err_set(&err, r, "out of memory");
    else
        r = file_write_fd(STDOUT_FILENO, "standard output", text.data, text.len, &err);
    secret_clear(&text);
    return r == 0 ? EX_OK : complain(NULL, &err);
}

int
cmd_status(const char *config, int argc, char **argv)
{
    struct status_options o = {NULL, FORMAT_TEXT};
    struct source source = {config != NULL ? AGENT_NAMED : AGENT_ANY, CONTEXT_INIT, NULL};
    struct report report = {NULL, NULL};
    struct err err = ERR_INIT;
    bool whole;
    int status;

    if ((status = parse(argc, argv, &o)) >= 0)
        return status;
    source.context.config = config;
    report.json = json_new();
    report.prometheus = status_prometheus_new();
    whole = report.json != NULL && report.prometheus != NULL;
    if (!whole)
        err_set(&err, ERR_NOMEM, "out of memory");
    else
        context_accounts(&source.context, &err);
    if (o.account != NULL && whole)
        status = only(&source, &o, &report, &err);
    else
        status = source.context.accounts != NULL ? every(&source, &o, &report)
                                                 : complain(NULL, &err);
    /* one account's failure does not hide the others */
    if (o.format != FORMAT_TEXT && (status == EX_OK || source.context.accounts != NULL) &&
        write_report(o.format, &report) != EX_OK)
        status = EX_IOERR;
    if (fflush(stdout) != 0)
        status = EX_IOERR;
    json_free(&report.json);
    status_prometheus_free(&report.prometheus);
    context_close(&source.context);
    store_key_free(&source.key);
    return status;
}
