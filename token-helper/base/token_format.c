/* token_format.c - see token_format.h. */
#include "token_format.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../client/oauth_message.h"
#include "base64.h"
#include "json.h"

static const char *const names[] = {
    [TOKEN_RAW] = "raw",         [TOKEN_JSON] = "json",
    [TOKEN_XOAUTH2] = "xoauth2", [TOKEN_OAUTHBEARER] = "oauthbearer",
    [TOKEN_HEADER] = "header",   [TOKEN_GIT] = "git-credential"};

enum token_format
token_format_from_name(const char *name)
{
    for (size_t i = 0; i < TOKEN_FORMAT_COUNT; i++)
        if (strcmp(names[i], name) == 0)
            return (enum token_format)i;
    return TOKEN_FORMAT_COUNT;
}

const char *
token_format_name(enum token_format format)
{
    return names[format];
}

static int
add_message(enum oauth_mech mech, const char *user, const struct secret *token,
            struct secret *out, struct err *err)
{
    struct secret message = SECRET_INIT;
    int r = oauth_message_build(mech, user, token, &message, err);

    if (r == ERR_USAGE) /* it was us who composed it from what others gave */
        r = err->code = ERR_PROTOCOL;
    if (r == 0 && base64_encode(message.data, message.len, out) != 0)
        r = err_set(err, ERR_NOMEM, "out of memory");
    secret_clear(&message);
    return r;
}

static int
add_json(const char *account, const char *user, const struct secret *token,
         int64_t expires_at, struct secret *out, struct err *err)
{
    struct json *json = json_new();
    int r = json == NULL ? ERR_NOMEM : 0;

    if (r != 0 || (r = json_put_string(json, "account", account)) != 0 ||
        (r = json_put_string(json, "user", user)) != 0 ||
        (r = json_put_string(json, "access_token", secret_str(token))) != 0 ||
        (r = json_put_integer(json, "expires_at", expires_at)) != 0 ||
        (r = json_write(json, false, out)) != 0)
        err_set(err, r, "%s",
                r == ERR_NOMEM ? "out of memory"
                               : "the user or the token cannot be written as JSON");
    json_free(&json);
    return r;
}

static bool
is_one_line(const char *text, size_t len)
{
    return memchr(text, '\n', len) == NULL && memchr(text, '\0', len) == NULL;
}

/* Lines of key=value (git-credential(1)); the last line's end is the caller's. An expiry
 * that is not known is left out. */
static int
add_git(const char *user, const struct secret *token, int64_t expires_at,
        struct secret *out, struct err *err)
{
    char expiry[48] = "";

    if (!is_one_line(user, strlen(user)) || !is_one_line(token->data, token->len))
        return err_set(err, ERR_PROTOCOL,
                       "the user or the token holds a line end, which git cannot take");
    if (expires_at > 0)
        snprintf(expiry, sizeof expiry, "\npassword_expiry_utc=%" PRId64, expires_at);
    if (secret_append_str(out, "username=") != 0 || secret_append_str(out, user) != 0 ||
        secret_append_str(out, "\npassword=") != 0 ||
        secret_append(out, token->data, token->len) != 0 ||
        secret_append_str(out, expiry) != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    return 0;
}

int
token_format(enum token_format format, const char *account, const char *user,
             const struct secret *token, int64_t expires_at, struct secret *out,
             struct err *err)
{
    int r = 0;

    switch (format) {
    case TOKEN_JSON:
        r = add_json(account, user, token, expires_at, out, err);
        break;
    case TOKEN_XOAUTH2:
        r = add_message(OAUTH_XOAUTH2, user, token, out, err);
        break;
    case TOKEN_OAUTHBEARER:
        r = add_message(OAUTH_OAUTHBEARER, user, token, out, err);
        break;
    case TOKEN_HEADER:
        if (secret_append_str(out, "Authorization: Bearer ") != 0 ||
            secret_append(out, token->data, token->len) != 0)
            r = err_set(err, ERR_NOMEM, "out of memory");
        break;
    case TOKEN_GIT:
        r = add_git(user, token, expires_at, out, err);
        break;
    case TOKEN_RAW:
    case TOKEN_FORMAT_COUNT:
        if (secret_append(out, token->data, token->len) != 0)
            r = err_set(err, ERR_NOMEM, "out of memory");
        break;
    }
    if (r == 0 && secret_append_char(out, '\n') != 0)
        r = err_set(err, ERR_NOMEM, "out of memory");
    return r;
}
