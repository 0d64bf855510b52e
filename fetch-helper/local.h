/* local.h - the protocol as the mail program sees it, up to its sign-in.
 *
 * Used by:  main.c. local.c has the loop, local_imap.c, local_pop3.c and local_smtp.c the
 *           commands, local_sasl.c what they share.
 * Includes: client/, caps, client_io, failure, lineio.
 *
 * The server has let us in already. The mail program may skip its own sign-in, or make
 * one which is accepted whatever it holds: it runs on this machine as the user who may
 * have the token. The first command that is not about signing in is the server's to
 * answer: from it on, bytes are carried and nobody reads them here.
 *
 * Lines are at most LOCAL_LINE_MAX bytes and hold no NUL until then.
 */
#ifndef MAILBEARER_LOCAL_H
#define MAILBEARER_LOCAL_H

#include <stdbool.h>

#include "../token-helper/client/error.h"
#include "../token-helper/mail/caps.h"
#include "client_io.h"
#include "../token-helper/mail/lineio.h"

#define LOCAL_LINE_MAX 8192u
#define LOCAL_LEFT (-1) /* the client said good-bye, or hung up, before it signed in */

struct local {
    struct client *client;
    struct lineio in;
    const struct caps *caps;   /* the server's, after the sign-in */
    const struct secret *held; /* IMAP: the server's untagged replies; may be empty */
    bool greeting;             /* IMAP: offer a sign-in instead of PREAUTH */
};

/* `client`, `caps` and `held` are borrowed. */
void local_init(struct local *local, struct client *client, const struct caps *caps,
                const struct secret *held);
void local_clear(struct local *local);

/* Greets the client and answers it until it is signed in.
 * 0:           carry bytes; what it has sent beyond is lineio_rest(&local->in).
 * LOCAL_LEFT:  there is nothing to carry.
 * ERR_PROTOCOL: a line too long, or a NUL; the client was told. ERR_TEMP: it is gone.
 * ERR_NOMEM. */
int local_serve(struct local *local, struct err *err);

/* Says, instead of the greeting, why there is no session. */
void local_refuse(struct client *client, enum wire wire, const struct err *why);

/* --- between local.c and the protocols ---------------------------------------------- */

enum local_next {
    LOCAL_STAY, /* the next command */
    LOCAL_IN,   /* signed in: what follows is carried */
    LOCAL_PASS, /* this command is the server's, and so is all that follows */
    LOCAL_OUT   /* the client has left */
};

/* Answers one line. 0 and *next_r; an error as local_serve() returns it. */
typedef int local_command_fn(struct local *local, const char *line,
                             enum local_next *next_r, struct err *err);

struct local_protocol {
    int (*greet)(struct local *local, enum local_next *next_r, struct err *err);
    local_command_fn *command;
    const char *bad_line; /* what a line that cannot be taken is told, with its end */
};

extern const struct local_protocol local_imap, local_pop3, local_smtp;

/* Says a text, or one made as by printf (at most 1,000 bytes). */
int local_say(struct local *local, const char *text, struct err *err);
int local_sayf(struct local *local, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* True when `line` begins with this word; *rest_r is then what stands behind it and the
 * blanks. Borrowed from line. */
bool local_word(const char *line, const char *word, const char **rest_r);

/* The exchange of AUTHENTICATE or AUTH, behind the mechanism's name: PLAIN, XOAUTH2 and
 * OAUTHBEARER take one message, LOGIN two; `initial` is the first of them where the
 * command held it, else "". `prompt` is "+ " or "334 ". *taken_r: false when the client
 * cancelled. */
bool local_mechanism(const char *args, const char **initial_r, int *messages_r);
int local_exchange(struct local *local, const char *prompt, const char *initial,
                   int messages, bool *taken_r, struct err *err);

#endif
