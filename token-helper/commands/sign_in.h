/* sign_in.h - a person signs in for an account: what the ways of doing so share.
 *
 * Used by:  cmd_login.c; sign_in_browser.c, sign_in_paste.c, sign_in_device.c
 * Includes: accounts/, base/, client/, oauth/.
 *
 * Nothing is stored before all has been checked; then the record is replaced in one step
 * (store_sign_in.h). Being interrupted at any time leaves the old record.
 *
 * What the person is to do goes to standard output, what happens meanwhile to standard
 * error. Neither ever has a secret; the address to open and the code to type are for the
 * person alone.
 */
#ifndef MAILBEARER_SIGN_IN_H
#define MAILBEARER_SIGN_IN_H

#include "../accounts/accounts.h"
#include "../accounts/store.h"
#include "../oauth/credential.h"
#include "../oauth/discovery.h"
#include "../oauth/grant_code.h"
#include "../oauth/id_token.h"

#define SIGN_IN_MS 600000 /* for a person to sign in; a code lives as long */

struct sign_in {
    const struct account *account; /* borrowed */
    const struct store *store;     /* borrowed */
    bool may_start_browser; /* there is a screen, and we were not started as root */
    bool terminal;          /* standard input is one: questions can be asked */
    struct endpoints endpoints;
    struct credential credential;
    struct secret scope; /* what is asked for */
    /* the outcome */
    struct record record;
    struct identity identity;
    bool other_way; /* it failed for a reason that another way does not share */
};

/* Finds the endpoints, reads the credential, sees that the store can be written.
 * 0, or ERR_CONFIG, ERR_STORE, ERR_TEMP, ERR_TIMEOUT, ERR_PERSON, ERR_NOMEM. */
int sign_in_begin(struct sign_in *s, const struct account *account,
                  const struct store *store, struct err *err);

/* The ways; each says what to do, waits, and ends with sign_in_complete(). 0: it is
 * stored. Otherwise nothing is; s->other_way tells whether another way may do. */
struct sign_in_listen {
    const char *address; /* --listen; NULL: where redirect_uri says */
    int port;
};
int sign_in_browser(struct sign_in *s, const struct sign_in_listen *listen,
                    struct err *err);
int sign_in_device(struct sign_in *s, struct err *err);
int sign_in_paste(struct sign_in *s, struct err *err);

/* Can the browser come back to us, with this redirect_uri? */
bool sign_in_can_listen(const struct sign_in *s, const struct sign_in_listen *listen);

/* Takes the token endpoint's reply to the code: tokens, who it was, into the store.
 * `reply` is NULL when none came, and `failed` says why. 0; ERR_PERSON: refused, or
 * somebody else signed in; the others as reply_token(). */
int sign_in_take(struct sign_in *s, const struct http_reply *reply,
                 const struct err *failed, const struct secret *code, struct err *err);

/* The second half of it: s->record has been filled in from the reply with this body. */
int sign_in_complete(struct sign_in *s, const struct secret *body, struct err *err);

/* Prints who signed in, for what, until when. */
void sign_in_report(const struct sign_in *s);

/* Standard output, at once. 0, or ERR_STORE: it cannot be written. */
int sign_in_say(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A line on standard error, control characters cleaned. */
void sign_in_tell(const struct sign_in *s, const char *text);

/* ERR_CONFIG: the provider has no such endpoint. */
int sign_in_no_endpoint(const struct sign_in *s, const char *key, struct err *err);

void sign_in_clear(struct sign_in *s);

#endif
