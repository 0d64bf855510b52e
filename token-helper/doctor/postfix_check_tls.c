/* postfix_check_tls.c - a token must go over TLS, to the right server. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "postfix_checks.h"

#include "../accounts/host_owner.h"

#define SUBMISSIONS_PORT 465 /* TLS from the first byte (RFC 8314) */

static const char *
value(const struct postfix_facts *facts, const struct postfix_relay *r, const char *name)
{
    return postfix_value(&facts->config, r->service, name);
}

/* The level in force: the table's word, the setting, or its forerunners. */
static const char *
level_of(const struct postfix_facts *facts, const struct postfix_relay *r)
{
    const char *level = value(facts, r, "smtp_tls_security_level");

    if (r->tls_policy[0] != '\0')
        return r->tls_policy;
    if (level[0] != '\0')
        return level;
    if (postfix_is_yes(value(facts, r, "smtp_enforce_tls")))
        return "verify";
    return postfix_is_yes(value(facts, r, "smtp_use_tls")) ? "may" : "none";
}

static bool
is_one_of(const char *word, const char *list)
{
    return words_have(list, word);
}

static void
level_remedy(const struct postfix_facts *facts, const struct postfix_relay *r,
             struct err *err)
{
    if (r->tls_policy[0] != '\0')
        err_hint(err, "in the table of smtp_tls_policy_maps: %.200s  secure",
                 r->hop.text);
    else
        postfix_remedy(facts, r->service, "smtp_tls_security_level", "secure", err);
}

/* True when the server's certificate is looked at. */
static bool
check_level(const struct postfix_facts *facts, const struct postfix_relay *r,
            const char *level, struct report *report)
{
    struct err err = ERR_INIT;

    if (is_one_of(level, "verify secure fingerprint dane-only"))
        return true;
    if (strcasecmp(level, "encrypt") == 0) {
        err_set(&err, ERR_CONFIG,
                "%.200s: level encrypt takes any certificate, so anyone on the way may "
                "read the token",
                r->hop.text);
        level_remedy(facts, r, &err);
        report_warning(report, &err);
        return false;
    }
    err_set(&err, ERR_CONFIG, "%.200s: TLS is not demanded (level %.40s, service %s)",
            r->hop.text, level, r->service);
    level_remedy(facts, r, &err);
    report_failure(report, &err);
    return false;
}

static void
check_port(const struct postfix_facts *facts, const struct postfix_relay *r,
           struct report *report)
{
    bool wrapped = postfix_is_yes(value(facts, r, "smtp_tls_wrappermode"));
    struct err err = ERR_INIT;

    if (r->hop.port == SUBMISSIONS_PORT && !wrapped) {
        err_set(&err, ERR_CONFIG,
                "%.200s: port 465 speaks TLS from the start, and smtp_tls_wrappermode is "
                "not set",
                r->hop.text);
        postfix_remedy(facts, r->service, "smtp_tls_wrappermode", "yes", &err);
        report_failure(report, &err);
    } else if (r->hop.port != SUBMISSIONS_PORT && r->hop.port > 0 && wrapped) {
        err_set(&err, ERR_CONFIG,
                "%.200s: smtp_tls_wrappermode is for port 465, here STARTTLS is spoken",
                r->hop.text);
        postfix_remedy(facts, r->service, "smtp_tls_wrappermode", "no", &err);
        report_failure(report, &err);
    }
    if (r->hop.port == SUBMISSIONS_PORT && host_is_exchange(r->hop.host)) {
        err_set(&err, ERR_CONFIG, "%.200s: Exchange Online does not listen on port 465",
                r->hop.text);
        err_hint(&err, "use [%.200s]:587, also in smtp_sasl_password_maps", r->hop.host);
        report_failure(report, &err);
    }
}

/* smtp(8) reads smtp_tls_CAfile before it enters the jail, smtp_tls_CApath from within
 * (postconf(5)). */
static void
check_authorities(const struct postfix_facts *facts, const struct postfix_relay *r,
                  struct report *report)
{
    const char *file = value(facts, r, "smtp_tls_CAfile");
    const char *dir = value(facts, r, "smtp_tls_CApath");
    struct err err = ERR_INIT;

    if (postfix_is_yes(value(facts, r, "tls_append_default_CA")))
        return;
    if (file[0] == '\0' && dir[0] == '\0') {
        err_set(&err, ERR_CONFIG,
                "no certificate authority is trusted: neither smtp_tls_CAfile nor "
                "smtp_tls_CApath is set (service %s)",
                r->service);
        postfix_remedy(facts, r->service, "smtp_tls_CAfile",
                       "/etc/ssl/certs/ca-certificates.crt", &err);
        report_failure(report, &err);
    } else if (file[0] != '\0' && !r->ca_file_read) {
        err_set(&err, ERR_CONFIG, "smtp_tls_CAfile %.200s cannot be read, or is empty",
                file);
        postfix_remedy(facts, r->service, "smtp_tls_CAfile",
                       "/etc/ssl/certs/ca-certificates.crt", &err);
        report_failure(report, &err);
    } else if (file[0] == '\0' && r->chrooted && !r->ca_dir_in_jail) {
        err_set(&err, ERR_CONFIG, "smtp_tls_CApath %.200s is not in the jail %.200s", dir,
                postfix_value(&facts->config, NULL, "queue_directory"));
        postfix_remedy(facts, r->service, "smtp_tls_CAfile",
                       "/etc/ssl/certs/ca-certificates.crt", &err);
        report_failure(report, &err);
    }
}

void
postfix_check_tls(const struct postfix_facts *facts, struct report *report)
{
    report_check(report, "tls");
    for (size_t i = 0; i < facts->relay_count; i++) {
        const struct postfix_relay *r = &facts->relays[i];
        size_t before = postfix_wrong(report);
        const char *level;

        if (!r->ours)
            continue;
        level = level_of(facts, r);
        if (check_level(facts, r, level, report) && is_one_of(level, "verify secure"))
            check_authorities(facts, r, report);
        check_port(facts, r, report);
        if (postfix_wrong(report) == before)
            report_ok(report, "%.200s: TLS is demanded, level %.40s", r->hop.text, level);
    }
}
