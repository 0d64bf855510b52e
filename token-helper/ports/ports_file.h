/* ports_file.h - the file `ports`: who may use a local port as which account.
 *
 * Used by:  commands/cmd_passwd.c (writes), commands/check_ports.c, fetch-helper/ (read)
 * Includes: base/file.h, client/, libc.
 *
 *     # made by: mailbearer passwd
 *     ACCOUNT:HASH
 *
 * A hash has no colon, so the last one splits the line. It stands beside the accounts
 * file. The system's belongs to root and its group `mailbearer-fetch` may read it (0640);
 * anyone else's is readable by its owner alone.
 */
#ifndef MAILBEARER_PORTS_FILE_H
#define MAILBEARER_PORTS_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "../client/error.h"
#include "../client/secret.h"

#define PORTS_FILE_NAME "ports"
#define PORTS_FILE_GROUP "mailbearer-fetch"
#define PORTS_FILE_MAX (1024u * 1024u) /* bytes */

/* Puts the path of the file that belongs to this accounts file into path_r.
 * 0, ERR_CONFIG: it is too long. */
int ports_file_path(const char *accounts_file, char *path_r, size_t size,
                    struct err *err);

/* Reads all of it, after looking at owner and mode: a regular file of root's or of the
 * effective user, which others may neither read nor change, and a group only when root
 * gave it to mailbearer-fetch, and only read. 0; ERR_CONFIG: absent (with what makes it
 * as hint), not private, too large, or a line makes no sense (err names it); ERR_STORE;
 * ERR_NOMEM. On failure *text_r is empty. */
int ports_file_read(const char *path, struct secret *text_r, struct err *err);

/* Appends the account's hash to *hash_r, and to *like_r the first hash in the file: what
 * checking an account costs that has none. 0, also where there is none (*hash_r is then
 * empty); ERR_NOMEM. */
int ports_file_find(const struct secret *text, const char *account, struct secret *hash_r,
                    struct secret *like_r);

/* The accounts that have a line, one with each call; *at begins with 0. The name is
 * borrowed from the text, and has no end but *len_r. False: there is no other. */
bool ports_file_next(const struct secret *text, size_t *at, const char **name_r,
                     size_t *len_r);

/* Sets the account's line, or with hash NULL removes it. The file is replaced as a whole
 * (temporary file, fsync, rename) under a lock on its folder; the other lines, its mode
 * and its owner stay. A new file is 0600, or 0640 for the group mailbearer-fetch when
 * root makes it and the group is there. *found_r tells whether the account had a line.
 * 0; ERR_USAGE: the name cannot stand in such a file; ERR_CONFIG as reading it;
 * ERR_STORE: it cannot be written; ERR_TIMEOUT: another process has held the lock for 10
 * s. */
int ports_file_set(const char *path, const char *account, const struct secret *hash,
                   bool *found_r, struct err *err);

#endif
