/* sign_in.c - see sign_in.h. */
#include "sign_in.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../client/oauth_message.h"
#include "../base/base64.h"
#include "refusal.h"

#define TAG "M1"
#define CHALLENGES_MAX 8
#define SAID_MAX 512u
#define HELD_MAX 65536u

/* How the server answers: the next step of the exchange, its end, or neither. */
enum answer { ANSWER_CHALLENGE, ANSWER_YES, ANSWER_NO, ANSWER_OTHER };

struct exchange {
    const struct sign_in *q;
    const char *mechanism;
    int step;             /* messages sent */
    bool aborted;         /* the empty answer to a refusal was sent */
    struct secret sent;   /* the last message in base64 */
    struct secret said;   /* what the server said against it */
    struct secret report; /* a refusal's JSON */
    bool done;            /* it said yes */
};

/* --- lines -----------------------------------------------------------------------------
 */

static int
say(const struct sign_in *q, const char *text, struct err *err)
{
    return stream_send_all(q->wait, text, strlen(text), err);
}

/* The text behind a status, "" when there is none. */
static const char *
behind(const char *line, size_t n)
{
    while (n > 0 && *line != '\0') {
        line++;
        n--;
    }
    while (*line == ' ')
        line++;
    return line;
}

static enum answer
imap_answer(const char *line, const char **text_r)
{
    size_t tag = strlen(TAG " ");

    if (line[0] == '+') {
        *text_r = behind(line, 1);
        return ANSWER_CHALLENGE;
    }
    if (strncmp(line, TAG " ", tag) != 0) {
        *text_r = behind(line, 2);
        return strncasecmp(line, "* BYE", 5) == 0 ? ANSWER_NO : ANSWER_OTHER;
    }
    *text_r = line + tag;
    return strncasecmp(line + tag, "OK", 2) == 0 ? ANSWER_YES : ANSWER_NO;
}

static enum answer
pop3_answer(const char *line, const char **text_r)
{
    *text_r = line;
    if (strncmp(line, "+OK", 3) == 0)
        return ANSWER_YES;
    if (line[0] == '+') {
        *text_r = behind(line, 1);
        return ANSWER_CHALLENGE;
    }
    return ANSWER_NO;
}

static enum answer
smtp_answer(const char *line, const char **text_r)
{
    *text_r = line;
    if (strncmp(line, "334", 3) == 0 && line[3] != '-') {
        *text_r = behind(line, 3);
        return ANSWER_CHALLENGE;
    }
    if (isdigit((unsigned char)line[0]) && isdigit((unsigned char)line[1]) &&
        isdigit((unsigned char)line[2]) && line[3] == '-')
        return ANSWER_OTHER;
    return line[0] == '2' ? ANSWER_YES : ANSWER_NO;
}

static enum answer
answer_of(enum wire wire, const char *line, const char **text_r)
{
    if (wire == WIRE_IMAP)
        return imap_answer(line, text_r);
    return wire == WIRE_POP3 ? pop3_answer(line, text_r) : smtp_answer(line, text_r);
}

/* Untagged replies that come with or behind the sign-in are the client's: an alert, say.
 */
static void
hold(const struct sign_in *q, const char *line)
{
    static const char capability[] = "* CAPABILITY";
    size_t len = strlen(line);

    if (q->held == NULL || strncmp(line, "* ", 2) != 0 ||
        strncasecmp(line, capability, sizeof capability - 1) == 0 ||
        q->held->len + len + 2 > HELD_MAX || secret_reserve(q->held, len + 2) != 0)
        return;
    secret_append(q->held, line, len);
    secret_append_str(q->held, "\r\n");
}

/* Adds a line to what the server said, without anything that was sent to it: servers
 * repeat commands they do not understand. */
static void
note(const struct exchange *x, const char *text, struct secret *into)
{
    char one[OAUTH_REFUSAL_MAX], two[OAUTH_REFUSAL_MAX];

    oauth_refusal_text(text, strlen(text), x->q->secret, one);
    oauth_refusal_text(one, strlen(one), &x->sent, two);
    if (into->len + strlen(two) + 1 > SAID_MAX)
        return;
    if (into->len > 0)
        secret_append_char(into, ' ');
    secret_append_str(into, two);
}

/* Reads up to the next line that is an answer. */
static int
read_answer(struct exchange *x, enum answer *answer_r, const char **text_r,
            struct err *err)
{
    const struct sign_in *q = x->q;
    const char *line = NULL;
    int r;

