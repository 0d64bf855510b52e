/* local_pop3.c - POP3 (RFC 1939) towards the client. See local.h. */
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "local.h"

/* The stamp of APOP, for clients that sign in with it. */
static int
greet(struct local *local, enum local_next *next_r, struct err *err)
{
    *next_r = LOCAL_STAY;
    return local_sayf(local, err, "+OK mailbearer ready <%ld.%lld@localhost>\r\n",
                      (long)getpid(), (long long)time(NULL));
}

/* What the server can do, and what is taken here: USER. */
static int
capa(struct local *local, struct err *err)
{
    struct secret out = SECRET_INIT;
    const char *cap;
    size_t at = 0, len = 0;
    int r = secret_append_str(&out, "+OK what there is\r\nUSER\r\n");

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
say_in(struct local *local, enum local_next *next_r, struct err *err)
{
    *next_r = LOCAL_IN;
    return local_say(local, "+OK signed in\r\n", err);
}

static int
auth(struct local *local, const char *args, enum local_next *next_r, struct err *err)
{
    const char *initial = NULL;
    bool taken = false;
    int messages = 0;
    int r;

    if (args[0] == '\0') /* RFC 5034: asks for the list */
        return local_say(local, "+OK\r\nPLAIN\r\nLOGIN\r\n.\r\n", err);
    if (!local_mechanism(args, &initial, &messages))
        return local_say(local, "-ERR no such mechanism\r\n", err);
    if ((r = local_exchange(local, "+ ", initial, messages, &taken, err)) != 0)
        return r;
    if (!taken)
        return local_say(local, "-ERR cancelled\r\n", err);
    return say_in(local, next_r, err);
}

static int
command(struct local *local, const char *line, enum local_next *next_r, struct err *err)
{
    const char *args = NULL;

    if (local_word(line, "CAPA", &args))
        return capa(local, err);
    if (local_word(line, "USER", &args))
        return local_say(local, "+OK go on\r\n", err);
    if (local_word(line, "PASS", &args) || local_word(line, "APOP", &args))
        return say_in(local, next_r, err);
    if (local_word(line, "AUTH", &args))
        return auth(local, args, next_r, err);
    if (local_word(line, "STLS", &args))
        return local_say(local, "-ERR not here: this end is local\r\n", err);
    if (local_word(line, "QUIT", &args)) {
        *next_r = LOCAL_OUT;
        return local_say(local, "+OK good-bye\r\n", err);
    }
    *next_r = LOCAL_PASS; /* it skips the sign-in (fetchmail: auth ssh) */
    return 0;
}

const struct local_protocol local_pop3 = {
    greet, command,
    "-ERR this line cannot be taken: over 8192 bytes, or a NUL in it\r\n"};
