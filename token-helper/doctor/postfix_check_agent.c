/* postfix_check_agent.c - the accounts Postfix asks for, the agent's answers, limits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "postfix_checks.h"

#include "../accounts/host_owner.h"

#define EXCHANGE_LIMIT 3 /* submissions of one mailbox at the same time */

/* True when an earlier relay has the same token: said once. */
static bool
is_repeated(const struct postfix_facts *facts, const struct postfix_relay *r)
{
    for (const struct postfix_relay *p = facts->relays; p < r; p++)
        if (p->ours && p->entry.kind == r->entry.kind && p->chrooted == r->chrooted &&
            strcmp(p->entry.user, r->entry.user) == 0 &&
            strcmp(p->entry.where, r->entry.where) == 0)
            return true;
    return false;
}

/* --- accounts ------------------------------------------------------------------------
 */

static bool
may_ask(const struct postfix_facts *facts, const struct account *a)
{
    const char *owner = postfix_value(&facts->config, NULL, "mail_owner");
    char uid[24];

    snprintf(uid, sizeof uid, "%lu", (unsigned long)facts->owner_uid);
    for (size_t i = 0; i < a->allow_users.count; i++)
        if (strcmp(a->allow_users.names[i], owner) == 0 ||
            (facts->owner_known && strcmp(a->allow_users.names[i], uid) == 0))
            return true;
    return false;
}

static void
unknown_account(const struct postfix_facts *facts, const struct postfix_relay *r,
                struct report *report)
{
    struct err err = ERR_INIT;

    err_set(&err, ERR_NOACCOUNT, "%.200s has no account %.200s, which the entry %s names",
            facts->accounts->path, r->entry.where, r->key);
    err_hint(&err, "see how it is spelled there: mailbearer status");
    for (size_t i = 0; i < facts->accounts->count; i++)
        if (strcasecmp(facts->accounts->account[i].name, r->entry.where) == 0)
            err_hint(&err, "it is spelled %.200s there: write that in the entry",
                     facts->accounts->account[i].name);
    report_failure(report, &err);
}

static void
check_account(const struct postfix_facts *facts, const struct postfix_relay *r,
              const struct account *a, struct report *report)
{
    const char *owner = postfix_value(&facts->config, NULL, "mail_owner");
    size_t before = postfix_wrong(report);
    struct err err = ERR_INIT;

    if (!may_ask(facts, a)) {
        err_set(&err, ERR_DENIED, "%.200s: allow_users does not name %.64s", a->name,
                owner);
        err_hint(&err, "in the account %.150s (%.150s:%d): allow_users = { %.64s }",
                 a->name, a->file, a->line, owner);
        report_failure(report, &err);
    }
    if (strcasecmp(a->user, r->entry.user) != 0) {
        err_set(&err, ERR_CONFIG,
                "the entry %.100s signs in as %.100s, with a token for %.100s", r->key,
                r->entry.user, a->user);
        err_hint(&err, "write %.200s in front of its colon, unless it is meant so",
                 a->user);
        report_warning(report, &err);
    }
    if (postfix_wrong(report) == before)
        report_ok(report, "%.200s, which %.64s may ask for", a->name, owner);
}

void
postfix_check_accounts(const struct postfix_facts *facts, struct report *report)
{
    report_check(report, "accounts");
    if (facts->accounts == NULL) {
        if (facts->accounts_err.code == ERR_NONE)
            report_note(report, "the system's accounts file is not looked at: not root");
        else
            report_failure(report, &facts->accounts_err);
        return;
    }
    for (size_t i = 0; i < facts->relay_count; i++) {
        const struct postfix_relay *r = &facts->relays[i];
        const struct account *a = NULL;

        if (!r->ours || is_repeated(facts, r))
            continue;
        if (r->entry.kind == ENTRY_TABLE) {
            if (accounts_find_key(facts->accounts, r->key, &a, NULL) != 0)
                continue;
        } else if (r->entry.kind != ENTRY_AGENT) {
            continue;
        } else if ((a = accounts_find(facts->accounts, r->entry.where)) == NULL) {
            unknown_account(facts, r, report);
            continue;
        }
        check_account(facts, r, a, report);
    }
}

