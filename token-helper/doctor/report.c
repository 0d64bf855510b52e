/* report.c - see report.h. */
#include "report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#define RESET "\033[0m"

static const struct mark {
    const char *name; /* in JSON */
    const char *utf8;
    const char *ascii; /* as wide as each other */
    const char *colour;
} marks[REPORT_LEVELS] = {
    [REPORT_OK] = {"ok", "\xe2\x9c\x93", "ok  ", "\033[32m"},
    [REPORT_NOTE] = {"note", "\xc2\xb7", "note", ""},
    [REPORT_WARNING] = {"warning", "!", "warn", "\033[33m"},
    [REPORT_FAILURE] = {"failure", "\xe2\x9c\x97", "FAIL", "\033[31m"},
};

/* The variable's value; NULL when it is unset or empty. */
static const char *
variable(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* The name of the locale is asked, not the locale: what a terminal shows does not depend
 * on which locales are installed here. */
static bool
shows_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = variable(names[i]);

        if (value != NULL)
            return strcasestr(value, "utf-8") != NULL ||
                   strcasestr(value, "utf8") != NULL;
    }
    return false;
}

static bool
shows_colour(FILE *out)
{
    const char *term = getenv("TERM");
    int fd = fileno(out);

    return fd >= 0 && isatty(fd) && variable("NO_COLOR") == NULL && term != NULL &&
           strcmp(term, "dumb") != 0;
}

void
report_begin(struct report *report, FILE *out, enum report_format format)
{
    memset(report, 0, sizeof *report);
    report->out = out;
    report->format = format;
    report->colour = format == REPORT_TEXT && shows_colour(out);
    report->utf8 = shows_utf8();
    report->check = "";
    if (format == REPORT_JSON)
        report->broken = (report->json = json_new()) == NULL;
}

void
report_check(struct report *report, const char *check)
{
    if (strcmp(report->check, check) != 0)
        report->headed = false;
    report->check = check;
}

static void
add_text(struct report *report, enum report_level level, const struct err *err)
{
    const struct mark *mark = &marks[level];
    bool colour = report->colour && mark->colour[0] != '\0';

    if (!report->headed) {
        fprintf(report->out, "%s\n", report->check);
        report->headed = true;
    }
    fprintf(report->out, "  %s%s%s %s\n", colour ? mark->colour : "",
            report->utf8 ? mark->utf8 : mark->ascii, colour ? RESET : "", err->text);
    if (err->hint[0] != '\0')
        fprintf(report->out, "      to mend it: %s\n", err->hint);
    fflush(report->out);
}

static void
add_json(struct report *report, enum report_level level, const struct err *err, int code)
{
    struct json *finding = json_new();

    if (finding == NULL || report->json == NULL ||
        json_put_string(finding, "check", report->check) != 0 ||
        json_put_string(finding, "level", marks[level].name) != 0 ||
        json_put_string(finding, "finding", err->text) != 0 ||
        json_put_string(finding, "remedy", err->hint) != 0 ||
        json_put_integer(finding, "code", code) != 0 ||
        json_append_object(report->json, "findings", &finding) != 0)
        report->broken = true;
    json_free(&finding);
}

/* For a failure that comes without one: who looks at it has at least where to begin. */
static const char *
remedy_of_kind(int code)
{
    switch (code) {
    case ERR_STORE:
        return "look at the state directory: room, modes, owner; then: mailbearer check";
    case ERR_CONFIG:
    case ERR_NOACCOUNT:
        return "correct the accounts file, or what it names; then: mailbearer check";
    case ERR_PROTOCOL:
        return "check host and port: something else may answer in its place";
    case ERR_TEMP:
    case ERR_TIMEOUT:
        return "try again; if it stays so, check the network and the agent's log";
    case ERR_NOAGENT:
        return "start the agent: mailbearer-agent(8)";
    case ERR_NOMEM:
        return "free some memory and try again";
    default:
        return "look into the agent's log: journalctl -u mailbearer";
    }
}

void
report_add(struct report *report, enum report_level level, const struct err *err)
{
    struct err clean = *err;
    int code = level >= REPORT_WARNING ? err_exit_status(err->code) : EX_OK;

    /* Most texts have been through err_set() and are clean; one put together by hand may
     * not be. */
    clean.text[ERR_TEXT_MAX - 1] = '\0';
    clean.hint[ERR_HINT_MAX - 1] = '\0';
    clean.text[err_clean(clean.text, strlen(clean.text))] = '\0';
    clean.hint[err_clean(clean.hint, strlen(clean.hint))] = '\0';
    if (level == REPORT_FAILURE && clean.hint[0] == '\0')
        err_hint(&clean, "%s", remedy_of_kind(err->code));
    report->count[level]++;
    if (level == REPORT_FAILURE && report->status == EX_OK)
        report->status = code;
    if (report->format == REPORT_JSON)
        add_json(report, level, &clean, code);
    else
        add_text(report, level, &clean);
}

/* Without a remedy. */
static void __attribute__((format(printf, 3, 0)))
add_formatted(struct report *report, enum report_level level, const char *format,
              va_list args)
{
    char text[ERR_TEXT_MAX];
    struct err err = ERR_INIT;

    if (vsnprintf(text, sizeof text, format, args) < 0)
        text[0] = '\0';
    err_set(&err, ERR_NONE, "%s", text);
    report_add(report, level, &err);
}

void
report_ok(struct report *report, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_formatted(report, REPORT_OK, format, args);
    va_end(args);
}

void
report_note(struct report *report, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_formatted(report, REPORT_NOTE, format, args);
    va_end(args);
}

void
report_warning(struct report *report, const struct err *err)
{
    report_add(report, REPORT_WARNING, err);
}

void
report_failure(struct report *report, const struct err *err)
{
    report_add(report, REPORT_FAILURE, err);
}

static void
end_text(const struct report *report)
{
    size_t failures = report->count[REPORT_FAILURE];
    size_t warnings = report->count[REPORT_WARNING];

    if (failures == 0 && warnings == 0)
        fputs("\nnothing wrong was found\n", report->out);
    else
        fprintf(report->out, "\n%zu failure%s, %zu warning%s\n", failures,
                failures == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
}

static void
end_json(struct report *report)
{
    struct secret text = SECRET_INIT;

    text.max = 4u * 1024u * 1024u;
    if (report->json == NULL ||
        json_put_integer(report->json, "status", report->status) != 0 ||
        json_write(report->json, true, &text) != 0)
        report->broken = true;
    else
        fputs(secret_str(&text), report->out);
    secret_clear(&text);
}

int
report_end(struct report *report)
{
    int status = report->status;

    if (report->format == REPORT_JSON)
        end_json(report);
    else
        end_text(report);
    json_free(&report->json);
    if (report->broken)
        status = EX_TEMPFAIL;
    if (fflush(report->out) != 0 || ferror(report->out))
        status = EX_IOERR;
    return status;
}
