/* cmd_doctor.c - `mailbearer doctor`: the options; the checks are in doctor/. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "../base/complain.h"
#include "../doctor/doctor.h"
#include "commands.h"

static const char help_text[] =
    "usage: mailbearer doctor ACCOUNT [--smtp] [--imap] [--pop3] [--send-to ADDRESS]\n"
    "                         [--format text|json]\n"
    "       mailbearer doctor --postfix [--config-dir DIRECTORY] [--format text|json]\n"
    "\n"
    "Checks everything and says what is wrong and what mends it. The exit status is\n"
    "that of the first failure.\n"
    "\n"
    "  --smtp, --imap, --pop3   sign in at these servers only\n"
    "  --send-to ADDRESS        also send one message there; without it none is sent\n"
    "  --postfix                check how Postfix is set up to use mailbearer\n"
    "  --config-dir DIRECTORY   of this Postfix (default: MAIL_CONFIG, else its own)\n"
    "  --format text|json       json: one object, {\"findings\": [...], \"status\": N}\n"
    "\n"
    "A -c FILE before the command names the accounts file.\n";

struct options {
    struct doctor_request account;
    struct doctor_postfix_request postfix;
    bool wants_postfix, wants_account; /* something was given that belongs to it */
    enum report_format format;
};

static int
take_format(struct options *o, const char *value, struct err *err)
{
    if (strcmp(value, "text") == 0)
        o->format = REPORT_TEXT;
    else if (strcmp(value, "json") == 0)
        o->format = REPORT_JSON;
    else
        return err_set(err, ERR_USAGE, "unknown format: %s", value);
    return 0;
}

/* An option without a value; false: there is none of that name. */
static bool
take_flag(struct options *o, const char *name)
{
    bool *flag = strcmp(name, "--smtp") == 0   ? &o->account.smtp
                 : strcmp(name, "--imap") == 0 ? &o->account.imap
                 : strcmp(name, "--pop3") == 0 ? &o->account.pop3
                                               : NULL;

    if (flag != NULL)
        *flag = o->wants_account = true;
    else if (strcmp(name, "--postfix") == 0)
        o->wants_postfix = true;
    else
        return false;
    return true;
}

static int
take_value(struct options *o, const char *name, const char *value, struct err *err)
{
    bool known = strcmp(name, "--format") == 0 || strcmp(name, "--send-to") == 0 ||
                 strcmp(name, "--config-dir") == 0;

    if (!known)
        return err_set(err, ERR_USAGE, "unknown option: %s", name);
    if (value == NULL || value[0] == '\0')
        return err_set(err, ERR_USAGE, "%s needs a value", name);
    if (strcmp(name, "--format") == 0)
        return take_format(o, value, err);
    if (strcmp(name, "--send-to") == 0) {
        o->account.send_to = value;
        o->wants_account = true;
    } else {
        o->postfix.config_dir = value;
    }
    return 0;
}

static int
take_name(struct options *o, const char *name, struct err *err)
{
    if (o->account.account != NULL)
        return err_set(err, ERR_USAGE, "one account at a time");
    o->account.account = name;
    o->wants_account = true;
    return 0;
}

static int
parse(struct options *o, int argc, char **argv, struct err *err)
{
    bool names_only = false;
    int r = 0;

    for (int i = 1; r == 0 && i < argc; i++) {
        if (names_only || argv[i][0] != '-')
            r = take_name(o, argv[i], err);
        else if (strcmp(argv[i], "--") == 0)
            names_only = true;
        else if (!take_flag(o, argv[i])) {
            r = take_value(o, argv[i], argv[i + 1], err);
            i++;
        }
    }
    if (r != 0)
        return r;
    if (o->wants_postfix && o->wants_account)
        return err_set(err, ERR_USAGE, "--postfix goes with no account and its options");
    if (!o->wants_postfix && o->postfix.config_dir != NULL)
        return err_set(err, ERR_USAGE, "--config-dir goes with --postfix");
    if (!o->wants_postfix && o->account.account == NULL)
        return err_set(err, ERR_USAGE, "which account? or --postfix");
    return 0;
}

int
cmd_doctor(const char *config, int argc, char **argv)
{
    struct options o = {.account.config = config, .postfix.config = config};
    struct report report;
    struct err err = ERR_INIT;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help_text, stdout);
        return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
    }
    if (parse(&o, argc, argv, &err) != 0) {
        err_hint(&err, "see: mailbearer doctor --help");
        return complain("doctor", &err);
    }
    report_begin(&report, stdout, o.format);
    if (o.wants_postfix)
        doctor_postfix(&o.postfix, &report);
    else
        doctor_account(&o.account, &report);
    return report_end(&report);
}
