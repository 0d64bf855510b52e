/* conf_file.h - accounts files for unit tests, in a temporary directory of their own. */
#ifndef MAILBEARER_TEST_CONF_FILE_H
#define MAILBEARER_TEST_CONF_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "accounts/accounts.h"

/* Group set-up and tear-down: makes the directory and goes there, goes back and removes
 * it with all that is in it. */
int conf_setup(void **state);
int conf_teardown(void **state);

/* Writes a file there, replacing it; fails the test if it cannot. */
void conf_write_bytes(const char *name, const void *bytes, size_t len, mode_t mode);
void conf_write(const char *name, const char *text);

/* conf_write() to "input.conf" and accounts_read(): fails the test unless it is accepted.
 */
struct accounts *conf_accept(const char *text);

/* The same for a text that must be refused with ERR_CONFIG; `line` is "text -> hint". */
void conf_refuse(const char *text, const char *line);

#endif
