/* postfix.c - `doctor --postfix`: see doctor.h. */
#include <stdlib.h>
#include <unistd.h>

#include "../accounts/context.h"
#include "doctor.h"
#include "postfix_checks.h"
#include "postfix_gather.h"

/* The system's accounts file, or what -c named: Postfix asks the system's agent, so a
 * user's own file says nothing. */
static void
read_accounts(const char *config, struct context *context, struct postfix_facts *facts)
{
    context->config = config;
    if (config == NULL && !facts->is_root)
        return;
    if (context_accounts(context, &facts->accounts_err) == 0)
        facts->accounts = context->accounts;
}

static void
check_all(const struct postfix_facts *facts, struct report *report)
{
    postfix_check_plugin(facts, report);
    postfix_check_relays(facts, report);
    postfix_check_sasl(facts, report);
    postfix_check_tls(facts, report);
    postfix_check_accounts(facts, report);
    postfix_check_agent(facts, report);
    postfix_check_limits(facts, report);
    if (postfix_wrong(report) == 0)
        return;
    report_check(report, "postfix");
    report_note(report, "after changes run: postfix reload");
}

void
doctor_postfix(const struct doctor_postfix_request *request, struct report *report)
{
    struct postfix_facts *facts = calloc(1, sizeof *facts);
    struct context context = CONTEXT_INIT;
    struct err err = ERR_INIT;
    char postconf[POSTFIX_PATH_MAX];

    report_check(report, "postfix");
    if (facts == NULL) {
        err_set(&err, ERR_NOMEM, "out of memory");
        report_failure(report, &err);
        return;
    }
    facts->deadline = deadline_in(DOCTOR_DEADLINE_MS - 5000);
    facts->config_dir = request->config_dir;
    if (facts->config_dir == NULL)
        facts->config_dir = getenv("MAIL_CONFIG");
    if (!postconf_find(postconf)) {
        err_set(&err, ERR_CONFIG, "Postfix is not installed: there is no postconf");
        err_hint(&err, "install Postfix, or put its directory into PATH");
        report_failure(report, &err);
        goto out;
    }
    if (postfix_gather_config(facts, postconf, &err) != 0) {
        if (err.hint[0] == '\0')
            err_hint(&err, "see what it says: postconf -n");
        report_failure(report, &err);
        goto out;
    }
    postfix_gather_user(facts);
    if (!postfix_check_base(facts, report))
        goto out;
    read_accounts(request->config, &context, facts);
    postfix_gather_relays(facts);
    postfix_choose_ours(facts);
    postfix_gather_machine(facts);
    check_all(facts, report);
out:
    postfix_config_clear(&facts->config);
    context_close(&context);
    free(facts);
}