    for (;;) {
        r = lineio_line(q->in, &line, err);
        if (r == LINEIO_END && x->said.len + x->report.len > 0)
            return ERR_PERSON; /* hung up after it had said why */
        if (r == LINEIO_END)
            return err_set(err, ERR_TEMP, "%s closed the connection during the sign-in",
                           q->host);
        if (r != 0)
            return r;
        /* POP3's list was asked for before; "+OK" would begin another one */
        if (q->caps->wire != WIRE_POP3)
            caps_line(q->caps, line, strlen(line));
        *answer_r = answer_of(q->caps->wire, line, text_r);
        if (*answer_r != ANSWER_OTHER)
            return 0;
        if (q->caps->wire == WIRE_IMAP)
            hold(q, line);
        else if (line[0] >= '4')
            note(x, line, &x->said);
    }
}

/* --- the exchange ----------------------------------------------------------------------
 */

static const char *
choose(const struct sign_in *q)
{
    const char *first = q->password ? "PLAIN" : "XOAUTH2";
    const char *second = q->password ? "LOGIN" : "OAUTHBEARER";

    return caps_offers(q->caps, first)    ? first
           : caps_offers(q->caps, second) ? second
                                          : NULL;
}

static int
not_offered(const struct sign_in *q, struct err *err)
{
    static const char *const said[] = {
        [WIRE_IMAP] = "no AUTH=XOAUTH2 in CAPABILITY",
        [WIRE_POP3] = "no XOAUTH2 in CAPA SASL line",
        [WIRE_SMTP] = "offered no supported AUTH mechanisms",
    };

    if (!q->password)
        return refusal_said(q->caps->wire, q->host, "cannot take a token", q->account,
                            q->user, said[q->caps->wire], err);
    err_set(err, ERR_PERSON, "%s offers neither PLAIN nor LOGIN", q->host);
    err_hint(err, "look whether this server still takes app passwords");
    return ERR_PERSON;
}

/* PLAIN is one message (RFC 4616), LOGIN two: the name, then the password. */
static int
password_message(const struct exchange *x, struct secret *out, struct err *err)
{
    const struct sign_in *q = x->q;
    bool plain = strcmp(x->mechanism, "PLAIN") == 0;
    int r = 0;

    if (plain || x->step == 0)
        r = plain ? secret_append_char(out, '\0') : 0;
    if (r == 0 && (plain || x->step == 0))
        r = secret_append_str(out, q->user);
    if (r == 0 && plain)
        r = secret_append_char(out, '\0');
    if (r == 0 && (plain || x->step == 1))
        r = secret_append(out, q->secret->data, q->secret->len);
    return r == 0 ? 0 : err_set(err, r, "no room for the password");
}

static int
message(const struct exchange *x, struct secret *out, struct err *err)
{
    enum oauth_mech mech =
        strcmp(x->mechanism, "XOAUTH2") == 0 ? OAUTH_XOAUTH2 : OAUTH_OAUTHBEARER;

    int r = x->q->password
                ? password_message(x, out, err)
                : oauth_message_build(mech, x->q->user, x->q->secret, out, err);

    if (r == ERR_USAGE) /* it was us who composed it from what others gave */
        r = err_set(err, ERR_PROTOCOL, "%s", err->text);
    return r;
}

/* Sends bytes as a line of base64. */
static int
send_coded(struct exchange *x, const char *bytes, size_t len, struct err *err)
{
    int r;

    secret_reset(&x->sent);
    if ((r = base64_encode(bytes, len, &x->sent)) != 0 ||
        (r = secret_append_str(&x->sent, "\r\n")) != 0)
        return err_set(err, r, "no room for a message");
    r = stream_send_all(x->q->wait, x->sent.data, x->sent.len, err);
    /* kept without its end, to be found in what the server says */
    x->sent.len -= 2;
    return r;
}

/* The refusal's report: it goes into our own, and the mechanism's empty answer brings
 * the server's final word. */
static int
abort_exchange(struct exchange *x, const struct secret *report, struct err *err)
{
    enum oauth_mech mech =
        strcmp(x->mechanism, "XOAUTH2") == 0 ? OAUTH_XOAUTH2 : OAUTH_OAUTHBEARER;
    struct secret kept = SECRET_INIT;
    size_t len = 0;
    const char *bytes = oauth_message_abort(mech, &len);
    int r;

    note(x, secret_str(report), &x->report);
    x->aborted = true;
    secret_move(&kept, &x->sent);
    r = send_coded(x, bytes, len, err);
    secret_move(&x->sent, &kept);
    return r;
}

