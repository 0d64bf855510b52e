/* The only user of libconfuse: the text of one accounts file becomes struct raw. */
#include <confuse.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "parse.h"
#include "values.h"

/* One file being parsed. */
struct parse {
    struct raw *raw;
    size_t file;
    const cfg_t *root;
    const struct guard *guard;
    size_t sections_seen, secrets_seen;
    bool in_section;
    struct raw_section section; /* being collected */
    struct err *err;
    int result;
};

/* libconfuse hands its callbacks nothing of ours, and its scanner is static as well. */
static struct parse *current;

static const char *
current_path(void)
{
    return current->raw->file[current->file].file.path;
}

/* --- what libconfuse calls */

static enum section
section_kind(cfg_t *cfg)
{
    int kind = word_find(raw_section_names, SECTION_COUNT, cfg_name(cfg));

    return kind >= 0 ? (enum section)kind : SECTION_ACCOUNT;
}

/* A section begins with its first value, or ends without one. */
static int
begin_section(cfg_t *cfg)
{
    struct raw_section *s = &current->section;

    if (current->in_section)
        return 0;
    if (current->sections_seen == current->guard->section_count)
        return config_error(current->err, current_path(), cfg->line, "syntax error");
    s->kind = section_kind(cfg);
    s->file = current->file;
    s->line = current->guard->section_line[current->sections_seen++];
    if (cfg_title(cfg) != NULL && (s->title = strdup(cfg_title(cfg))) == NULL)
        return config_nomem(current->err);
    current->in_section = true;
    return 0;
}

/* The next client secret, which libconfuse has only seen crossed out. */
static int
collect_secret(int line)
{
    const struct guard *guard = current->guard;
    const struct secret *value;

    if (current->secrets_seen == guard->secret_count ||
        guard->secret[current->secrets_seen].line != line)
        return config_error(current->err, current_path(), line, "syntax error");
    value = &guard->secret[current->secrets_seen++].value;
    if (secret_set(&current->section.client_secret, value->data, value->len) != 0)
        return config_nomem(current->err);
    return 0;
}

static int
collect_value(cfg_t *cfg, const cfg_opt_t *opt, const char *text)
{
    struct raw_key *key = NULL;
    int r;

    /* "defaults|user = x" would be taken for a way to a key. */
    if (cfg == current->root)
        return config_error(current->err, current_path(), cfg->line,
                            "`%s` cannot be reached by `|`", opt->name);
    if ((r = begin_section(cfg)) != 0)
        return r;
    for (size_t k = 0; k < KEY_COUNT && key == NULL; k++)
        if (strcmp(raw_keys[k].name, opt->name) == 0)
            key = &current->section.key[k];
    if (key == NULL)
        return config_error(current->err, current_path(), cfg->line, "syntax error");
    /* libconfuse would let the later value replace the earlier one. */
    if (key->line != 0 && opt->nvalues == 1)
        return config_error(current->err, current_path(), cfg->line,
                            "`%s` was given before, on line %d", opt->name, key->line);
    if (key->line == 0)
        key->line = cfg->line;
    if (key == &current->section.key[KEY_CLIENT_SECRET] &&
        (r = collect_secret(cfg->line)) != 0)
        return r;
    return raw_key_add(key, text) == 0 ? 0 : config_nomem(current->err);
}

static int
on_value(cfg_t *cfg, cfg_opt_t *opt, const char *text, void *result)
{
    current->result = collect_value(cfg, opt, text);
    *(const char **)result = ""; /* libconfuse need not keep a copy */
    return current->result == 0 ? 0 : -1;
}

/* `key = {}` reaches no callback: libconfuse only marks the option. */
static int
collect_empty_lists(cfg_t *cfg)
{
    for (size_t k = 0; k < KEY_COUNT; k++) {
        struct raw_key *key = &current->section.key[k];
        const cfg_opt_t *opt;

        if (!raw_keys[k].list ||
            (raw_keys[k].sections & 1u << current->section.kind) == 0)
            continue;
        opt = cfg_getopt(cfg, raw_keys[k].name);
        if (opt == NULL || (opt->flags & CFGF_MODIFIED) == 0 || opt->nvalues > 0)
            continue;
        if (key->line != 0)
            return config_error(current->err, current_path(), key->line,
                                "`%s` is given again, with an empty list",
                                raw_keys[k].name);
        key->line = current->section.line;
    }
    return 0;
}

/* A section is complete. It is taken out of libconfuse, which otherwise compares each new
 * title with all before it. */
static int
on_section(cfg_t *cfg, cfg_opt_t *opt)
{
    cfg_t *section = cfg_opt_getnsec(opt, 0);
    int r;

    if (section == NULL)
        return -1;
    if ((r = begin_section(section)) == 0 && (r = collect_empty_lists(section)) == 0 &&
        raw_add_section(current->raw, &current->section) != 0)
        r = config_nomem(current->err);
    current->in_section = false;
    current->result = r;
    (void)cfg;
    return r == 0 && cfg_opt_rmnsec(opt, 0) == CFG_SUCCESS ? 0 : -1;
}

/* Only noted here: libconfuse's own include leaks a descriptor when the included file has
 * an error, and after ten of those refuses to include at all. */
static int
on_include(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
    struct err reason = ERR_INIT;
    char *path = NULL;
    int r;

    (void)opt;
    if (argc != 1)
        r = config_error(current->err, current_path(), cfg->line,
                         "include() takes one file name");
    else if ((r = value_beside(argv[0], current_path(), &path, &reason)) != 0)
        r = config_error(current->err, current_path(), cfg->line, "include(): %s",
                         reason.text);
    else if (current->raw->file_count == PARSE_FILES_MAX)
        r = config_error(current->err, current_path(), cfg->line,
                         "more than %d files are included", PARSE_FILES_MAX - 1);
    else if (raw_add_file(current->raw, path, current->file, cfg->line) != 0)
        r = config_nomem(current->err);
    else
        path = NULL;
    free(path);
    current->result = r;
    return r == 0 ? 0 : -1;
}

