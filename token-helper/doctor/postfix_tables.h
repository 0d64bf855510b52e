/* postfix_tables.h - ask Postfix's tables, and look at their files.
 *
 * Used by:  postfix_gather.c
 * Includes: doctor/, base/, client/.
 *
 * Most are asked by postmap(1). Not the three whose text or answer may be a secret in
 * itself: `static` and `inline` are taken apart here, a socketmap that is the agent is
 * asked as smtp(8) would ask it.
 */
#ifndef MAILBEARER_POSTFIX_TABLES_H
#define MAILBEARER_POSTFIX_TABLES_H

#include "postfix_as.h"
#include "postfix_facts.h"

#define TABLE_OUTPUT_MAX ((size_t)1024 * 1024)
#define TABLE_LISTED_MAX ((size_t)8 * 1024 * 1024) /* of a file; larger: TABLE_LARGE */

/* One of a list of tables, as main.cf has it: TYPE:REST, maybe behind "proxy:". */
struct postfix_table {
    char text[POSTFIX_LABEL_MAX]; /* without proxy: */
    const char *rest;             /* in text, behind the colon */
    char type[32];
    bool proxied;
};

/* False: no colon, or too long. */
bool table_parse(const char *word, size_t len, struct postfix_table *table_r);

/* Wipes: a static table's text may be a password. */
void table_clear(struct postfix_table *table);

/* How findings call it: TYPE:REST, but TYPE alone where REST may be a password. */
void table_label(const struct postfix_table *table, char label_r[POSTFIX_LABEL_MAX]);

/* The file postmap(1) made (PATH.db) or, where none is made, the source; false: this type
 * is no file. *built_r: there is a source as well, PATH. */
bool table_file(const struct postfix_table *table, char path_r[POSTFIX_PATH_MAX],
                bool *built_r);

/* Are the files there, fresh, and may they be read? */
enum table_problem table_look(const struct postfix_table *table);

/* May others read it or its source? */
bool table_is_open(const struct postfix_table *table);

/* The agent as a table: "unix:PATH:NAME" of a socketmap, cut in two. */
bool table_socket(const struct postfix_table *table, char path_r[POSTFIX_PATH_MAX],
                  char name_r[POSTFIX_NAME_MAX]);

/* How to run postmap(1). */
struct postfix_tools {
    char postmap[POSTFIX_PATH_MAX];
    const char *config_dir; /* NULL: the default */
    const struct deadline *deadline;
};

/* Not for a socketmap of the agent's. 0 and *value_r; ERR_NOACCOUNT: no such key (or
 * postmap failed: it does not tell which, so ask table_look() first); ERR_TIMEOUT,
 * ERR_TEMP (postmap cannot be run), ERR_NOMEM, ERR_CONFIG (an inline table that cannot be
 * understood). */
int table_lookup(const struct postfix_tools *tools, const struct postfix_table *table,
                 const char *key, struct secret *value_r, struct err *err);

/* All of it, a line an entry: key, tab, value. For types that can list theirs. Returns as
 * table_lookup(). */
int table_dump(const struct postfix_tools *tools, const struct postfix_table *table,
               struct secret *text_r, struct err *err);
bool table_can_dump(const struct postfix_table *table);

/* The next line of what table_dump() gave, cut into key and value. */
bool table_next(char **at, char **key_r, char **value_r);

#endif
