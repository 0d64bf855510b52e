/* postfix_tables.c - see postfix_tables.h. */
#include "postfix_tables.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/run_program.h"

#define POSTMAP_MS 5000

/* The types that are files, and what postmap appends to the path for its own. */
static const struct file_type {
    const char *name;
    const char *suffix; /* "": read as it is */
    bool dumps;
} file_types[] = {
    {"hash", ".db", true},  {"btree", ".db", true}, {"lmdb", ".lmdb", true},
    {"cdb", ".cdb", true},  {"dbm", ".pag", true},  {"sdbm", ".pag", true},
    {"texthash", "", true}, {"regexp", "", false},  {"pcre", "", false},
    {"cidr", "", false},
};

static const struct file_type *
file_type(const struct postfix_table *table)
{
    for (size_t i = 0; i < sizeof file_types / sizeof file_types[0]; i++)
        if (strcmp(file_types[i].name, table->type) == 0)
            return &file_types[i];
    return NULL;
}

bool
table_parse(const char *word, size_t len, struct postfix_table *table_r)
{
    struct postfix_table *t = table_r;
    const char *colon;

    memset(t, 0, sizeof *t);

    if (len > 6 && memcmp(word, "proxy:", 6) == 0) {
        t->proxied = true;
        word += 6;
        len -= 6;
    }
    colon = memchr(word, ':', len);
    if (colon == NULL || len >= sizeof t->text ||
        (size_t)(colon - word) >= sizeof t->type)
        return false;
    memcpy(t->text, word, len);
    memcpy(t->type, word, (size_t)(colon - word));
    t->rest = t->text + (colon - word) + 1;
    return true;
}

void
table_clear(struct postfix_table *table)
{
    explicit_bzero(table, sizeof *table);
}

void
table_label(const struct postfix_table *table, char label_r[POSTFIX_LABEL_MAX])
{
    /* A pipemap or unionmap may have such a table in its braces. */
    bool hidden = strcmp(table->type, "static") == 0 ||
                  strcmp(table->type, "inline") == 0 || strchr(table->text, '{') != NULL;

    snprintf(label_r, POSTFIX_LABEL_MAX, "%s", hidden ? table->type : table->text);
}

bool
table_file(const struct postfix_table *table, char path_r[POSTFIX_PATH_MAX],
           bool *built_r)
{
    const struct file_type *type = file_type(table);

    if (type == NULL)
        return false;
    snprintf(path_r, POSTFIX_PATH_MAX, "%s%s", table->rest, type->suffix);
    *built_r = type->suffix[0] != '\0';
    return true;
}

enum table_problem
table_look(const struct postfix_table *table)
{
    char path[POSTFIX_PATH_MAX];
    struct stat made, source;
    bool built;

    if (!table_file(table, path, &built))
        return TABLE_FINE;
    if (stat(path, &made) != 0) {
        if (errno == EACCES)
            return TABLE_DENIED;
        return built && stat(table->rest, &source) == 0 ? TABLE_NOT_BUILT : TABLE_ABSENT;
    }
    if (access(path, R_OK) != 0)
        return TABLE_DENIED;
    if (built && stat(table->rest, &source) == 0 && source.st_mtime > made.st_mtime)
        return TABLE_STALE;
    return made.st_size > (off_t)TABLE_LISTED_MAX ? TABLE_LARGE : TABLE_FINE;
}

static bool
others_read(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && (st.st_mode & S_IROTH) != 0;
}

bool
table_is_open(const struct postfix_table *table)
{
    char path[POSTFIX_PATH_MAX];
    bool built;

    return table_file(table, path, &built) &&
           (others_read(path) || (built && others_read(table->rest)));
}

