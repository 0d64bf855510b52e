/* cmd_check.c - `mailbearer check`: what can be found wrong without the network. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../accounts/context.h"
#include "../accounts/freshness.h"
#include "../base/complain.h"
#include "../base/wallclock.h"
#include "../client/agent_client.h"
#include "../accounts/store_upkeep.h"
#include "../oauth/account_check.h"
#include "../oauth/request.h"
#include "../oauth/store_key.h"
#include "check_ports.h"
#include "commands.h"

#define ASK_MS 3000

static const char help_text[] =
    "usage: mailbearer check\n"
    "\n"
    "Reads the accounts file, the store, the secret files, the passwords of local\n"
    "ports and the file modes. One line a finding: \"ok\", \"warning\" or \"error\",\n"
    "what, and what to do. The exit status is that of the first error. Nothing is\n"
    "asked of the network, no command is run.\n";

struct findings {
    int status; /* of the first error */
    int errors;
};

static void ok(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void
ok(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf("ok       ");
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}

static void
print_finding(const char *kind, const char *subject, const struct err *err)
{
    char line[ERR_LINE_MAX];

    printf("%-8s %s%s%s\n", kind, subject != NULL ? subject : "",
           subject != NULL ? ": " : "", err_line(err, line));
}

static void
error(struct findings *f, const char *subject, const struct err *err)
{
    print_finding("error", subject, err);
    f->errors++;
    if (f->status == EX_OK)
        f->status = err_exit_status(err->code);
}

static void
warning(const char *subject, const char *text, const char *hint)
{
    struct err err = ERR_INIT;

    err_set(&err, ERR_CONFIG, "%s", text);
    err_hint(&err, "%s", hint);
    print_finding("warning", subject, &err);
}

/* For one account's findings; NULL: nobody's. */
struct subject {
    struct findings *findings;
    const char *account;
};

static void
on_found(void *arg, bool fatal, const struct err *err)
{
    struct subject *subject = arg;

    if (fatal)
        error(subject->findings, subject->account, err);
    else
        print_finding("warning", subject->account, err);
}

static void
check_local_passwords(struct findings *f, const struct context *c)
{
    struct subject subject = {f, NULL};
    int count = check_ports(c, on_found, &subject);

    if (count >= 0)
        ok("%d passwords of local ports", count);
}

static void
check_record(struct findings *f, const struct context *c, const struct account *a)
{
    struct record record = RECORD_INIT;
    struct err err = ERR_INIT;

    if (store_read(&c->store, a->name, &record, NULL, &err) != 0) {
        error(f, a->name, &err);
    } else if (request_possible(a, &record, &err) != 0) {
        error(f, a->name, &err);
    } else if (record.failure.err.code != ERR_NONE) {
        error(f, a->name, &record.failure.err);
    }
    record_clear(&record);
}

/* With encryption switched on, a record is encrypted when it is next written. */
static void
check_form(const struct context *c, const struct account *a)
{
    enum store_form form;

    if (c->accounts->encryption_key_file != NULL &&
        store_form(&c->store, a->name, &form, NULL) == 0 && form == STORE_CLEAR)
        warning(a->name, "its tokens are still stored in clear", "run: mailbearer rekey");
}

static void
check_account(struct findings *f, const struct context *c, const struct account *a)
{
    struct subject subject = {f, a->name};
    int before = f->errors;

    account_check_files(a, wallclock_now(), on_found, &subject);
    check_record(f, c, a);
    check_form(c, a);
    if (f->errors == before)
        ok("%s", a->name);
}

/* Two accounts behind one server, and none says which is Postfix's. */
static void
check_keys(const struct accounts *accounts)
{
    for (size_t i = 0; i < accounts->count; i++) {
        const struct account *a = &accounts->account[i], *found;
        struct err err = ERR_INIT;

        for (size_t k = 0; k < a->postfix_keys.count; k++)
            if (a->postfix_keys_given &&
                accounts_find_key(accounts, a->postfix_keys.names[k], &found, &err) !=
                    0) {
                print_finding("warning", a->name, &err);
                break;
            }
    }
}

static void
check_agent(const char *config)
{
    struct agent_query query = {.map = "version",
                                .key = "-",
                                .where = config != NULL ? AGENT_NAMED : AGENT_ANY,
                                .deadline_ms = ASK_MS};
    struct secret version = SECRET_INIT;
    struct err err = ERR_INIT;

    if (agent_client_ask(&query, &version, &err) == 0)
        ok("agent: %s answers", secret_str(&version));
    else
        warning("agent", err.text, "start it: mailbearer agent (mailbearer-agent(8))");
    secret_clear(&version);
}

/* After root was given up: the agent must be able to read the file again. */
static void
check_readable(struct findings *f, const struct context *c)
{
    struct err err = ERR_INIT;

    if (access(c->place.config, R_OK) == 0)
        return;
    err_set(&err, ERR_CONFIG,
            "%s cannot be read by the state directory's owner (uid %lu)", c->place.config,
            (unsigned long)geteuid());
    err_hint(&err, "chgrp mailbearer %s; chmod 640 %s", c->place.config, c->place.config);
    error(f, NULL, &err);
}

int
cmd_check(const char *config, int argc, char **argv)
{
    struct context c = CONTEXT_INIT;
    struct findings f = {EX_OK, 0};
    struct store_key *key = NULL;
    struct err err = ERR_INIT;

    if (argc > 1) {
        bool help = argc == 2 && strcmp(argv[1], "--help") == 0;

        fputs(help_text, help ? stdout : stderr);
        return help ? EX_OK : EX_USAGE;
    }
    c.config = config;
    if (context_accounts(&c, &err) != 0) {
        error(&f, NULL, &err);
        goto out;
    }
    ok("%s: %zu accounts", c.place.config, c.accounts->count);
    check_keys(c.accounts);
    check_local_passwords(&f, &c);
    if (context_store(&c, &err) != 0 ||
        store_key_use(c.accounts, &c.store, &key, &err) != 0) {
        error(&f, NULL, &err);
        goto out;
    }
    ok("%s: the state directory", context_state_directory(&c));
    check_readable(&f, &c);
    for (size_t i = 0; i < c.accounts->count; i++)
        check_account(&f, &c, &c.accounts->account[i]);
    check_agent(config);
out:
    context_close(&c);
    store_key_free(&key);
    return fflush(stdout) == 0 ? f.status : EX_IOERR;
}
