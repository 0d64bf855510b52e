/* local.h - the protocol as the mail program sees it, up to its sign-in.
 *
 * Used by:  session.c. local.c has the loop, local_imap.c, local_pop3.c and local_smtp.c
 *           the commands, local_sasl.c and local_gate.c what they share.
 * Includes: client/, caps, client_io, failure, lineio.
 *
 * Without a gate the server has let us in already. The mail program may skip its own
 * sign-in, or make one which is accepted whatever it holds: it runs on this machine as
 * the user who may have the token. The first command that is not about signing in is the
 * server's to answer: from it on, bytes are carried and nobody reads them here.
 *
 * With a gate (a local port where strangers may knock) it is the other way round: the
 * greeting and the capabilities are ours and always the same, the client must sign in,
 * the gate judges, and only then is the server asked. Nothing else is answered before.
 *
 * Lines are at most LOCAL_LINE_MAX bytes and hold no NUL until then.
 */
#ifndef MAILBEARER_LOCAL_H
#define MAILBEARER_LOCAL_H

#include <stdbool.h>

#include "../token-helper/client/error.h"
#include "../token-helper/client/secret.h"
#include "../token-helper/mail/caps.h"
#include "client_io.h"
#include "../token-helper/mail/lineio.h"

#define LOCAL_LINE_MAX 8192u
#define LOCAL_LEFT (-1) /* the client said good-bye, or hung up, before it signed in */

/* What a gate makes of a sign-in. */
enum gate_answer {
    GATE_IN,     /* it is right, and so is the server's: caps and held are filled in */
    GATE_WRONG,  /* it may be tried again */
    GATE_LAST,   /* wrong, and it was the last try */
    GATE_FAILED, /* the server's failed, or the judge: *err is for the client */
    GATE_GONE    /* the client has left meanwhile */
};

struct local_gate {
    enum gate_answer (*enter)(struct local_gate *gate, const struct secret *name,
                              const struct secret *password, struct err *err);
    bool needs_tls; /* no sign-in before STARTTLS */
    /* Makes the client's connection an encrypted one; clears needs_tls. ERR_*. */
    int (*start_tls)(struct local_gate *gate, struct err *err);
};

struct local {
    struct client *client;
    struct lineio in;
    const struct caps *caps;   /* the server's, after the sign-in */
    const struct secret *held; /* IMAP: the server's untagged replies; may be empty */
    bool greeting;             /* IMAP: offer a sign-in instead of PREAUTH */
    struct local_gate *gate;   /* borrowed; NULL: none */
    struct secret user;        /* POP3: what USER gave */
};

/* `client`, `caps` and `held` are borrowed. */
void local_init(struct local *local, struct client *client, const struct caps *caps,
                const struct secret *held);
void local_clear(struct local *local);

/* Greets the client and answers it until it is signed in.
 * 0:           carry bytes; what it has sent beyond is lineio_rest(&local->in).
 * LOCAL_LEFT:  there is nothing to carry.
 * ERR_PROTOCOL: a line too long, or a NUL; ERR_TIMEOUT: it took too long; the client was
 * told. ERR_TEMP: it is gone. What the gate's failure was. ERR_NOMEM. */
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
    const char *slow;     /* what a client is told that does not get on */
};

extern const struct local_protocol local_imap, local_pop3, local_smtp;

/* Says a text, or one made as by printf (at most 1,000 bytes). */
int local_say(struct local *local, const char *text, struct err *err);
int local_sayf(struct local *local, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* True when `line` begins with this word; *rest_r is then what stands behind it and the
 * blanks. Borrowed from line. */
bool local_word(const char *line, const char *word, const char **rest_r);

/* A name and a password, as the client gave them. */
struct credentials {
    struct secret name, password;
};

#define CREDENTIALS_INIT                                                                 \
    {                                                                                    \
        SECRET_INIT, SECRET_INIT                                                         \
    }

void credentials_clear(struct credentials *c);

/* The exchange of AUTHENTICATE or AUTH, behind the mechanism's name: PLAIN, XOAUTH2 and
 * OAUTHBEARER take one message, LOGIN two; `initial` is the first of them where the
 * command held it, else "". At a gate there are PLAIN and LOGIN alone. `prompt` is "+ "
 * or "334 ". *taken_r: false when the client cancelled, or at a gate sent what is no
 * message of the mechanism. At a gate *given_r is what the messages hold. */
bool local_mechanism(const struct local *local, const char *args, const char **initial_r,
                     int *messages_r);
int local_exchange(struct local *local, const char *prompt, const char *initial,
                   int messages, struct credentials *given_r, bool *taken_r,
                   struct err *err);

/* Asks the gate about a sign-in. `tag` is IMAP's, else "". *in_r: the protocol is to say
 * that the client is signed in; else the client was told, and *next_r is set. 0; as
 * local_serve() returns it. Without a gate everybody is in. */
int local_enter(struct local *local, const char *tag, const struct credentials *given,
                bool *in_r, enum local_next *next_r, struct err *err);

/* STARTTLS or STLS at a gate that needs it: says `go_on` and begins TLS. What the client
 * sent behind the command in clear ends the session (RFC 3207 4.2 and 6). */
int local_start_tls(struct local *local, const char *go_on, struct err *err);

#endif
