/* local_check.c - see patient.h: what is on this machine. */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../accounts/store_upkeep.h"
#include "../base/wallclock.h"
#include "../client/agent_client.h"
#include "../oauth/account_check.h"
#include "../oauth/request.h"
#include "patient.h"

/* "root", or the number of a user without a name. */
static const char *
user_name(uid_t uid, char buf[64])
{
    const struct passwd *pw = getpwuid(uid);

    if (pw != NULL)
        snprintf(buf, 64, "%s", pw->pw_name);
    else
        snprintf(buf, 64, "uid %lu", (unsigned long)uid);
    return buf;
}

/* --- accounts file ---------------------------------------------------------------------
 */

struct files {
    struct patient *patient;
    bool bad;
};

static void
on_found(void *arg, bool fatal, const struct err *err)
{
    struct files *f = arg;

    report_add(f->patient->report, fatal ? REPORT_FAILURE : REPORT_WARNING, err);
    f->bad = true;
}

/* After root was given up: the agent must be able to read the file again. */
static void
check_readable(struct patient *p)
{
    const char *path = p->context.place.config;
    struct err err = ERR_INIT;
    char name[64];

    if (access(path, R_OK) == 0)
        return;
    err_set(&err, ERR_CONFIG,
            "%s cannot be read by %s, who owns the state directory and runs the agent",
            path, user_name(geteuid(), name));
    err_hint(&err, "chgrp mailbearer %s; chmod 640 %s", path, path);
    report_failure(p->report, &err);
}

static void
tell_users(struct patient *p)
{
    const struct name_list *users = &p->account->allow_users;
    char list[300] = "";
    size_t at = 0;

    for (size_t i = 0; i < users->count && at < sizeof list - 1; i++) {
        int n = snprintf(list + at, sizeof list - at, ", %s", users->names[i]);

        at += n > 0 ? (size_t)n : 0;
    }
    report_note(p->report,
                "who may have its token from an agent: root, the agent's user%s", list);
}

static void
check_account(struct patient *p)
{
    const struct account *a = p->account;
    struct files files = {p, false};

    account_check_files(a, wallclock_now(), on_found, &files);
    if (!files.bad)
        report_ok(p->report, "%s: line %d, mailbox %s, provider %s, grant %s", a->name,
                  a->line, a->user, a->provider.name, grant_name(a->grant));
    tell_users(p);
}

static void
fill_servers(struct patient *p)
{
    const struct account *a = p->account;

    for (size_t i = 0; i < PROTOCOL_COUNT; i++)
        p->mail[i].server =
            (struct mail_server){.user = a->user,
                                 .host = a->server[i].host,
                                 .port = a->server[i].port,
                                 .proxy = a->proxy,
                                 .ca_file = a->ca_file,
                                 .starttls = a->server[i].security == SECURITY_STARTTLS,
                                 .password = a->grant == GRANT_APP_PASSWORD};
}

/* No file, or it has no such account: for a user that is no fault, the system's agent may
 * serve it. Whether it does is agent_check()'s to find out. */
static void
no_account(struct patient *p, const struct err *err)
{
    bool here = p->context.accounts != NULL || access(p->context.place.config, F_OK) == 0;

    p->missing = *err;
    if (p->context.place.system || p->context.place.given ||
        (here && err->code != ERR_NOACCOUNT)) {
        report_failure(p->report, err);
        p->unknown = true;
    } else {
        report_note(p->report, "%s; perhaps the system's agent has it", err->text);
    }
}

static void
check_accounts(struct patient *p)
{
    struct err err = ERR_INIT;
    char owner[64];

    p->context.config = p->request->config;
    p->where = p->request->config != NULL ? AGENT_NAMED : AGENT_ANY;
    if (context_accounts(&p->context, &err) != 0) {
        no_account(p, &err);
        return;
    }
    report_ok(p->report, "%s: %zu account%s, mode %04o, owner %s",
              p->context.place.config, p->context.accounts->count,
              p->context.accounts->count == 1 ? "" : "s",
              (unsigned)(p->context.accounts->status.st_mode & 07777),
              user_name(p->context.accounts->status.st_uid, owner));
    if (context_account(&p->context, PATIENT_NAME(p), &p->account, &err) != 0) {
        no_account(p, &err);
        return;
    }
    if (p->context.place.system && p->where == AGENT_ANY)
        p->where = AGENT_SYSTEM; /* root and mailbearer have none of their own */
    else if (p->where == AGENT_ANY)
        p->where = AGENT_USER;
    p->microsoft = p->account->provider.is_microsoft;
    fill_servers(p);
}

/* --- store -----------------------------------------------------------------------------
 */

static void
check_form(struct patient *p)
{
    enum store_form form = STORE_ABSENT;
    struct err err = ERR_INIT;

    if (store_form(&p->context.store, p->account->name, &form, NULL) != 0 ||
        form == STORE_ABSENT)
        return;
    if (form == STORE_CLEAR && p->context.accounts->encryption_key_file != NULL) {
        err_set(&err, ERR_CONFIG, "its tokens are still stored in clear");
        err_hint(&err, "run: mailbearer rekey");
        report_warning(p->report, &err);
    } else {
        report_ok(p->report, "its record can be read, and is %s",
                  form == STORE_SEALED ? "encrypted" : "not encrypted");
    }
}

static void
check_refresh_token(struct patient *p, const struct record *record)
{
    char span[PATIENT_SPAN_MAX];
    struct err err = ERR_INIT;

    if (request_possible(p->account, record, &err) != 0)
        report_failure(p->report, &err);
    else if (record->refresh_token.len > 0)
        report_ok(p->report, "somebody has signed in; the refresh token was used %s ago",
                  patient_span(wallclock_now() - record->refresh_token_at, span));
}

static void
check_record(struct patient *p)
{
    struct record record = RECORD_INIT;
    struct err err = ERR_INIT;
    char when[WALLCLOCK_TEXT_MAX];

    if (store_read(&p->context.store, p->account->name, &record, NULL, &err) != 0) {
        report_failure(p->report, &err);
    } else {
        check_form(p);
        check_refresh_token(p, &record);
        if (record.failure.err.code != ERR_NONE) {
            err = record.failure.err;
            err_set(&err, err.code, "the last refresh failed at %s: %s",
                    wallclock_text(record.failure.at, when), record.failure.err.text);
            err_hint(&err, "%s", record.failure.err.hint);
            report_warning(p->report, &err);
        }
    }
    record_clear(&record);
}

static void
check_store(struct patient *p)
{
    struct err err = ERR_INIT;
    struct stat st;
    char owner[64];

    if (context_store(&p->context, &err) != 0 ||
        store_key_use(p->context.accounts, &p->context.store, &p->key, &err) != 0) {
        report_failure(p->report, &err);
        return;
    }
    p->store_open = true;
    if (fstat(p->context.store.fd, &st) == 0)
        report_ok(p->report, "%s: mode %04o, owner %s",
                  context_state_directory(&p->context), (unsigned)(st.st_mode & 07777),
                  user_name(st.st_uid, owner));
    if (p->account->grant != GRANT_APP_PASSWORD)
        check_record(p);
}

void
local_check(struct patient *p)
{
    report_check(p->report, "accounts");
    check_accounts(p);
    if (p->account == NULL)
        return;
    report_check(p->report, "store");
    check_store(p);
    /* As the agent's user, who is to read them. */
    report_check(p->report, "files");
    if (p->context.place.system || p->context.place.given)
        check_readable(p);
    check_account(p);
}
