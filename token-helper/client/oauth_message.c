/* oauth_message.c - see oauth_message.h. */
#include "oauth_message.h"

#include <stdio.h>
#include <string.h>

#define SEPARATOR '\x01'
#define ECHO_SIZE 16u /* so many bytes of the token in a refusal are no accident */

static bool
has_control(const char *s)
{
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return true;
    return false;
}

static int
check_fields(const char *user, const struct secret *token, struct err *err)
{
    if (user[0] == '\0')
        return err_set(err, ERR_USAGE, "the user name is empty");
    if (has_control(user))
        return err_set(err, ERR_USAGE, "the user name holds a control character");
    if (token->len == 0)
        return err_set(err, ERR_USAGE, "the access token is empty");
    if (secret_has_control(token))
        return err_set(err, ERR_USAGE, "the access token holds a control character");
    return 0;
}

/* RFC 5801 section 4, saslname: ',' and '=' would end or begin a part of the header. */
static int
append_saslname(struct secret *out, const char *name)
{
    int r = 0;

    for (; *name != '\0' && r == 0; name++) {
        if (*name == ',')
            r = secret_append_str(out, "=2C");
        else if (*name == '=')
            r = secret_append_str(out, "=3D");
        else
            r = secret_append_char(out, *name);
    }
    return r;
}

static int
append_user(enum oauth_mech mech, const char *user, struct secret *out)
{
    int r;

    if (mech == OAUTH_XOAUTH2) {
        if ((r = secret_append_str(out, "user=")) != 0)
            return r;
        return secret_append_str(out, user);
    }
    if ((r = secret_append_str(out, "n,a=")) != 0 ||
        (r = append_saslname(out, user)) != 0)
        return r;
    return secret_append_char(out, ',');
}

int
oauth_message_build(enum oauth_mech mech, const char *user, const struct secret *token,
                    struct secret *out, struct err *err)
{
    int r;

    secret_reset(out);
    if ((r = check_fields(user, token, err)) != 0)
        return r;
    /* Room for everything at once (an escaped byte takes three): growing would copy. */
    if ((r = secret_reserve(out, token->len + 3 * strlen(user) + 32)) != 0 ||
        (r = append_user(mech, user, out)) != 0 ||
        (r = secret_append_char(out, SEPARATOR)) != 0 ||
        (r = secret_append_str(out, "auth=Bearer ")) != 0 ||
        (r = secret_append(out, token->data, token->len)) != 0 ||
        (r = secret_append_char(out, SEPARATOR)) != 0 ||
        (r = secret_append_char(out, SEPARATOR)) != 0) {
        secret_reset(out);
        return err_set(err, r, "no room for the message of %zu bytes", token->len);
    }
    return 0;
}

const char *
oauth_message_abort(enum oauth_mech mech, size_t *len_r)
{
    static const char separator[] = {SEPARATOR, '\0'};

    *len_r = mech == OAUTH_OAUTHBEARER ? 1 : 0;
    return mech == OAUTH_OAUTHBEARER ? separator : "";
}

bool
oauth_refusal_is(const char *challenge, size_t len)
{
    size_t i = 0;

    if (challenge == NULL)
        return false;
    while (i < len && memchr(" \t\r\n", challenge[i], 4) != NULL)
        i++;
    return i < len && challenge[i] == '{';
}

/* Is a piece of the token in there? A part is looked for, not the whole: the refusal may
 * have been cut, or the server may have. */
static bool
repeats_token(const char *text, size_t len, const struct secret *token)
{
    size_t size = token->len < ECHO_SIZE ? token->len : ECHO_SIZE;

    if (size == 0)
        return false;
    for (size_t i = 0; i + size <= len; i++)
        if (memmem(token->data, token->len, text + i, size) != NULL)
            return true;
    return false;
}

char *
oauth_refusal_text(const char *challenge, size_t len, const struct secret *token,
                   char buf[OAUTH_REFUSAL_MAX])
{
    if (len > OAUTH_REFUSAL_MAX - 1)
        len = OAUTH_REFUSAL_MAX - 1;
    memcpy(buf, challenge, len);
    buf[err_clean(buf, len)] = '\0';
    /* Cleaned as well: a '?' in the token may be what stands for a control character. */
    if (repeats_token(challenge, len, token) || repeats_token(buf, strlen(buf), token)) {
        explicit_bzero(buf, OAUTH_REFUSAL_MAX);
        snprintf(buf, OAUTH_REFUSAL_MAX, "(not shown: it repeats the token)");
    }
    return buf;
}
