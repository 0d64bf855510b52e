/* local_imap.c - IMAP (RFC 3501) towards the client. See local.h.
 *
 * By itself a client is greeted with PREAUTH and has nothing to sign in to. With
 * local->greeting, and at a gate, it is greeted with OK and may LOGIN or AUTHENTICATE.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "local.h"

#define BEFORE "IMAP4rev1 ID LITERAL+ SASL-IR AUTH=PLAIN AUTH=LOGIN"
#define BEFORE_TLS "IMAP4rev1 ID STARTTLS LOGINDISABLED"
#define TAG_MAX FAILURE_TAG_MAX
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

static bool
needs_tls(const struct local *local)
{
    return local->gate != NULL && local->gate->needs_tls;
}

static int
greet(struct local *local, enum local_next *next_r, struct err *err)
{
    if (local->greeting || local->gate != NULL)
        return local_sayf(local, err, "* OK [CAPABILITY %s] mailbearer ready\r\n",
                          needs_tls(local) ? BEFORE_TLS : BEFORE);
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

/* A word of LOGIN: atom, quoted string or literal (RFC 3501 4). *at moves behind it, into
 * another line where it was a literal. *good_r: false when it is none of them. */
static int
take_word(struct local *local, const char **at, struct secret *out, bool *good_r,
          struct err *err)
{
    const char *p = *at;
    bool waits = false;
    long size = strrchr(p, '{') == p ? literal_size(p, &waits) : -1;
    int r = 0;

    *good_r = true;
    if (size >= 0) {
        if ((unsigned long)size > LOCAL_LINE_MAX)
            return err_set(err, ERR_PROTOCOL, "a literal that is too long");
        if ((waits && (r = local_say(local, "+ go on\r\n", err)) != 0) ||
            (r = lineio_take(&local->in, (size_t)size, out, err)) != 0)
            return r;
        return lineio_line(&local->in, at, err);
    }
    if (*p == '"') {
        for (p++; *p != '"' && *p != '\0' && r == 0; p++) {
            if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
                p++;
            r = secret_append_char(out, *p);
        }
        *good_r = *p == '"';
        *at = *good_r ? p + 1 : p;
    } else {
        size_t n = strcspn(p, " ");

        r = secret_append(out, p, n);
        *good_r = n > 0 && p[0] != '{';
        *at = p + n;
    }
    return r == 0 ? 0 : err_set(err, r, "out of memory");
}

static int
take_login(struct local *local, const char *args, struct credentials *given_r,
           bool *good_r, struct err *err)
{
    int r = take_word(local, &args, &given_r->name, good_r, err);

    if (r != 0 || !*good_r)
        return r;
    *good_r = *args == ' ';
    if (*good_r) {
        args++;
        r = take_word(local, &args, &given_r->password, good_r, err);
    }
    if (r == 0 && *args != '\0')
        *good_r = false;
    return r;
}

static int
enter(struct local *local, const char *tag, const struct credentials *given,
      enum local_next *next_r, struct err *err)
{
    bool in = false;
    int r = local_enter(local, tag, given, &in, next_r, err);

    if (r != 0 || !in)
        return r;
    *next_r = LOCAL_IN;
    return say_signed_in(local, tag, " OK ", "signed in\r\n", true, err);
}

static int
login(struct local *local, const char *tag, const char *args, enum local_next *next_r,
      struct err *err)
{
    struct credentials given = CREDENTIALS_INIT;
    bool good = args[0] != '\0';
    int r = 0;

    if (needs_tls(local))
        return local_sayf(local, err, "%s NO [PRIVACYREQUIRED] STARTTLS first\r\n", tag);
    if (good && local->gate == NULL)
        r = skip_literals(local, args, err);
    else if (good)
        r = take_login(local, args, &given, &good, err);
    if (r == 0 && !good)
        r = local_sayf(local, err, "%s BAD LOGIN takes a name and a password\r\n", tag);
    else if (r == 0)
        r = enter(local, tag, &given, next_r, err);
    credentials_clear(&given);
    return r;
}

static int
authenticate(struct local *local, const char *tag, const char *args,
             enum local_next *next_r, struct err *err)
{
    struct credentials given = CREDENTIALS_INIT;
    const char *initial = NULL;
    bool taken = false;
    int messages = 0;
    int r;

    if (needs_tls(local))
        return local_sayf(local, err, "%s NO [PRIVACYREQUIRED] STARTTLS first\r\n", tag);
    if (!local_mechanism(local, args, &initial, &messages))
        return local_sayf(local, err, "%s NO no such mechanism\r\n", tag);
    r = local_exchange(local, "+ ", initial, messages, &given, &taken, err);
    if (r == 0 && !taken)
        r = local_sayf(local, err, "%s BAD cancelled\r\n", tag);
    else if (r == 0)
        r = enter(local, tag, &given, next_r, err);
    credentials_clear(&given);
    return r;
}

static int
start_tls(struct local *local, const char *tag, struct err *err)
{
    char go_on[TAG_MAX + 32];

    if (!needs_tls(local))
        return local_sayf(local, err, "%s BAD not here: this end is local\r\n", tag);
    snprintf(go_on, sizeof go_on, "%s OK go on\r\n", tag);
    return local_start_tls(local, go_on, err);
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
        return start_tls(local, tag, err);
    if (local_word(rest, "CAPABILITY", &args))
        return local_sayf(local, err, "* CAPABILITY %s\r\n%s OK done\r\n",
                          needs_tls(local) ? BEFORE_TLS : BEFORE, tag);
    if (local_word(rest, "ID", &args)) {
        if ((r = skip_literals(local, args, err)) != 0)
            return r;
        return local_sayf(local, err, "* ID (\"name\" \"mailbearer\")\r\n%s OK done\r\n",
                          tag);
    }
    if (local_word(rest, "NOOP", &args))
        return local_sayf(local, err, "%s OK done\r\n", tag);
    if (local->gate != NULL)
        return local_sayf(local, err, "%s BAD sign in first\r\n", tag);
    *next_r = LOCAL_PASS; /* it skips the sign-in (fetchmail: auth ssh) */
    return 0;
}

const struct local_protocol local_imap = {
    greet, command,
    "* BYE this line cannot be taken: over 8192 bytes, or a NUL in it\r\n",
    "* BYE too slow\r\n"};