/* --- agent ---------------------------------------------------------------------------
 */

static void
no_agent(const struct postfix_facts *facts, const struct postfix_relay *r,
         struct report *report)
{
    const char *root = postfix_value(&facts->config, NULL, "queue_directory");
    struct err err = ERR_INIT;

    if (r->chrooted) {
        err_set(&err, ERR_NOAGENT, "%.300s, as seen in the jail %.150s", r->answer.text,
                root);
        err_hint(
            &err,
            "the agent must listen there too: systemctl daemon-reload; systemctl "
            "restart mailbearer.socket; or, without systemd, mailbearer agent --listen "
            "%.80s --listen %.120s%.80s",
            facts->agent_socket, root, facts->agent_socket);
    } else {
        err = r->answer;
        err_hint(&err, "systemctl enable --now mailbearer.socket; or, without systemd, "
                       "mailbearer agent");
    }
    report_failure(report, &err);
}

void
postfix_check_agent(const struct postfix_facts *facts, struct report *report)
{
    const char *owner = postfix_value(&facts->config, NULL, "mail_owner");

    report_check(report, "agent");
    for (size_t i = 0; i < facts->relay_count; i++) {
        const struct postfix_relay *r = &facts->relays[i];

        if (!r->ours || !r->asked || is_repeated(facts, r))
            continue;
        if (r->answer.code == 0)
            report_ok(report, "as %.64s%s%.150s: a token for %.200s", owner,
                      r->chrooted ? ", in the jail " : "",
                      r->chrooted ? postfix_value(&facts->config, NULL, "queue_directory")
                                  : "",
                      r->entry.where);
        else if (r->answer.code == ERR_NOAGENT)
            no_agent(facts, r, report);
        else if (r->answer.code == ERR_STORE)
            report_note(report, "what Postfix gets is not known: %s", r->answer.text);
        else
            report_failure(report, &r->answer);
    }
}

/* --- limits --------------------------------------------------------------------------
 */

/* The smaller of two limits, where 0 is none. */
static long
smaller(long a, long b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

static long
limit_of(const struct postfix_facts *facts, const struct postfix_relay *r, char name[96])
{
    const struct postfix_service *s = postfix_service_find(&facts->config, r->service);
    const char *processes = s != NULL ? s->max_processes : "-";
    const char *limit;

    if (processes[0] == '-')
        processes = postfix_value(&facts->config, NULL, "default_process_limit");
    snprintf(name, 96, "%s_destination_concurrency_limit", r->service);
    limit = postfix_value(&facts->config, NULL, name);
    if (limit[0] == '\0')
        limit =
            postfix_value(&facts->config, NULL, "default_destination_concurrency_limit");
    return smaller(strtol(processes, NULL, 10), strtol(limit, NULL, 10));
}

static bool
is_at_exchange(const struct postfix_facts *facts, const struct postfix_relay *r)
{
    const struct account *a = facts->accounts != NULL && r->entry.kind == ENTRY_AGENT
                                  ? accounts_find(facts->accounts, r->entry.where)
                                  : NULL;

    return host_is_exchange(r->hop.host) || (a != NULL && a->provider.is_microsoft);
}

void
postfix_check_limits(const struct postfix_facts *facts, struct report *report)
{
    report_check(report, "limits");
    for (size_t i = 0; i < facts->relay_count; i++) {
        const struct postfix_relay *r = &facts->relays[i];
        struct err err = ERR_INIT;
        char name[96], many[32] = "any number of";
        long limit;

        if (!r->ours || !is_at_exchange(facts, r))
            continue;
        limit = limit_of(facts, r, name);
        if (limit > 0 && limit <= EXCHANGE_LIMIT) {
            report_ok(report, "%.200s: at most %ld at a time", r->hop.text, limit);
            continue;
        }
        if (limit > 0)
            snprintf(many, sizeof many, "up to %ld", limit);
        err_set(&err, ERR_CONFIG,
                "%.200s: %s messages at a time, and Exchange takes %d of a mailbox "
                "(432 4.3.2)",
                r->hop.text, many, EXCHANGE_LIMIT);
        postfix_remedy(facts, NULL, name, "2", &err);
        report_warning(report, &err);
    }
}
