/* postfix_check_sasl.c - the settings a sign-in depends on. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "postfix_checks.h"

/* One service of those that sign in with a token. */
struct look {
    const struct postfix_facts *facts;
    const char *service;
    struct report *report;
};

static const char *
value(const struct look *l, const char *name)
{
    return postfix_value(&l->facts->config, l->service, name);
}

/* A finding about a setting, with the command that makes it `wanted`. */
static void
found(const struct look *l, enum report_level level, const char *name, const char *wanted,
      const char *why)
{
    struct err err = ERR_INIT;
    const char *is = value(l, name);

    err_set(&err, ERR_CONFIG, "%s %s%.100s (service %s): %s", name,
            is[0] != '\0' ? "is " : "is not set", is, l->service, why);
    postfix_remedy(l->facts, l->service, name, wanted, &err);
    report_add(l->report, level, &err);
}

/* Does the filter let XOAUTH2 through? Words are tried in turn; "!" turns one round; a
 * table or file (with a colon or slash) cannot be judged and counts as yes. */
static bool
filter_allows(const char *filter)
{
    const char *word;
    size_t len;

    while ((word = words_next(&filter, &len)) != NULL) {
        bool not = word[0] == '!';

        if (not )
            word++, len--;
        if (memchr(word, ':', len) != NULL || memchr(word, '/', len) != NULL)
            return true;
        if (len == strlen("xoauth2") && strncasecmp(word, "xoauth2", len) == 0)
            return !not ;
    }
    return false;
}

#define OWN_TRANSPORT                                                                    \
    "in master.cf give each kind a transport of its own, with -o "                       \
    "smtp_sasl_mechanism_filter=xoauth2 and with =plain,login (mailbearer-sasl(7))"

static bool
has_password_relay(const struct look *l)
{
    for (size_t i = 0; i < l->facts->relay_count; i++) {
        const struct postfix_relay *r = &l->facts->relays[i];

        if (!r->ours && r->entry.kind == ENTRY_LITERAL &&
            strcmp(r->service, l->service) == 0)
            return true;
    }
    return false;
}

static void
check_filter(const struct look *l)
{
    const char *filter = value(l, "smtp_sasl_mechanism_filter");
    struct err err = ERR_INIT;

    if (filter[0] != '\0' && !filter_allows(filter)) {
        found(l, REPORT_FAILURE, "smtp_sasl_mechanism_filter", "xoauth2",
              "it leaves XOAUTH2 out, so there is no mechanism available");
    } else if (has_password_relay(l)) {
        err_set(&err, ERR_CONFIG,
                "the service %s takes tokens to one relay and passwords to another: it "
                "sends either as the other",
                l->service);
        err_hint(&err, "%s", OWN_TRANSPORT);
        report_failure(l->report, &err);
    } else if (filter[0] == '\0') {
        found(l, REPORT_WARNING, "smtp_sasl_mechanism_filter", "xoauth2",
              "a token may be tried as a password");
    }
}

/* Has the setting its default, which is the other's value? postconf expands that as of
 * main.cf, while smtp(8) follows the service's own -o. */
static bool
follows(const struct look *l, const char *name, const char *other)
{
    const struct postfix_config *c = &l->facts->config;

    return !postfix_is_override(c, l->service, name) &&
           strcmp(postfix_value(c, NULL, name), postfix_value(c, NULL, other)) == 0;
}

/* What the plugin does not promise (mailbearer-sasl(7)) leaves no mechanism. */
static void
check_options(const struct look *l, const char *name, const char *options)
{
    static const char *const refused[] = {"noplaintext", "noactive", "forward_secrecy",
                                          "mutual_auth"};

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (words_have(options, refused[i])) {
            found(l, REPORT_FAILURE, name, "noanonymous",
                  "that leaves no mechanism (No worthy mechs found)");
            return;
        }
}

/* Each defaults to the one before: what is the same is told once. */
static void
check_both_options(const struct look *l)
{
    static const char plain[] = "smtp_sasl_security_options";
    static const char tls_name[] = "smtp_sasl_tls_security_options";
    static const char verified_name[] = "smtp_sasl_tls_verified_security_options";
    const char *tls = value(l, follows(l, tls_name, plain) ? plain : tls_name);
    const char *verified =
        follows(l, verified_name, tls_name) ? tls : value(l, verified_name);

    check_options(l, tls_name, tls);
    if (strcmp(tls, verified) != 0)
        check_options(l, verified_name, verified);
}

