/* claims_permissions.c - see claims.h: may it do what the account needs? */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "claims_private.h"

/* What each protocol needs: a person's permission, an application's role. */
static const struct needed {
    const char *scp, *role;
} needed[PROTOCOL_COUNT] = {
    [PROTOCOL_SMTP] = {"SMTP.Send", "SMTP.SendAsApp"},
    [PROTOCOL_IMAP] = {"IMAP.AccessAsUser.All", "IMAP.AccessAsApp"},
    [PROTOCOL_POP3] = {"POP.AccessAsUser.All", "POP.AccessAsApp"},
};

/* Is `word` one of the words in `list`? */
static bool
has_word(const char *list, const char *word)
{
    size_t n = strlen(word);

    while (*list != '\0') {
        size_t len = strcspn(list, " ");

        if (len == n && strncasecmp(list, word, n) == 0)
            return true;
        list += len;
        list += strspn(list, " ");
    }
    return false;
}

static bool
has_role(const struct json *json, const char *role)
{
    const char *text;

    for (size_t i = 0; (text = json_array_string(json, "roles", i)) != NULL; i++)
        if (strcasecmp(text, role) == 0)
            return true;
    return false;
}

static bool
is_hve(const struct claims_question *q)
{
    return q->account != NULL && strcmp(q->account->provider.name, "microsoft-hve") == 0;
}

/* A protocol that nobody asked for, and the token is not made for, is left alone. */
static void
leave_out(struct claims_question *q, enum protocol protocol, const char *permission,
          struct report *report)
{
    q->wanted[protocol] = false;
    report_note(report, "%s is not tried: the token has no %s (to insist: --%s)",
                protocol_name(protocol), permission, protocol_name(protocol));
}

static void
judge_scp(struct claims_question *q, const char *scp, struct report *report)
{
    for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
        const char *need = needed[i].scp;
        struct err err = ERR_INIT;

        if (!q->wanted[i])
            continue;
        if (has_word(scp, need)) {
            report_ok(report, "it has the permission %s", need);
            continue;
        }
        if (!q->asked[i] && q->account != NULL && !has_word(scp, ".default") &&
            strstr(q->account->scope, need) == NULL) {
            leave_out(q, (enum protocol)i, need, report);
            continue;
        }
        err_set(&err, ERR_PERSON, "it has no permission %s; it has: %.200s", need,
                scp[0] != '\0' ? scp : "none");
        err_hint(
            &err,
            "Entra > App registrations > API permissions > Office 365 Exchange Online "
            "> Delegated permissions > %s; have it in `scope`; then: mailbearer login "
            "%.100s",
            need, claims_account(q));
        report_failure(report, &err);
    }
}

/* Exchange's RBAC for applications works without a role, for SMTP alone. */
static void
judge_no_roles(struct claims_question *q, struct report *report)
{
    struct err err = ERR_INIT;

    err_set(&err, ERR_CONFIG,
            "it has no roles: right for Exchange RBAC for applications, "
            "which is for SMTP; otherwise consent is missing");
    err_hint(
        &err,
        "unless RBAC is used: Entra > App registrations > API permissions > Office 365 "
        "Exchange Online > Application permissions > SMTP.SendAsApp > Grant admin "
        "consent; then: mailbearer token %.100s --refresh",
        claims_account(q));
    report_warning(report, &err);
    for (size_t i = 0; i < PROTOCOL_COUNT; i++)
        if (q->wanted[i] && i != PROTOCOL_SMTP && !q->asked[i])
            leave_out(q, (enum protocol)i, needed[i].role, report);
}

static void
judge_roles(struct claims_question *q, struct report *report)
{
    if (json_array_string(q->json, "roles", 0) == NULL) {
        judge_no_roles(q, report);
        return;
    }
    for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
        const char *need = is_hve(q) ? "Mail.Send" : needed[i].role;
        struct err err = ERR_INIT;

        if (!q->wanted[i])
            continue;
        if (has_role(q->json, need)) {
            report_ok(report, "it has the role %s", need);
            continue;
        }
        if (!q->asked[i] && i != PROTOCOL_SMTP) {
            leave_out(q, (enum protocol)i, need, report);
            continue;
        }
        err_set(&err, ERR_PERSON, "it has no role %s", need);
        err_hint(
            &err,
            "Entra > App registrations > API permissions > Office 365 Exchange Online "
            "> Application permissions > %s > Grant admin consent; then: mailbearer "
            "token %.100s --refresh",
            need, claims_account(q));
        /* with another role and none for SMTP, RBAC may still be what sends */
        report_add(report,
                   i == PROTOCOL_SMTP && !is_hve(q) ? REPORT_WARNING : REPORT_FAILURE,
                   &err);
    }
}

void
claims_judge_permissions(struct claims_question *q, struct report *report)
{
    const char *scp = json_get_string(q->json, "scp");

    if (scp != NULL || claims_person(q->json) != NULL)
        judge_scp(q, scp != NULL ? scp : "", report);
    else
        judge_roles(q, report);
}
