/* password_hash.h - local passwords as crypt(3) hashes.
 *
 * Used by:  commands/cmd_passwd.c (makes them), fetch-helper/ (checks them)
 * Folder:   ports/ is the file `ports` beside the accounts file, and the passwords in it.
 * Includes: client/ and libc; password_hash.c alone knows libcrypt.
 *
 * yescrypt, with the library's own cost: one check takes some ten milliseconds and 16 MB,
 * so that whoever checks for strangers limits how many run at once. SHA-512 with musl,
 * whose crypt(3) has no yescrypt: as much time, no memory to speak of.
 */
#ifndef MAILBEARER_PASSWORD_HASH_H
#define MAILBEARER_PASSWORD_HASH_H

#include "../client/error.h"
#include "../client/secret.h"

#define PASSWORD_MIN 12  /* characters, for a password that is to be set */
#define PASSWORD_MAX 256 /* bytes */

/* May this password be set? 0; ERR_USAGE with a hint: empty, too short, too long, or it
 * holds a control character. */
int password_check_new(const struct secret *password, struct err *err);

/* Appends a new password: 100 random bits as "abcd-efgh-...", readable aloud.
 * 0, ERR_TEMP (no randomness), ERR_NOMEM. */
int password_generate(struct secret *out, struct err *err);

/* Appends the hash, with a new salt. 0, ERR_TEMP, ERR_NOMEM, ERR_CONFIG: this system's
 * crypt(3) makes no hashes. */
int password_hash(const struct secret *password, struct secret *out, struct err *err);

/* Is it the password that `hash` was made of? Takes the same time whatever differs. With
 * hash NULL it is not, and that takes as long as it does with `like` (a hash, or NULL: a
 * new one's cost). A hash that crypt(3) does not know is false. */
bool password_is(const struct secret *password, const char *hash, const char *like);

#endif
