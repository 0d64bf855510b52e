/* postfix_check_relays.c - next hops, tables, and each relay's entry. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "postfix_checks.h"

#define MAP_SETTING "smtp_sasl_password_maps"
#define MAP_EXAMPLE "texthash:/etc/postfix/sasl_passwd"

/* The mailbox to show in a line that is to be written: the only account's, if there is
 * one. */
static const char *
example_user(const struct postfix_facts *facts)
{
    if (facts->accounts != NULL && facts->accounts->count == 1)
        return facts->accounts->account[0].user;
    return "MAILBOX";
}

static void
check_table(const struct postfix_table_fact *t, struct report *report)
{
    struct err err = ERR_INIT;

    if (t->problem == TABLE_OTHER)
        report_note(report, "%.300s: entries of this type are not listed", t->label);
    if (t->problem == TABLE_LARGE)
        report_note(report, "%.300s: too large, its entries are not listed", t->label);
    if (t->problem == TABLE_FINE || t->problem == TABLE_OTHER ||
        t->problem == TABLE_LARGE)
        return;
    err_set(&err, ERR_CONFIG, "%.300s %s", t->label,
            t->problem == TABLE_ABSENT      ? "is not there"
            : t->problem == TABLE_NOT_BUILT ? "has not been made from its source"
            : t->problem == TABLE_STALE     ? "is older than its source"
            : t->problem == TABLE_BROKEN    ? "cannot be opened by postmap"
            : t->problem == TABLE_DENIED    ? "cannot be read by this user"
                                            : "has passwords, and everybody may read it");
    if (t->problem == TABLE_NOT_BUILT || t->problem == TABLE_STALE ||
        t->problem == TABLE_BROKEN)
        err_hint(&err, "postmap %.300s", t->label);
    else if (t->problem == TABLE_ABSENT)
        err_hint(&err, "make that file, or correct the setting that names it");
    else if (t->problem == TABLE_DENIED)
        err_hint(&err, "run as root: mailbearer doctor --postfix");
    else
        err_hint(&err, "chmod 600 %.200s*", strchr(t->label, ':') + 1);
    if (t->problem == TABLE_ABSENT || t->problem == TABLE_NOT_BUILT ||
        t->problem == TABLE_BROKEN)
        report_failure(report, &err);
    else
        report_warning(report, &err);
}

/* An entry for the same host, spelled as nothing asks for it. */
static const char *
misspelled(const struct postfix_facts *facts, const struct nexthop *hop)
{
    struct nexthop key;

    for (size_t i = 0; i < facts->orphan_count; i++)
        if (nexthop_parse(facts->orphans[i], strlen(facts->orphans[i]), &key) &&
            strcasecmp(key.host, hop->host) == 0)
            return facts->orphans[i];
    return NULL;
}

static void
no_entry(const struct postfix_facts *facts, const struct postfix_relay *r,
         struct report *report)
{
    const char *maps = postfix_value(&facts->config, r->service, MAP_SETTING);
    const char *other = misspelled(facts, &r->hop);
    struct err err = ERR_INIT;

    if (maps[0] == '\0') {
        err_set(&err, ERR_CONFIG, MAP_SETTING " is empty (service %s)", r->service);
        postfix_remedy(facts, r->service, MAP_SETTING, MAP_EXAMPLE, &err);
    } else if (other != NULL) {
        err_set(&err, ERR_CONFIG,
                "no entry for %.200s: the one for this host is spelled %.200s",
                r->hop.text, other);
        err_hint(&err, "in the table of " MAP_SETTING ", write %.200s for %.200s",
                 r->hop.text, other);
    } else {
        err_set(&err, ERR_CONFIG, MAP_SETTING " has no entry for %.200s", r->hop.text);
        err_hint(&err, "add to its table: %.200s  %.200s:agent:", r->hop.text,
                 example_user(facts));
    }
    report_failure(report, &err);
}

static void
no_label(const struct postfix_facts *facts, const struct postfix_relay *r,
         struct report *report)
{
    struct err err = ERR_INIT;

    if (r->entry.kind == ENTRY_EMPTY)
        err_set(&err, ERR_CONFIG, "the entry %.200s has no password", r->key);
    else
        err_set(&err, ERR_CONFIG,
                "the entry %.200s has a password or token itself: a token lasts an hour",
                r->key);
    err_hint(&err, "write in its place: %.200s  %.200s:agent:", r->key,
             example_user(facts));
    report_failure(report, &err);
}