bool
table_socket(const struct postfix_table *table, char path_r[POSTFIX_PATH_MAX],
             char name_r[POSTFIX_NAME_MAX])
{
    const char *path = table->rest + strlen("unix:"), *colon;

    if (strcmp(table->type, "socketmap") != 0 ||
        strncmp(table->rest, "unix:", strlen("unix:")) != 0 ||
        (colon = strrchr(path, ':')) == NULL || path[0] != '/' ||
        strlen(colon + 1) >= POSTFIX_NAME_MAX)
        return false;
    snprintf(path_r, POSTFIX_PATH_MAX, "%.*s", (int)(colon - path), path);
    snprintf(name_r, POSTFIX_NAME_MAX, "%s", colon + 1);
    return true;
}

/* postmap [-c DIR] OPTION [KEY] TABLE */
static int
postmap(const struct postfix_tools *tools, const char *option, const char *key,
        const char *table, struct secret *out, struct err *err)
{
    char words[4][POSTFIX_LABEL_MAX] = {"-c", "", "", ""};
    char dir[POSTFIX_PATH_MAX], path[POSTFIX_PATH_MAX];
    char *argv[8];
    struct program program = {.name = "postmap",
                              .input = -1,
                              .output = out,
                              .deadline_ms = POSTMAP_MS,
                              .silent = true};
    int n = 0, left = deadline_left(tools->deadline);

    if (left < POSTMAP_MS)
        program.deadline_ms = left;
    snprintf(path, sizeof path, "%s", tools->postmap);
    argv[n++] = path;
    if (tools->config_dir != NULL) {
        snprintf(dir, sizeof dir, "%s", tools->config_dir);
        argv[n++] = words[0];
        argv[n++] = dir;
    }
    snprintf(words[1], sizeof words[1], "%s", option);
    argv[n++] = words[1];
    if (key != NULL) {
        snprintf(words[2], sizeof words[2], "%s", key);
        argv[n++] = words[2];
    }
    snprintf(words[3], sizeof words[3], "%s", table);
    argv[n++] = words[3];
    argv[n] = NULL;
    program.argv = argv;
    secret_clear(out);
    out->max = key == NULL ? 2 * TABLE_LISTED_MAX : TABLE_OUTPUT_MAX;
    return run_program(&program, err);
}

int
table_lookup(const struct postfix_tools *tools, const struct postfix_table *table,
             const char *key, struct secret *value_r, struct err *err)
{
    int r;

    if (strcmp(table->type, "static") == 0)
        return static_lookup(table->rest, value_r);
    if (strcmp(table->type, "inline") == 0) {
        r = inline_lookup(table->rest, key, value_r);
        return r == 0 || r == ERR_NOACCOUNT
                   ? r
                   : err_set(err, r, "an inline table that cannot be understood");
    }
    r = postmap(tools, "-q", key, table->text, value_r, err);
    if (r == ERR_TEMP)
        return ERR_NOACCOUNT;
    if (r == 0 && value_r->len > 0 && value_r->data[value_r->len - 1] == '\n')
        value_r->data[--value_r->len] = '\0';
    return r;
}

bool
table_can_dump(const struct postfix_table *table)
{
    const struct file_type *type = file_type(table);

    return type != NULL && type->dumps;
}

int
table_dump(const struct postfix_tools *tools, const struct postfix_table *table,
           struct secret *text_r, struct err *err)
{
    int r = postmap(tools, "-s", NULL, table->text, text_r, err);

    if (r == 0 && text_r->len > 0 && memchr(text_r->data, '\0', text_r->len) != NULL) {
        secret_clear(text_r);
        return err_set(err, ERR_PROTOCOL, "postmap printed a NUL");
    }
    return r;
}

bool
table_next(char **at, char **key_r, char **value_r)
{
    while (*at != NULL && **at != '\0') {
        char *line = *at, *tab;
        size_t len = strcspn(line, "\n");

        *at = line[len] == '\n' ? line + len + 1 : line + len;
        line[len] = '\0';
        if ((tab = strchr(line, '\t')) == NULL)
            continue;
        *tab = '\0';
        *key_r = line;
        *value_r = tab + 1;
        return true;
    }
    return false;
}
