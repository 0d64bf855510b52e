/* postfix_check_base.c - Postfix itself and the plugin; what the checks share. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "postfix_checks.h"

void
postfix_remedy(const struct postfix_facts *facts, const char *service, const char *name,
               const char *value, struct err *err)
{
    const char *dir = facts->config_dir;

    if (postfix_is_override(&facts->config, service, name))
        err_hint(err, "postconf %s%s%s-P '%s/unix/%s = %s'", dir != NULL ? "-c " : "",
                 dir != NULL ? dir : "", dir != NULL ? " " : "", service, name, value);
    else
        err_hint(err, "postconf %s%s%s-e '%s = %s'", dir != NULL ? "-c " : "",
                 dir != NULL ? dir : "", dir != NULL ? " " : "", name, value);
}

const struct postfix_relay *
postfix_next_service(const struct postfix_facts *facts, size_t *i)
{
    while (*i < facts->relay_count) {
        const struct postfix_relay *r = &facts->relays[(*i)++];
        const struct postfix_relay *first = facts->relays;

        while (first != r && (!first->ours || strcmp(first->service, r->service) != 0))
            first++;
        if (first == r && r->ours)
            return r;
    }
    return NULL;
}

size_t
postfix_wrong(const struct report *report)
{
    return report->count[REPORT_WARNING] + report->count[REPORT_FAILURE];
}

bool
postfix_check_base(const struct postfix_facts *facts, struct report *report)
{
    const struct postfix_config *c = &facts->config;
    const char *version = postfix_value(c, NULL, "mail_version");
    const char *owner = postfix_value(c, NULL, "mail_owner");
    struct err err = ERR_INIT;

    report_check(report, "postfix");
    if (strtol(version, NULL, 10) < 3) {
        err_set(&err, ERR_CONFIG, "Postfix %.40s is older than 3.0", version);
        err_hint(&err, "upgrade Postfix");
        report_failure(report, &err);
        return false;
    }
    report_ok(report, "Postfix %.40s, configured in %.300s", version,
              postfix_value(c, NULL, "config_directory"));
    if (!facts->has_cyrus) {
        err_set(&err, ERR_CONFIG, "this Postfix was built without Cyrus SASL");
        err_hint(&err, "install one that `postconf -A` says cyrus for");
        report_failure(report, &err);
    } else {
        report_ok(report, "it was built with Cyrus SASL");
    }
    if (!facts->owner_known) {
        err_set(&err, ERR_CONFIG, "there is no user %.64s, whom mail_owner names", owner);
        err_hint(&err, "make that user, or correct mail_owner");
        report_failure(report, &err);
    }
    if (!facts->is_root)
        report_note(report, "not run as root: what Postfix may ask of the agent is not "
                            "looked at");
    return true;
}

/* --- plugin ------------------------------------------------------------------------- */

static const char *
directories(const struct plugin_facts *p, char text[ERR_TEXT_MAX])
{
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < p->dir_count && len < ERR_TEXT_MAX - 1; i++) {
        int n = snprintf(text + len, ERR_TEXT_MAX - len, "%s%s", i > 0 ? ", " : "",
                         p->dirs[i]);

        len += n > 0 ? (size_t)n : 0;
    }
    return text;
}

static void
check_ours(const struct plugin_fact *p, struct report *report)
{
    size_t before = postfix_wrong(report);
    struct err err = ERR_INIT;

    if (!p->readable || !p->elf || !p->has_symbol) {
        err_set(&err, ERR_CONFIG, "%.300s %s", p->path,
                !p->readable ? "cannot be read"
                : !p->elf    ? "is no shared object for this kind of machine"
                             : "has no sasl_client_plug_init: it is no SASL plugin");
        err_hint(&err, "install it again, built on this kind of machine: make install");
        report_failure(report, &err);
    }
    if (p->owner != 0 || (p->mode & (S_IWGRP | S_IWOTH)) != 0) {
        err_set(&err, ERR_CONFIG,
                "%.300s may be changed by others than root, and Postfix loads it as root",
                p->path);
        err_hint(&err, "chown root:root %.200s; chmod 644 %.200s", p->path, p->path);
        report_failure(report, &err);
    } else if ((p->mode & S_IROTH) == 0) {
        err_set(&err, ERR_CONFIG, "%.300s can be read by root alone", p->path);
        err_hint(&err, "chmod 644 %.300s", p->path);
        report_warning(report, &err);
    }
    if (postfix_wrong(report) == before)
        report_ok(report, "%s", p->path);
}

void
postfix_check_plugin(const struct postfix_facts *facts, struct report *report)
{
    const struct plugin_facts *p = &facts->plugin;
    struct err err = ERR_INIT;
    char dirs[ERR_TEXT_MAX];
    size_t ours = 0;

    report_check(report, "plugin");
    for (size_t i = 0; i < p->plugin_count; i++) {
        if (p->plugins[i].ours) {
            ours++;
            check_ours(&p->plugins[i], report);
            continue;
        }
        err_set(&err, ERR_CONFIG,
                "%.300s offers XOAUTH2 as well, and libsasl2 takes one of them",
                p->plugins[i].path);
        err_hint(&err, "remove it, or the package it is part of");
        report_failure(report, &err);
    }
    if (ours > 1) {
        err_set(&err, ERR_CONFIG, "libsasl2 finds libmailbearer.so %zu times", ours);
        err_hint(&err, "remove the older one");
        report_warning(report, &err);
    }
    if (ours > 0)
        return;
    if (p->dir_count == 0) {
        err_set(&err, ERR_CONFIG, "no libsasl2 and no directory of its plugins is found");
        err_hint(&err, "install libsasl2 (Debian: libsasl2-modules), then the plugin");
    } else {
        err_set(&err, ERR_CONFIG, "libmailbearer.so is not where libsasl2 looks: %s",
                directories(p, dirs));
        err_hint(&err, "make install SASL_PLUGIN_DIR=%.300s", p->dirs[0]);
    }
    report_failure(report, &err);
}
