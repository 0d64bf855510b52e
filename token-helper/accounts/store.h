/* store.h - tokens on disk (FILEFORMAT.md).
 *
 * Used by:  front/cmd_token.c (reading), agent/writer.c, oauth/acquire.c, commands/
 * Includes: base/, client/.
 *
 * One file an account, mode 0600. A write goes to NAME.json.new, is flushed, renamed over
 * NAME.json, and the directory is flushed: readers see the old or the new record, whole.
 * Who changes a record holds its lock, re-reads it, and only then acts: a refresh token
 * may be good for one use only.
 */
#ifndef MAILBEARER_STORE_H
#define MAILBEARER_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <sys/types.h>

#include "../client/deadline.h"
#include "../client/error.h"
#include "../client/secret.h"

/* Why the last refresh failed, kept so that processes without an agent also wait. */
struct failure {
    struct err err;   /* code ERR_NONE: it did not fail */
    int64_t at;       /* when */
    int64_t retry_at; /* not to be tried again before; 0: at once */
    int count;        /* failures in a row */
};

struct record {
    struct secret access_token;  /* empty: none */
    struct secret refresh_token; /* empty: none */
    struct secret fingerprint;   /* of the settings the access token was made with */
    int64_t obtained_at;         /* of the access token */
    int64_t expires_at;
    int64_t refresh_at;       /* provider's refresh_in as a time; 0: none given */
    int64_t refresh_token_at; /* when the refresh token was stored or last used */
    char *scope;              /* granted; NULL: not said */
    struct failure failure;
};

#define RECORD_INIT                                                                      \
    {                                                                                    \
        0                                                                                \
    }

/* How records are encrypted at rest. The front has none of this, and no cryptography:
 * oauth/store_key.h makes one from a key file. Called under the account's lock or while
 * reading, from any thread. *_r is replaced on success only. */
struct store_cipher {
    /* What goes into the record's file. 0, ERR_CONFIG, ERR_NOMEM. */
    int (*seal)(const void *arg, const char *account, const struct secret *plain,
                struct secret *sealed_r, struct err *err);
    /* The reverse. 0; ERR_CONFIG: another key wrote it; ERR_STORE: it was changed or cut,
     * or is another account's; ERR_NOMEM. err does not name the file. */
    int (*open)(const void *arg, const char *account, const struct secret *sealed,
                struct secret *plain_r, struct err *err);
    const void *arg;
};

struct store {
    char *path;
    int fd; /* of the directory */
    /* Both are NULL after store_open(); borrowed, to be set by who has the key. */
    const struct store_cipher *cipher;     /* NULL: records are written in clear */
    const struct store_cipher *old_cipher; /* opens what `cipher` does not; NULL: none */
};

struct store_stamp { /* tells whether a record's file changed */
    bool present;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct store_lock {
    int fd; /* -1: not held */
};

/* 0, ERR_STORE (absent, not a directory, owned by neither root nor us, or writable by
 * others), ERR_NOMEM. */
int store_open(const char *directory, struct store *store_r, struct err *err);
void store_close(struct store *store);

/* The file name for an account: what is not [A-Za-z0-9@._+=-], and a dot in front,
 * becomes %XX, so that every account has its own name and none leaves the directory. 0,
 * or ERR_CONFIG when it would be longer than 230 bytes. */
#define STORE_NAME_MAX 256
int store_file_name(const char *account, char name_r[STORE_NAME_MAX], struct err *err);

/* Takes the account's lock, waiting until the deadline (NULL: not at all). Falls back to
 * a lock on the directory itself when no lock file can be made (full disk, read-only).
 * Finishes or discards what a killed writer left in NAME.json.new.
 * 0; ERR_TIMEOUT: somebody else has it; ERR_STORE. */
int store_lock(const struct store *store, const char *account,
               const struct deadline *deadline, struct store_lock *lock_r,
               struct err *err);
void store_unlock(struct store_lock *lock);

/* Reads the record; one that is not there is an empty record and success. *stamp_r (may
 * be NULL) is the file's. One that stands in clear is read with a cipher as well: the
 * next write encrypts it. 0; ERR_STORE: unreadable, damaged, not private, or of a newer
 * version (then it is not touched); ERR_CONFIG: it is encrypted, and the store has no
 * cipher or another key (then it is never written over; see store_upkeep.h); ERR_NOMEM.
 */
int store_read(const struct store *store, const char *account, struct record *record_r,
               struct store_stamp *stamp_r, struct err *err);

/* Holds disk space for the next store_write() of this account, so that a refresh is not
 * begun that could not be saved. Under the lock. 0 or ERR_STORE. Space that no write used
 * is given back by the next store_lock() of the account. */
int store_reserve(const struct store *store, const char *account, struct err *err);

/* Writes the record, under the lock. Times outside the years 1970 to 9999 are moved to
 * the nearer end. 0; ERR_STORE, ERR_NOMEM, ERR_CONFIG (the present record is encrypted
 * and the store has not its key): store_read() still gives the old record. Where all was
 * flushed and only the last step failed (rename, or the directory's flush) nothing is
 * thrown away: the next store_lock() finishes the write. */
int store_write(const struct store *store, const char *account,
                const struct record *record, struct store_stamp *stamp_r,
                struct err *err);

/* The file's stamp now; present is false when it is not there. */
void store_stamp(const struct store *store, const char *account,
                 struct store_stamp *stamp_r);
bool store_stamp_equal(const struct store_stamp *a, const struct store_stamp *b);

/* Wipes and frees; the record is empty and usable afterwards. */
void record_clear(struct record *record);

/* Replaces `to`, which is untouched on failure. 0 or ERR_NOMEM. */
int record_copy(struct record *to, const struct record *from, struct err *err);

/* Replaces `to` and leaves `from` empty. */
void record_move(struct record *to, struct record *from);

#endif
