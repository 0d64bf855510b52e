/* render.c - see render.h. */
#include "render.h"

#include <stdbool.h>
#include <string.h>

#include "quote.h"

#define DEPTH_MAX 6 /* as make-templates.awk has it */

struct rendering {
    const struct setup_template *template;
    const struct setup_values *values;
    struct secret out;
    bool open[DEPTH_MAX]; /* each open @if: its condition holds in this branch */
    int depth;
};

const struct setup_template *
render_find(const char *name)
{
    for (size_t i = 0; i < setup_template_count; i++)
        if (strcmp(setup_templates[i].name, name) == 0)
            return &setup_templates[i];
    return NULL;
}

static bool
starts(const char *line, size_t len, const char *what)
{
    size_t n = strlen(what);

    return len >= n && memcmp(line, what, n) == 0;
}

/* make-templates.awk lets none of these through. */
static int
malformed(const struct rendering *job, const char *line, size_t len, struct err *err)
{
    return err_set(err, ERR_CONFIG, "the template %s is malformed: %.*s",
                   job->template->name, (int)len, line);
}

/* Takes @if, @else@ and @end@; *taken_r tells whether the line was one. */
static int
take_condition(struct rendering *job, const char *line, size_t len, bool *taken_r,
               struct err *err)
{
    bool negated = starts(line, len, "@if not ");
    size_t skip = negated ? strlen("@if not ") : strlen("@if ");
    enum setup_name name;

    *taken_r = true;
    if (len > skip && starts(line, len, "@if ") && line[len - 1] == '@') {
        name = setup_name_find(line + skip, len - skip - 1);
        if (name == SETUP_NAME_COUNT || job->depth == DEPTH_MAX)
            return malformed(job, line, len, err);
        job->open[job->depth++] = (job->values->value[name].len > 0) != negated;
    } else if (len == 6 && starts(line, len, "@else@") && job->depth > 0) {
        job->open[job->depth - 1] = !job->open[job->depth - 1];
    } else if (len == 5 && starts(line, len, "@end@") && job->depth > 0) {
        job->depth--;
    } else {
        *taken_r = false;
    }
    return 0;
}

static bool
is_printed(const struct rendering *job)
{
    for (int i = 0; i < job->depth; i++)
        if (!job->open[i])
            return false;
    return true;
}

/* The length of the @NAME@ or @NAME:kind@ at `text`; 0 when an @ is only itself. */
static size_t
reference_length(const char *text, size_t len)
{
    size_t n = 1;

    if (len < 3 || text[1] < 'A' || text[1] > 'Z')
        return 0;
    while (n < len && ((text[n] >= 'A' && text[n] <= 'Z') || text[n] == '_' ||
                       (text[n] >= '0' && text[n] <= '9')))
        n++;
    if (n < len && text[n] == ':')
        for (n++; n < len && text[n] >= 'a' && text[n] <= 'z';)
            n++;
    return n < len && text[n] == '@' ? n + 1 : 0;
}

/* The value cannot be written there: `why` tells which character prevents it. */
static int
unwritable(const struct rendering *job, enum setup_name name, const struct err *why,
           struct err *err)
{
    const struct secret *value = &job->values->value[name];
    char shown[200];
    size_t len = value->len < sizeof shown ? value->len : sizeof shown - 1;

    memcpy(shown, value->data, len);
    for (size_t i = 0; i < len; i++)
        if (shown[i] == '\0') /* between a command's words */
            shown[i] = ' ';
    shown[len] = '\0';
    err_set(err, why->code, "%s: %s (%s) %s", job->template->name, setup_name_text(name),
            shown, why->text);
    err_hint(err, "%s",
             name == SETUP_USER ? "this program cannot have that name to sign in with"
                                : "give the account a plainer name, and its mailbox as "
                                  "`user`; -c takes a plainer path");
    return why->code;
}

static int
append_value(struct rendering *job, enum setup_name name, const char *kind,
             struct err *err)
{
    const struct secret *value = &job->values->value[name];
    struct err why = ERR_INIT;

    if (value->len == 0)
        return err_set(err, ERR_CONFIG, "%s needs %s, which this account has not",
                       job->template->name, setup_name_text(name));
    if (quote_append(kind, value->data, value->len, &job->out, &why) == 0)
        return 0;
    if (why.code == ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "out of memory");
    return unwritable(job, name, &why, err);
}

/* @NAME@ or @NAME:kind@, `len` characters in all. */
static int
append_reference(struct rendering *job, const char *text, size_t len, struct err *err)
{
    const char *colon = memchr(text, ':', len);
    size_t name_len = (colon == NULL ? len - 1 : (size_t)(colon - text)) - 1;
    enum setup_name name = setup_name_find(text + 1, name_len);
    char kind[16] = "";

    if (name == SETUP_NAME_COUNT)
        return malformed(job, text, len, err);
    if (colon == NULL)
        return append_value(job, name, job->template->quoting, err);
    if (len - name_len - 3 >= sizeof kind)
        return malformed(job, text, len, err);
    memcpy(kind, colon + 1, len - name_len - 3);
    return append_value(job, name, kind, err);
}

static int
append_line(struct rendering *job, const char *line, size_t len, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < len;) {
        size_t n = line[i] == '@' ? reference_length(line + i, len - i) : 0;

        if (n > 0)
            r = append_reference(job, line + i, n, err);
        else if ((r = secret_append_char(&job->out, line[i])) != 0)
            err_set(err, r, "out of memory");
        i += n > 0 ? n : 1;
    }
    if (r == 0 && (r = secret_append_char(&job->out, '\n')) != 0)
        err_set(err, r, "out of memory");
    return r;
}

int
render(const struct setup_template *template, const struct setup_values *values,
       struct secret *out, struct err *err)
{
    struct rendering job = {.template = template, .values = values};
    const char *line = template->text;
    int r = 0;

    while (r == 0 && *line != '\0') {
        size_t len = strcspn(line, "\n");
        bool condition;

        r = take_condition(&job, line, len, &condition, err);
        if (r == 0 && !condition && is_printed(&job))
            r = append_line(&job, line, len, err);
        line += len + (line[len] == '\n');
    }
    if (r == 0 && (r = secret_append(out, job.out.data, job.out.len)) != 0)
        err_set(err, r, "out of memory");
    secret_clear(&job.out);
    return r;
}
