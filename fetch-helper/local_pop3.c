/* local_pop3.c - POP3 (RFC 1939) towards the client. See local.h. */
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "local.h"

/* The stamp of APOP, for clients that sign in with it; at a gate they cannot, since the
 * passwords are kept as hashes. */
static int
greet(struct local *local, enum local_next *next_r, struct err *err)
{
    *next_r = LOCAL_STAY;
    if (local->gate != NULL)
        return local_say(local, "+OK mailbearer ready\r\n", err);
    return local_sayf(local, err, "+OK mailbearer ready <%ld.%lld@localhost>\r\n",
                      (long)getpid(), (long long)time(NULL));
}

/* What the server can do, and what is taken here: USER. At a gate the server is not known
 * yet: what every server can do. */
static int
capa(struct local *local, struct err *err)
{
    struct secret out = SECRET_INIT;
    const char *cap;
    size_t at = 0, len = 0;
    int r;

    if (local->gate != NULL)
        return local_sayf(local, err,
                          "+OK what there is\r\nTOP\r\nUIDL\r\nRESP-CODES\r\n"
                          "AUTH-RESP-CODE\r\n%s.\r\n",
                          local->gate->needs_tls ? "STLS\r\n"
                                                 : "USER\r\nSASL PLAIN LOGIN\r\n");
    r = secret_append_str(&out, "+OK what there is\r\nUSER\r\n");

    while (r == 0 && (cap = caps_next(local->caps, &at, &len)) != NULL)
        if ((len != 4 || strncasecmp(cap, "USER", 4) != 0) &&
            (r = secret_append(&out, cap, len)) == 0)
            r = secret_append_str(&out, "\r\n");
    if (r == 0)
        r = secret_append_str(&out, ".\r\n");
    if (r != 0)
        err_set(err, r, "no room for the capabilities");
    else
        r = client_say(local->client, out.data, out.len, err);
    secret_clear(&out);
    return r;
}

static int
enter(struct local *local, const struct credentials *given, enum local_next *next_r,
      struct err *err)
{
    bool in = false;
    int r = local_enter(local, "", given, &in, next_r, err);

    if (r != 0 || !in)
        return r;
    *next_r = LOCAL_IN;
    return local_say(local, "+OK signed in\r\n", err);
}

/* The name is kept until PASS. */
static int
user(struct local *local, const char *name, struct err *err)
{
    int r = secret_set(&local->user, name, strlen(name));

    return r != 0 ? err_set(err, r, "out of memory")
                  : local_say(local, "+OK go on\r\n", err);
}

static int
pass(struct local *local, const char *password, enum local_next *next_r, struct err *err)
{
    struct credentials given = CREDENTIALS_INIT;
    int r = 0;

    if (local->gate != NULL && local->user.len == 0)
        return local_say(local, "-ERR USER first\r\n", err);
    secret_move(&given.name, &local->user);
    if (local->gate != NULL &&
        (r = secret_set(&given.password, password, strlen(password))) != 0)
        err_set(err, r, "out of memory");
    if (r == 0)
        r = enter(local, &given, next_r, err);
    credentials_clear(&given);
    return r;
}

static int
auth(struct local *local, const char *args, enum local_next *next_r, struct err *err)
{
    struct credentials given = CREDENTIALS_INIT;
    const char *initial = NULL;
    bool taken = false;
    int messages = 0;
    int r;

    if (args[0] == '\0') /* RFC 5034: asks for the list */
        return local_say(local, "+OK\r\nPLAIN\r\nLOGIN\r\n.\r\n", err);
    if (!local_mechanism(local, args, &initial, &messages))
        return local_say(local, "-ERR no such mechanism\r\n", err);
    r = local_exchange(local, "+ ", initial, messages, &given, &taken, err);
    if (r == 0 && !taken)
        r = local_say(local, "-ERR cancelled\r\n", err);
    else if (r == 0)
        r = enter(local, &given, next_r, err);
    credentials_clear(&given);
    return r;
}

/* Commands that hold a name or a password. */
static bool
signs_in(const char *line)
{
    const char *args = NULL;

    return local_word(line, "USER", &args) || local_word(line, "PASS", &args) ||
           local_word(line, "APOP", &args) || local_word(line, "AUTH", &args);
}

static int
command(struct local *local, const char *line, enum local_next *next_r, struct err *err)
{
    const char *args = NULL;

    if (local_word(line, "CAPA", &args))
        return capa(local, err);
    if (local->gate != NULL && local->gate->needs_tls && signs_in(line))
        return local_say(local, "-ERR STLS first\r\n", err);
    if (local->gate != NULL && local_word(line, "APOP", &args))
        return local_say(local, "-ERR no APOP here\r\n", err);
    if (local_word(line, "USER", &args))
        return user(local, args, err);
    if (local_word(line, "PASS", &args) || local_word(line, "APOP", &args))
        /* a password may begin with a blank (RFC 1939 7) */
        return pass(local, line[4] == ' ' ? line + 5 : "", next_r, err);
    if (local_word(line, "AUTH", &args))
        return auth(local, args, next_r, err);
    if (local_word(line, "STLS", &args) && local->gate != NULL && local->gate->needs_tls)
        return local_start_tls(local, "+OK go on\r\n", err);
    if (local_word(line, "STLS", &args))
        return local_say(local, "-ERR not here: this end is local\r\n", err);
    if (local_word(line, "QUIT", &args)) {
        *next_r = LOCAL_OUT;
        return local_say(local, "+OK good-bye\r\n", err);
    }
    if (local->gate != NULL)
        return local_say(local, "-ERR sign in first\r\n", err);
    *next_r = LOCAL_PASS; /* it skips the sign-in (fetchmail: auth ssh) */
    return 0;
}

const struct local_protocol local_pop3 = {
    greet, command, "-ERR this line cannot be taken: over 8192 bytes, or a NUL in it\r\n",
    "-ERR [SYS/TEMP] too slow\r\n"};
