/* file.h - read files that hold secrets, and refuse those others can read.
 *
 * Used by:  accounts/, oauth/, commands/
 * Includes: client/, libc.
 */
#ifndef MAILBEARER_FILE_H
#define MAILBEARER_FILE_H

#include <sys/stat.h>

#include "../client/error.h"
#include "../client/secret.h"

/* Is the open file (status `st`, called `path`) private enough? It must be a regular file
 * that belongs to root, to the effective user, or to `also_owner` ((uid_t)-1: to nobody
 * else), with no permission for others (mode & 007), and none for its group unless that
 * is the group `mailbearer`. `what` names it in the text ("accounts file", "client
 * secret"). 0, or ERR_CONFIG with the chmod or chgrp that mends it as hint. */
int file_check_private(const struct stat *st, const char *path, const char *what,
                       uid_t also_owner, struct err *err);

/* Opens close-on-exec without blocking on a FIFO, checks as above, reads all of it.
 * 0, ERR_CONFIG (absent, not private, not regular, larger than `max`), ERR_STORE (cannot
 * be read), ERR_NOMEM. On failure *out is empty. */
int file_read_private(const char *path, const char *what, size_t max, struct secret *out,
                      struct err *err);

/* As file_read_private(), for a file whose modes are another program's business (the
 * token files that Kubernetes and Azure Arc put there): only that it is a regular file,
 * and no larger than `max`, is checked. */
int file_read_foreign(const char *path, const char *what, size_t max, struct secret *out,
                      struct err *err);

/* As file_read_private(), but gives the first line without its end, as a secret file has
 * it. ERR_CONFIG as well when that line is empty or holds a control character. */
int file_read_secret_line(const char *path, const char *what, struct secret *out,
                          struct err *err);

/* Reads all of an open descriptor, at most `max` bytes, in as few reads as its size
 * allows. 0, ERR_CONFIG (larger), ERR_STORE (read error), ERR_NOMEM. */
int file_read_fd(int fd, const char *path, size_t max, struct secret *out,
                 struct err *err);

/* As file_read_fd() for a file whose size is known from fstat(2): one read(2) unless it
 * grew meanwhile. */
int file_read_sized(int fd, const char *path, size_t size, size_t max, struct secret *out,
                    struct err *err);

/* write(2) until all is written. 0, or ERR_STORE with the errno's text; errno stays what
 * write(2) set. */
int file_write_fd(int fd, const char *path, const void *bytes, size_t len,
                  struct err *err);

#endif