static int
on_challenge(struct exchange *x, const char *text, struct err *err)
{
    int last = x->q->password && strcmp(x->mechanism, "LOGIN") == 0 ? 2 : 1;
    struct secret bytes = SECRET_INIT;
    int r = 0;

    if (x->step < last) {
        if ((r = message(x, &bytes, err)) == 0)
            r = send_coded(x, bytes.data, bytes.len, err);
        x->step++;
    } else if (x->q->password || x->aborted ||
               base64_decode(text, strlen(text), &bytes) != 0 ||
               !oauth_refusal_is(secret_str(&bytes), bytes.len)) {
        r = err_set(err, ERR_PROTOCOL, "%s asks for more than %s has", x->q->host,
                    x->mechanism);
    } else {
        r = abort_exchange(x, &bytes, err);
    }
    secret_clear(&bytes);
    return r;
}

static int
converse(struct exchange *x, struct err *err)
{
    const char *text = "";
    enum answer answer = ANSWER_OTHER;
    int r = 0;

    for (int i = 0; i < CHALLENGES_MAX; i++) {
        if ((r = read_answer(x, &answer, &text, err)) != 0)
            return r;
        if (answer == ANSWER_NO) {
            note(x, text, &x->said);
            return ERR_PERSON;
        }
        if (answer == ANSWER_YES) {
            x->done = x->step > 0;
            if (x->q->answer != NULL)
                note(x, text, x->q->answer);
            return x->done
                       ? 0
                       : err_set(err, ERR_PROTOCOL,
                                 "%s accepted a sign-in that was not made", x->q->host);
        }
        if ((r = on_challenge(x, text, err)) != 0)
            return r;
    }
    return err_set(err, ERR_PROTOCOL, "%s does not end the sign-in", x->q->host);
}

/* --- what the server can do now --------------------------------------------------------
 */

/* Our name for EHLO. */
static void
own_name(char *name, size_t size)
{
    if (gethostname(name, size) != 0)
        name[0] = '\0';
    name[size - 1] = '\0';
    if (name[0] == '\0' || name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
                                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "0123456789.-")] != '\0')
        snprintf(name, size, "localhost");
}

static int
ask_capabilities(struct exchange *x, struct err *err)
{
    const struct sign_in *q = x->q;
    char command[300] = TAG " CAPABILITY\r\n";
    char name[256];
    const char *text = "";
    enum answer answer = ANSWER_OTHER;
    int r;

    if (q->caps->wire == WIRE_SMTP) {
        own_name(name, sizeof name);
        snprintf(command, sizeof command, "EHLO %s\r\n", name);
    }
    if ((r = say(q, command, err)) != 0 || (r = read_answer(x, &answer, &text, err)) != 0)
        return r;
    if (answer == ANSWER_YES)
        return 0;
    note(x, text, &x->said);
    return ERR_PERSON;
}

static int
after_sign_in(struct exchange *x, struct err *err)
{
    enum wire wire = x->q->caps->wire;

    if (wire == WIRE_POP3 || (wire == WIRE_IMAP && caps_known(x->q->caps)))
        return 0;
    return ask_capabilities(x, err);
}

/* --- all of it -------------------------------------------------------------------------
 */

static int
begin(struct exchange *x, struct err *err)
{
    const struct sign_in *q = x->q;
    char command[64];

    snprintf(command, sizeof command, "%s %s\r\n",
             q->caps->wire == WIRE_IMAP ? TAG " AUTHENTICATE" : "AUTH", x->mechanism);
    /* In POP3 the list from before the sign-in is all there is. */
    if (q->caps->wire != WIRE_POP3)
        caps_clear(q->caps);
    return say(q, command, err);
}

int
sign_in(const struct sign_in *q, const char **mechanism_r, bool *refused_r,
        struct err *err)
{
    struct exchange x = {.q = q, .mechanism = choose(q)};
    struct err why = ERR_INIT;
    int r;

    *refused_r = false;
    if (x.mechanism == NULL)
        return not_offered(q, err);
    if ((r = begin(&x, &why)) == 0 && (r = converse(&x, &why)) == 0 &&
        (r = after_sign_in(&x, &why)) == 0)
        *mechanism_r = x.mechanism;
    if (r == ERR_PERSON) {
        if (x.report.len > 0) /* behind the words, for which a remedy may be known */
            note(&x, secret_str(&x.report), &x.said);
        r = refusal_said(q->caps->wire, q->host,
                         x.done ? "signed in, but failed" : "refused the sign-in",
                         q->account, q->user, secret_str(&x.said), &why);
        *refused_r = r == ERR_PERSON && !q->password && !x.done;
        if (q->answer != NULL)
            secret_set(q->answer, x.said.data, x.said.len);
    }
    if (r != 0 && err != NULL)
        *err = why;
    secret_clear(&x.sent);
    secret_clear(&x.said);
    secret_clear(&x.report);
    return r;
}