/* The text of libconfuse is not shown: it would follow the locale if a program set one.
 * It is only compared, to tell the few errors apart that guard_text() leaves. */
static void
on_error(cfg_t *cfg, const char *format, va_list args)
{
    enum { OPTION, PATH, EQUAL, BRACE, TITLE, TOKEN, PARENTHESIS, END };
    static const char *const formats[] = {
        [OPTION] = "no such option '%s'",
        [PATH] = "no sub-section title/index for '%s'",
        [EQUAL] = "missing equal sign after option '%s'",
        [BRACE] = "missing opening brace for section '%s'",
        [TITLE] = "missing title for section '%s'",
        [TOKEN] = "unexpected token '%s'",
        [PARENTHESIS] = "missing parenthesis for function '%s'",
        [END] = "premature end of file",
    };
    int which = word_find(formats, sizeof(formats) / sizeof(*formats), format);
    const char *word = which >= 0 && which < END ? va_arg(args, const char *) : "";
    struct err *err = current->err;
    const char *path = current_path();

    if (current->result != 0)
        return;
    if (which == OPTION)
        cfg == current->root
            ? config_unknown_section(err, path, cfg->line, word)
            : config_unknown_key(err, path, cfg->line, section_kind(cfg), word);
    else if (which == PATH)
        config_error(err, path, cfg->line, "`%s` cannot be followed by `|`", word);
    else if (which == EQUAL)
        config_error(err, path, cfg->line, "`%s` is not followed by `= value`", word);
    else if (which == BRACE)
        config_error(err, path, cfg->line, "section `%s` does not open with `{`", word);
    else if (which == TITLE)
        config_error(err, path, cfg->line, "section `%s` needs a name: %s \"NAME\" {",
                     word, word);
    else if (which == TOKEN)
        config_error(err, path, cfg->line, "`%s` does not fit here", word);
    else if (which == PARENTHESIS)
        config_error(err, path, cfg->line, "write include(\"FILE\")");
    else if (which == END)
        config_error(err, path, cfg->line, "the file ends in the middle of something");
    else
        config_error(err, path, cfg->line, "syntax error");
    current->result = ERR_CONFIG;
}

/* --- calling it */

static void
make_options(enum section kind, cfg_opt_t options[KEY_COUNT + 1])
{
    size_t n = 0;

    for (size_t k = 0; k < KEY_COUNT; k++) {
        const char *name = raw_keys[k].name;

        if ((raw_keys[k].sections & 1u << kind) == 0)
            continue;
        if (raw_keys[k].list)
            options[n++] =
                (cfg_opt_t)CFG_STR_LIST_CB(name, NULL, CFGF_NODEFAULT, on_value);
        else
            options[n++] = (cfg_opt_t)CFG_STR_CB(name, NULL, CFGF_NODEFAULT, on_value);
    }
    options[n] = (cfg_opt_t)CFG_END();
}

static cfg_t *
make_parser(void)
{
    static const cfg_flag_t flags[SECTION_COUNT] = {
        [SECTION_ACCOUNT] = CFGF_MULTI | CFGF_TITLE,
        [SECTION_DEFAULTS] = CFGF_MULTI,
        [SECTION_PROVIDER] = CFGF_MULTI | CFGF_TITLE,
        [SECTION_AGENT] = CFGF_MULTI,
        [SECTION_STORE] = CFGF_MULTI,
    };
    cfg_opt_t keys[SECTION_COUNT][KEY_COUNT + 1];
    cfg_opt_t sections[SECTION_COUNT + 2];
    cfg_t *cfg;

    for (int i = 0; i < SECTION_COUNT; i++) {
        make_options((enum section)i, keys[i]);
        sections[i] = (cfg_opt_t)CFG_SEC(raw_section_names[i], keys[i], flags[i]);
        sections[i].validcb = on_section;
    }
    sections[SECTION_COUNT] = (cfg_opt_t)CFG_FUNC("include", on_include);
    sections[SECTION_COUNT + 1] = (cfg_opt_t)CFG_END();
    if ((cfg = cfg_init(sections, CFGF_NONE)) != NULL) /* copies the options */
        cfg_set_error_function(cfg, on_error);
    return cfg;
}

int
parse_text(struct secret *text, struct raw *raw, size_t file, struct err *err)
{
    struct guard guard = GUARD_INIT;
    struct parse parse = {.raw = raw, .file = file, .guard = &guard, .err = err};
    cfg_t *cfg = NULL;
    FILE *in = NULL;
    int r;

    if ((r = guard_text(text->data, text->len, raw->file[file].file.path, &guard, err)) !=
        0)
        goto out;
    r = config_nomem(err);
    if ((cfg = make_parser()) == NULL ||
        (in = fmemopen(text->data, text->len, "r")) == NULL)
        goto out;
    parse.root = cfg;
    current = &parse;
    r = cfg_parse_fp(cfg, in) == CFG_SUCCESS ? 0 : ERR_CONFIG;
    current = NULL;
    if (r != 0 && parse.result != 0)
        r = parse.result;
    else if (r != 0) /* it has an error function for everything but this */
        r = config_nomem(err);
out:
    raw_section_clear(&parse.section);
    if (cfg != NULL)
        cfg_free(cfg);
    if (in != NULL)
        fclose(in);
    guard_clear(&guard);
    return r;
}
