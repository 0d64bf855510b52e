/* local_imap.c - IMAP (RFC 3501) towards the client. See local.h.
 *
 * By itself a client is greeted with PREAUTH and has nothing to sign in to. With
 * local->greeting it is greeted with OK and may LOGIN or AUTHENTICATE.
 */
#include <stdlib.h>
#include <string.h>

#include "local.h"

#define BEFORE "IMAP4rev1 ID LITERAL+ SASL-IR AUTH=PLAIN AUTH=LOGIN"
#define TAG_MAX 200
#define LITERALS_MAX 16

/* "[CAPABILITY ...] " with what the server can do, nothing when it did not say. */
static int
put_capabilities(const struct local *local, struct secret *out)
{
    const char *cap;
    size_t at = 0, len = 0;
    int r = 0;

    if (!caps_known(local->caps))
        return 0;
    r = secret_append_str(out, "[CAPABILITY");
    while (r == 0 && (cap = caps_next(local->caps, &at, &len)) != NULL)
        if ((r = secret_append_char(out, ' ')) == 0)
            r = secret_append(out, cap, len);
    return r == 0 ? secret_append_str(out, "] ") : r;
}

/* Says: start, capabilities, text; in front or behind (`held_first`) what the server has
 * said meanwhile. */
static int
say_signed_in(struct local *local, const char *tag, const char *status, const char *text,
              bool held_first, struct err *err)
{
    struct secret out = SECRET_INIT;
    const struct secret *held = local->held;
    int r = 0;

    if (held_first && held->len > 0)
        r = secret_append(&out, held->data, held->len);
    if (r == 0 && (r = secret_append_str(&out, tag)) == 0 &&
        (r = secret_append_str(&out, status)) == 0 &&
        (r = put_capabilities(local, &out)) == 0)
        r = secret_append_str(&out, text);
    if (r == 0 && !held_first && held->len > 0)
        r = secret_append(&out, held->data, held->len);
    if (r != 0)
        err_set(err, r, "no room for the capabilities");
    else
        r = client_say(local->client, out.data, out.len, err);
    secret_clear(&out);
    return r;
}

static int
greet(struct local *local, enum local_next *next_r, struct err *err)
{
    if (local->greeting)
        return local_say(local, "* OK [CAPABILITY " BEFORE "] mailbearer ready\r\n", err);
    *next_r = LOCAL_IN;
    return say_signed_in(local, "*", " PREAUTH ", "mailbearer ready\r\n", false, err);
}

/* The size of the literal the line ends in, -1 when it does not: "{12}" waits to be asked
 * for, "{12+}" comes at once (RFC 7888). */
static long
literal_size(const char *line, bool *waits_r)
{
    const char *brace = strrchr(line, '{');
    char *end = NULL;
    long size;

    if (brace == NULL || brace[1] < '0' || brace[1] > '9')
        return -1;
    size = strtol(brace + 1, &end, 10);
    *waits_r = *end != '+';
    if (*end == '+')
        end++;
    return end[0] == '}' && end[1] == '\0' ? size : -1;
}

/* Takes the literals of the command that `line` begins, and the lines between them. */
static int
skip_literals(struct local *local, const char *line, struct err *err)
{
    bool waits = false;
    long size;
    int r;

    for (int i = 0; (size = literal_size(line, &waits)) >= 0; i++) {
        if (i == LITERALS_MAX || (unsigned long)size > LOCAL_LINE_MAX)
            return err_set(err, ERR_PROTOCOL, "literals that are too long or too many");
        if ((waits && (r = local_say(local, "+ go on\r\n", err)) != 0) ||
            (r = lineio_skip(&local->in, (size_t)size, err)) != 0 ||
            (r = lineio_line(&local->in, &line, err)) != 0)
            return r;
    }
    return 0;
}

static int
say_in(struct local *local, const char *tag, enum local_next *next_r, struct err *err)
{
    *next_r = LOCAL_IN;
    return say_signed_in(local, tag, " OK ", "signed in\r\n", true, err);
}

static int
login(struct local *local, const char *tag, const char *args, enum local_next *next_r,
      struct err *err)
{
    int r;

    if (args[0] == '\0')
        return local_sayf(local, err, "%s BAD LOGIN takes a name and a password\r\n",
                          tag);
    if ((r = skip_literals(local, args, err)) != 0)
        return r;
    return say_in(local, tag, next_r, err);
}

static int
authenticate(struct local *local, const char *tag, const char *args,
             enum local_next *next_r, struct err *err)
{
    const char *initial = NULL;
    bool taken = false;
    int messages = 0;
    int r;

    if (!local_mechanism(args, &initial, &messages))
        return local_sayf(local, err, "%s NO no such mechanism\r\n", tag);
    if ((r = local_exchange(local, "+ ", initial, messages, &taken, err)) != 0)
        return r;
    if (!taken)
        return local_sayf(local, err, "%s BAD cancelled\r\n", tag);
    return say_in(local, tag, next_r, err);
}

static int
logout(struct local *local, const char *tag, enum local_next *next_r, struct err *err)
{
    *next_r = LOCAL_OUT;
    return local_sayf(local, err, "* BYE mailbearer says good-bye\r\n%s OK done\r\n",
                      tag);
}

/* Splits the tag off. False when the line has none or nothing behind it. */
static bool
split_tag(const char *line, char tag[TAG_MAX], const char **rest_r)
{
    size_t n = strcspn(line, " ");

    if (n == 0 || n >= TAG_MAX || line[n] == '\0' || line[0] == '*' || line[0] == '+')
        return false;
    memcpy(tag, line, n);
    tag[n] = '\0';
    *rest_r = line + n + 1;
    return (*rest_r)[0] != '\0' && (*rest_r)[0] != ' ';
}

static int
command(struct local *local, const char *line, enum local_next *next_r, struct err *err)
{
    const char *rest = NULL, *args = NULL;
    char tag[TAG_MAX];
    int r;

    if (!split_tag(line, tag, &rest))
        return local_say(local, "* BAD a tag and a command are needed\r\n", err);
    if (local_word(rest, "LOGIN", &args))
        return login(local, tag, args, next_r, err);
    if (local_word(rest, "AUTHENTICATE", &args))
        return authenticate(local, tag, args, next_r, err);
    if (local_word(rest, "LOGOUT", &args))
        return logout(local, tag, next_r, err);
    if (local_word(rest, "STARTTLS", &args))
        return local_sayf(local, err, "%s BAD not here: this end is local\r\n", tag);
    if (local_word(rest, "CAPABILITY", &args))
        return local_sayf(local, err, "* CAPABILITY " BEFORE "\r\n%s OK done\r\n", tag);
    if (local_word(rest, "ID", &args)) {
        if ((r = skip_literals(local, args, err)) != 0)
            return r;
        return local_sayf(local, err, "* ID (\"name\" \"mailbearer\")\r\n%s OK done\r\n",
                          tag);
    }
    if (local_word(rest, "NOOP", &args))
        return local_sayf(local, err, "%s OK done\r\n", tag);
    *next_r = LOCAL_PASS; /* it skips the sign-in (fetchmail: auth ssh) */
    return 0;
}

const struct local_protocol local_imap = {
    greet, command,
    "* BYE this line cannot be taken: over 8192 bytes, or a NUL in it\r\n"};