static bool
is_of_service(const struct look *l, const struct postfix_relay *r)
{
    return r->ours && strcmp(r->service, l->service) == 0;
}

/* Different senders' mail goes to the same relay, where one entry is for them all. */
static bool
has_several_senders(const struct look *l)
{
    const struct postfix_relay *relays = l->facts->relays;

    for (size_t i = 0; i < l->facts->relay_count; i++)
        for (size_t j = 0; j < i; j++)
            if (is_of_service(l, &relays[i]) && is_of_service(l, &relays[j]) &&
                strcasecmp(relays[i].hop.host, relays[j].hop.host) == 0 &&
                strcasecmp(relays[i].sender, relays[j].sender) != 0)
                return true;
    return false;
}

static void
check_service(const struct look *l)
{
    size_t before = postfix_wrong(l->report);
    const char *type = value(l, "smtp_sasl_type");

    if (!postfix_is_yes(value(l, "smtp_sasl_auth_enable")))
        found(l, REPORT_FAILURE, "smtp_sasl_auth_enable", "yes", "nobody signs in");
    if (strcasecmp(type, "cyrus") != 0)
        found(l, REPORT_FAILURE, "smtp_sasl_type", "cyrus", "only that loads the plugin");
    if (value(l, "smtp_sasl_path")[0] != '\0')
        report_note(l->report, "smtp_sasl_path (service %s) has no effect on Cyrus SASL",
                    l->service);
    check_filter(l);
    check_both_options(l);
    if (value(l, "smtp_sasl_auth_cache_name")[0] != '\0')
        found(l, REPORT_FAILURE, "smtp_sasl_auth_cache_name", "",
              "one refusal then blocks good tokens for 90 days");
    if (!postfix_is_yes(value(l, "smtp_sasl_auth_soft_bounce")))
        found(l, REPORT_WARNING, "smtp_sasl_auth_soft_bounce", "yes",
              "mail is returned to its sender when a sign-in is refused");
    if (has_several_senders(l) &&
        !postfix_is_yes(value(l, "smtp_sender_dependent_authentication")))
        found(l, REPORT_WARNING, "smtp_sender_dependent_authentication", "yes",
              "all senders sign in as the same mailbox");
    if (postfix_wrong(l->report) == before)
        report_ok(l->report, "the service %s signs in by XOAUTH2", l->service);
}

/* A relay with a password, whose service is no relay's of ours but would take the
 * password for a token where the server offers XOAUTH2. */
static void
check_password(const struct look *l, const struct postfix_relay *r)
{
    const char *filter = value(l, "smtp_sasl_mechanism_filter");
    struct err err = ERR_INIT;

    for (size_t i = 0; i < l->facts->relay_count; i++)
        if (l->facts->relays[i].ours &&
            strcmp(l->facts->relays[i].service, l->service) == 0)
            return;
    if (filter[0] != '\0' && !filter_allows(filter))
        return;
    err_set(&err, ERR_CONFIG,
            "%.200s has a password, which the service %s may send as a token",
            r->hop.text, r->service);
    postfix_remedy(l->facts, l->service, "smtp_sasl_mechanism_filter", "plain, login",
                   &err);
    if (!postfix_is_override(&l->facts->config, l->service, "smtp_sasl_mechanism_filter"))
        err_hint(&err, "%s", OWN_TRANSPORT);
    report_warning(l->report, &err);
}

void
postfix_check_sasl(const struct postfix_facts *facts, struct report *report)
{
    struct look l = {.facts = facts, .report = report};
    const struct postfix_relay *r;
    size_t i = 0;

    report_check(report, "sasl");
    while ((r = postfix_next_service(facts, &i)) != NULL) {
        l.service = r->service;
        check_service(&l);
    }
    for (i = 0; i < facts->relay_count; i++) {
        r = &facts->relays[i];
        l.service = r->service;
        if (!r->ours && r->entry.kind == ENTRY_LITERAL)
            check_password(&l, r);
    }
}
