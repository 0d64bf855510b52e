/* store_internal.h - what store*.c share; nobody else
 * includes it.
 */
#ifndef MAILBEARER_STORE_INTERNAL_H
#define MAILBEARER_STORE_INTERNAL_H

#include <sys/stat.h>

#include "store.h"
#include "store_record.h"

#define STORE_SUFFIX ".json"
#define STORE_SUFFIX_NEW ".json.new"
#define STORE_SUFFIX_LOCK ".lock"

/* store_file_name() with the suffix behind it. */
int store_name_of(const char *account, const char *suffix, char name_r[STORE_NAME_MAX],
                  struct err *err);

/* Opens NAME for reading and sees that it is a private regular file of ours. 0, with
 * *fd_r -1 when it is not there; ERR_STORE. */
int store_open_file(const struct store *store, const char *name, int *fd_r,
                    struct stat *st_r, struct err *err);

/* The text of a file as a record; opened first where it is encrypted. As record_parse();
 * SEALED is left where no cipher of the store's has the key. */
int store_parse(const struct store *store, const char *account, const struct secret *text,
                struct record *record_r, struct record_info *info_r, struct err *err);

/* The text that the record is stored as; encrypted where the store has a cipher. Replaces
 * *text_r. 0, ERR_STORE (too long, or record_format()'s), ERR_CONFIG, ERR_NOMEM. */
int store_compose(const struct store *store, const char *account,
                  const struct record *record, int64_t serial, struct secret *text_r,
                  struct err *err);

/* Reads and parses the open file. A tail of zero bytes, space that was held and not used,
 * does not count. `account` is for the hint. As record_parse(); err names the file. */
int store_read_file(const struct store *store, const char *name, const char *account,
                    int fd, off_t size, struct record *record_r,
                    struct record_info *info_r, struct err *err);

void store_stamp_from(const struct stat *st, struct store_stamp *stamp_r);

/* ERR_STORE, "cannot VERB STORE/NAME: reason", with what to do about that errno. */
int store_refuse(const struct store *store, const char *verb, const char *name,
                 int reason, struct err *err);

/* Finishes or discards what a killed writer left in NAME.json.new, under the lock. 0;
 * ERR_STORE, ERR_NOMEM: it was left alone. */
int store_settle(const struct store *store, const char *account, struct err *err);

/* Sets the hint that belongs to that errno. */
void store_hint(const struct store *store, const char *name, int reason, struct err *err);

#endif
