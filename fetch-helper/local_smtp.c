/* local_smtp.c - SMTP (RFC 5321, RFC 4954) towards the client. See local.h. */
#include "local.h"

static int
greet(struct local *local, enum local_next *next_r, struct err *err)
{
    *next_r = LOCAL_STAY;
    return local_say(local, "220 localhost ESMTP mailbearer ready\r\n", err);
}

/* What the server can do, and a sign-in: some clients refuse to send without one. At a
 * gate the server is not known yet: what every server can do. */
static int
ehlo(struct local *local, struct err *err)
{
    struct secret out = SECRET_INIT;
    const char *cap;
    size_t at = 0, len = 0;
    int r;

    if (local->gate != NULL)
        return local_sayf(local, err,
                          "250-localhost\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n"
                          "250 %s\r\n",
                          local->gate->needs_tls ? "STARTTLS" : "AUTH PLAIN LOGIN");
    r = secret_append_str(&out, "250-localhost\r\n");

    while (r == 0 && (cap = caps_next(local->caps, &at, &len)) != NULL)
        if ((r = secret_append_str(&out, "250-")) == 0 &&
            (r = secret_append(&out, cap, len)) == 0)
            r = secret_append_str(&out, "\r\n");
    if (r == 0)
        r = secret_append_str(&out, "250 AUTH PLAIN LOGIN\r\n");
    if (r != 0)
        err_set(err, r, "no room for the capabilities");
    else
        r = client_say(local->client, out.data, out.len, err);
    secret_clear(&out);
    return r;
}

static int
auth(struct local *local, const char *args, enum local_next *next_r, struct err *err)
{
    struct credentials given = CREDENTIALS_INIT;
    const char *initial = NULL;
    bool taken = false, in = false;
    int messages = 0;
    int r;

    if (local->gate != NULL && local->gate->needs_tls)
        return local_say(local, "530 5.7.0 STARTTLS first\r\n", err);
    if (!local_mechanism(local, args, &initial, &messages))
        return local_say(local, "504 5.5.4 No such mechanism\r\n", err);
    r = local_exchange(local, "334 ", initial, messages, &given, &taken, err);
    if (r == 0 && !taken)
        r = local_say(local, "501 5.7.0 Cancelled\r\n", err);
    else if (r == 0)
        r = local_enter(local, "", &given, &in, next_r, err);
    credentials_clear(&given);
    if (r != 0 || !in)
        return r;
    *next_r = LOCAL_IN;
    return local_say(local, "235 2.7.0 Signed in\r\n", err);
}

static int
command(struct local *local, const char *line, enum local_next *next_r, struct err *err)
{
    const char *args = NULL;

    if (local_word(line, "EHLO", &args))
        return ehlo(local, err);
    if (local_word(line, "HELO", &args))
        return local_say(local, "250 localhost\r\n", err);
    if (local_word(line, "AUTH", &args))
        return auth(local, args, next_r, err);
    if (local_word(line, "STARTTLS", &args) && local->gate != NULL &&
        local->gate->needs_tls)
        return local_start_tls(local, "220 2.0.0 Go on\r\n", err);
    if (local_word(line, "STARTTLS", &args))
        return local_say(local, "502 5.5.1 Not here: this end is local\r\n", err);
    if (local_word(line, "NOOP", &args) || local_word(line, "RSET", &args))
        return local_say(local, "250 2.0.0 Ok\r\n", err);
    if (local_word(line, "QUIT", &args)) {
        *next_r = LOCAL_OUT;
        return local_say(local, "221 2.0.0 Good-bye\r\n", err);
    }
    if (local->gate != NULL)
        return local_say(local, "530 5.7.0 Sign in first\r\n", err);
    *next_r = LOCAL_PASS; /* MAIL: it sends without a sign-in of its own */
    return 0;
}

const struct local_protocol local_smtp = {
    greet, command,
    "421 4.3.0 This line cannot be taken: over 8192 bytes, or a NUL in it\r\n",
    "421 4.4.2 Too slow\r\n"};
