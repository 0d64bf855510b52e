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
#include "../oauth/store_key.h"
#include "commands.h"
#include "status_text.h"

#define ASK_MS 5000

static const char help_text[] =
    "usage: mailbearer status [ACCOUNT] [--format text|json]\n"
    "\n"
    "Tells for every account, or for ACCOUNT: its state, how long its token is good, "
    "when it\n"
    "was fetched, the last error and its remedy, and what will expire. Asks the agent, "
    "or\n"
    "reads the store where none listens.\n"
    "\n"
    "states: ok            a token can be handed out\n"
    "        idle          none at hand, the next request fetches one\n"
    "        failing       temporary trouble, it is being tried again\n"
    "        needs-action  a person must act\n"
    "        signed-out    nobody has signed in yet\n";

struct status_options {
    const char *account; /* NULL: all */
    bool json;
};

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
        if (c == 'f' && (strcmp(optarg, "text") == 0 || strcmp(optarg, "json") == 0)) {
            o->json = optarg[0] == 'j';
        } else if (c == 'h') {
            fputs(help_text, stdout);
            return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
        } else {
            fputs(help_text, stderr);
            return EX_USAGE;
        }
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
from_store(struct context *context, const struct account *account, struct secret *out,
           struct err *err)
{
    struct record record = RECORD_INIT;
    struct store_key *key = NULL;
    int r;

    if (context->store.fd < 0 && (r = context_store(context, err)) != 0)
        return r;
    if ((r = store_key_use(context->accounts, &context->store, &key, err)) == 0 &&
        (r = store_read(&context->store, account->name, &record, NULL, err)) == 0)
        r = status_json(account, &record, false, wallclock_now(), out, err);
    context->store.cipher = NULL; /* it ends with the key */
    store_key_free(&key);
    record_clear(&record);
    return r;
}

/* --- all together
 * ------------------------------------------------------------------------ */

static int
show(const struct status_options *o, const struct secret *line, struct json *all,
     struct err *err)
{
    struct json *json = NULL;
    int r = json_parse(secret_str(line), line->len, &json, err);

    if (r != 0)
        return r;
    if (o->json) {
        r = json_append_object(all, "accounts", &json);
        return r == 0 ? 0 : err_set(err, ERR_NOMEM, "out of memory");
    }
    status_print(json, wallclock_now());
    json_free(&json);
    return 0;
}

static int
one(struct context *context, int where, const struct status_options *o, const char *name,
    struct json *all, struct err *err)
{
    const struct account *account = NULL;
    struct secret line = SECRET_INIT;
    int r = from_agent(where, name, &line, err);

    if ((r == ERR_NOAGENT || r == ERR_NOACCOUNT) && context->accounts != NULL &&
        (r = context_account(context, name, &account, err)) == 0)
        r = from_store(context, account, &line, err);
    if (r == 0)
        r = show(o, &line, all, err);
    secret_clear(&line);
    return r;
}

static int
every(struct context *context, int where, const struct status_options *o,
      struct json *all)
{
    const struct accounts *accounts = context->accounts;
    int status = EX_OK;

    for (size_t i = 0; accounts != NULL && i < accounts->count; i++) {
        const char *name = accounts->account[i].name;
        struct err err = ERR_INIT;

        if (one(context, where, o, name, all, &err) != 0 && status == EX_OK)
            status = complain(name, &err);
    }
    return status;
}

/* One account: one that only the system's agent knows needs no accounts file of ours, so
 * what is wrong with that file (`file_err`) matters only when no agent knows the account.
 */
static int
only(struct context *context, int where, const struct status_options *o, struct json *all,
     const struct err *file_err)
{
    struct err err = ERR_INIT;
    int r = one(context, where, o, o->account, all, &err);

    if (r == 0)
        return EX_OK;
    if (file_err->code != ERR_NONE && (r == ERR_NOAGENT || r == ERR_NOACCOUNT))
        return complain(NULL, file_err);
    return complain(o->account, &err);
}

static int
write_json(const struct json *all)
{
    struct secret text = SECRET_INIT;
    struct err err = ERR_INIT;
    int r = json_write(all, true, &text);

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
    int where = config != NULL ? AGENT_NAMED : AGENT_ANY, status;
    struct status_options o = {NULL, false};
    struct context context = CONTEXT_INIT;
    struct json *all = NULL;
    struct err err = ERR_INIT;

    if ((status = parse(argc, argv, &o)) >= 0)
        return status;
    context.config = config;
    if ((all = json_new()) == NULL)
        err_set(&err, ERR_NOMEM, "out of memory");
    else
        context_accounts(&context, &err);
    if (o.account != NULL && all != NULL)
        status = only(&context, where, &o, all, &err);
    else
        status =
            err.code == ERR_NONE ? every(&context, where, &o, all) : complain(NULL, &err);
    if (o.json && context.accounts != NULL && write_json(all) != EX_OK)
        status = EX_IOERR;
    if (fflush(stdout) != 0)
        status = EX_IOERR;
    json_free(&all);
    context_close(&context);
    return status;
}
