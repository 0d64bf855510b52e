/* cmd_check.c - `mailbearer check`: what can be found wrong without the network. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../accounts/context.h"
#include "../accounts/freshness.h"
#include "../base/complain.h"
#include "../base/file.h"
#include "../base/wallclock.h"
#include "../client/agent_client.h"
#include "../accounts/store_upkeep.h"
#include "../oauth/certificate.h"
#include "../oauth/request.h"
#include "../oauth/store_key.h"
#include "commands.h"

#define DAY 86400
#define ASK_MS 3000

static const char help_text[] =
    "usage: mailbearer check\n"
    "\n"
    "Reads the accounts file, the store, the secret files and the file modes. One\n"
    "line a finding: \"ok\", \"warning\" or \"error\", what, and what to do. The exit\n"
    "status is that of the first error. Nothing is asked of the network, no command\n"
    "is run.\n";

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

/* The secret's file is read, as the agent would; a command is not run. */
static void
check_secret(struct findings *f, const struct account *a)
{
    struct secret secret = SECRET_INIT;
    struct err err = ERR_INIT;
    int64_t left = a->secret_expires - wallclock_now();

    if (a->client_secret_file != NULL &&
        file_read_secret_line(a->client_secret_file, "client secret", &secret, &err) != 0)
        error(f, a->name, &err);
    secret_clear(&secret);
    if (a->secret_expires == 0)
        return;
    if (left <= 0) {
        err_set(&err, ERR_PERSON, "its client secret has expired");
        err_hint(&err, "make a new one, put it in place, and change secret_expires");
        error(f, a->name, &err);
    } else if (left < 30 * DAY) {
        warning(a->name, "its client secret expires in less than 30 days",
                "make a new one, put it in place, and change secret_expires");
    }
}

/* Certificate and key are read and compared, the dates looked at. */
static void
check_certificate(struct findings *f, const struct account *a)
{
    struct certificate_files files = {a->client_certificate, a->client_key,
                                      a->client_key_passphrase_file};
    struct crypto_identity *identity = NULL;
    struct err err = ERR_INIT;
    int64_t now = wallclock_now();

    if (a->client_certificate == NULL)
        return;
    if (certificate_load(&files, &identity, &err) != 0 ||
        certificate_check_dates(crypto_identity_validity(identity), a->client_certificate,
                                now, &err) != 0)
        error(f, a->name, &err);
    else if (crypto_identity_validity(identity)->not_after - now < 30 * DAY)
        warning(
            a->name, "its client certificate expires in less than 30 days",
            "make a new one and upload it: Entra > App registrations > Certificates & "
            "secrets");
    crypto_identity_free(&identity);
}

static void
check_ca_file(struct findings *f, const struct account *a)
{
    struct err err = ERR_INIT;

    if (a->ca_file == NULL || access(a->ca_file, R_OK) == 0)
        return;
    err_set(&err, ERR_CONFIG, "ca_file %s: %s", a->ca_file, strerror(errno));
    err_hint(&err, "the agent must be able to read it");
    error(f, a->name, &err);
}

static void
check_users(const struct account *a)
{
    for (size_t i = 0; i < a->allow_users.count; i++) {
        const char *user = a->allow_users.names[i];
        char text[300];

        if (strspn(user, "0123456789") == strlen(user) || getpwnam(user) != NULL)
            continue;
        snprintf(text, sizeof text, "allow_users names %.200s, and there is no such user",
                 user);
        warning(a->name, text, "correct the name, or make the user");
    }
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
    int before = f->errors;

    check_users(a);
    check_secret(f, a);
    check_certificate(f, a);
    check_ca_file(f, a);
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