static void
table_failed(const struct postfix_relay *r, struct report *report)
{
    struct err err = ERR_INIT;

    err_set(&err, r->entry_err.code, "%.160s, asked for %.100s: %s", r->table, r->key,
            r->entry_err.text);
    err_hint(&err, "%s", r->entry_err.hint);
    report_failure(report, &err);
}

static void
check_hop(const struct postfix_facts *facts, const struct postfix_relay *r,
          struct report *report)
{
    struct err err = ERR_INIT;
    char better[NEXTHOP_MAX + 16];

    if (r->hop.bracketed)
        return;
    snprintf(better, sizeof better, "[%s]:%d", r->hop.host,
             r->hop.port > 0 ? r->hop.port : 587);
    err_set(&err, ERR_CONFIG,
            "%.200s has no brackets: Postfix asks DNS which hosts take its mail (MX)",
            r->hop.text);
    if (strcmp(r->origin, "relayhost") == 0)
        postfix_remedy(facts, NULL, "relayhost", better, &err);
    else
        err_hint(&err, "write %.200s in %s, and in " MAP_SETTING, better, r->origin);
    report_warning(report, &err);
}

static void
check_relay(const struct postfix_facts *facts, const struct postfix_relay *r,
            struct report *report)
{
    const struct entry *e = &r->entry;

    if (!r->ours) {
        if (e->kind == ENTRY_LITERAL)
            report_note(report, "%.200s signs in with a password", r->hop.text);
        return;
    }
    check_hop(facts, r, report);
    switch (e->kind) {
    case ENTRY_NONE:
        no_entry(facts, r, report);
        break;
    case ENTRY_LITERAL:
    case ENTRY_EMPTY:
        no_label(facts, r, report);
        break;
    case ENTRY_UNKNOWN:
        table_failed(r, report);
        break;
    case ENTRY_AGENT:
        report_ok(report, "%.100s (%s, service %s): %.100s, token of the account %.100s",
                  r->hop.text, r->origin, r->service, e->user, e->where);
        break;
    case ENTRY_FILE:
        report_ok(report, "%.100s (%s, service %s): %.100s, token from %.100s",
                  r->hop.text, r->origin, r->service, e->user, e->where);
        break;
    case ENTRY_TABLE:
        report_ok(report, "%.100s (%s, service %s): %.100s, token from the agent's table",
                  r->hop.text, r->origin, r->service, e->user);
        break;
    }
}

/* What main.cf should have: the smtp server of the only account. */
static void
no_relay(const struct postfix_facts *facts, struct report *report)
{
    const struct accounts *a = facts->accounts;
    char hop[NEXTHOP_MAX + 16] = "[smtp.office365.com]:587";
    struct err err = ERR_INIT;

    if (a != NULL && a->count == 1 && a->account[0].server[PROTOCOL_SMTP].host != NULL)
        snprintf(hop, sizeof hop, "[%.255s]:%d", a->account[0].server[PROTOCOL_SMTP].host,
                 a->account[0].server[PROTOCOL_SMTP].port);
    err_set(&err, ERR_CONFIG, "mail goes to no relay: relayhost is empty");
    postfix_remedy(facts, NULL, "relayhost", hop, &err);
    report_failure(report, &err);
}

void
postfix_check_relays(const struct postfix_facts *facts, struct report *report)
{
    struct err err = ERR_INIT;
    size_t ours = 0;

    report_check(report, "relay");
    for (size_t i = 0; i < facts->table_count; i++)
        check_table(&facts->tables[i], report);
    for (size_t i = 0; i < facts->relay_count; i++) {
        check_relay(facts, &facts->relays[i], report);
        ours += facts->relays[i].ours ? 1 : 0;
    }
    if (facts->more_relays)
        report_note(report, "only the first %d relays are looked at", POSTFIX_RELAYS_MAX);
    if (facts->relay_count == 0)
        no_relay(facts, report);
    else if (ours == 0) {
        err_set(&err, ERR_CONFIG, "no relay of this Postfix signs in with a token");
        err_hint(&err,
                 "the entry of one in " MAP_SETTING " must be: NEXTHOP  %.200s:agent:",
                 example_user(facts));
        report_failure(report, &err);
    }
    for (size_t i = 0; i < facts->orphan_count; i++) {
        err_set(&err, ERR_CONFIG, "the entry %.200s is for no relay of this Postfix",
                facts->orphans[i]);
        err_hint(&err, "spell it as the relay is, with brackets and port, or remove it");
        report_warning(report, &err);
    }
}
