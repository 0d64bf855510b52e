/* setup_values.h - what the names in a template stand for.
 *
 * Used by:  render.c, front/cmd_setup.c
 * Includes: accounts/, base/, client/.
 */
#ifndef MAILBEARER_SETUP_VALUES_H
#define MAILBEARER_SETUP_VALUES_H

#include <stdbool.h>

#include "../accounts/accounts.h"

enum setup_name {
#define SETUP_NAME(name) SETUP_##name,
#include "names.def"
    SETUP_NAME_COUNT
};

/* A value that is not set is empty. A command's words have a NUL between them. None is a
 * secret; a struct secret is a buffer that grows. */
struct setup_values {
    struct secret value[SETUP_NAME_COUNT];
};

/* The name of that many characters, or SETUP_NAME_COUNT. */
enum setup_name setup_name_find(const char *text, size_t len);
const char *setup_name_text(enum setup_name name);

/* What is known without asking anybody about servers. Texts are borrowed. */
struct setup_account {
    const char *name;
    const char *config;   /* what -c gave, or NULL */
    const char *file;     /* the accounts file that has it */
    bool system;          /* which is the system's */
    const char *delegate; /* who signs in for a mailbox not theirs, or NULL */
    const char *sender;   /* an account for the delegate's own mailbox, or NULL */
};

/* Sets ACCOUNT, the commands, the paths, DELEGATE, SENDER, LOGIN, HOME and ALLOW. The
 * programs are those beside this one, else the installed ones. 0, ERR_NOMEM, or
 * ERR_CONFIG: the file that -c named cannot be found. */
int setup_values_account(struct setup_values *values, const struct setup_account *account,
                         struct err *err);

/* Sets what `text` tells, the JSON of `mailbearer upstream`: USER, the server's names,
 * and what follows from them. 0, ERR_NOMEM, ERR_PROTOCOL (not that JSON). */
int setup_values_server(struct setup_values *values, enum protocol protocol,
                        const char *text, size_t len, struct err *err);

/* Sets one to a single word, or leaves it unset when `text` is NULL. 0 or ERR_NOMEM. */
int setup_value_set(struct setup_values *values, enum setup_name name, const char *text);

void setup_values_clear(struct setup_values *values);

#endif
