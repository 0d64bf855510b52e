/* git_credential.c - see git_credential.h. */
#include "git_credential.h"

#include <string.h>
#include <strings.h>

void
git_credential_clear(struct git_credential *request)
{
    secret_clear(&request->protocol);
    secret_clear(&request->host);
    secret_clear(&request->username);
    secret_clear(&request->password);
}

static struct secret *
field(struct git_credential *request, const char *key, size_t len)
{
    const struct {
        const char *key;
        struct secret *field;
    } fields[] = {{"protocol", &request->protocol},
                  {"host", &request->host},
                  {"username", &request->username},
                  {"password", &request->password}};

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strlen(fields[i].key) == len && memcmp(fields[i].key, key, len) == 0)
            return fields[i].field;
    return NULL;
}

int
git_credential_parse(const char *text, size_t len, struct git_credential *request_r,
                     struct err *err)
{
    struct git_credential request = {SECRET_INIT, SECRET_INIT, SECRET_INIT, SECRET_INIT};
    size_t at = 0;
    int r = 0;

    if (len > 0 && memchr(text, '\0', len) != NULL)
        return err_set(err, ERR_USAGE, "git's request holds a NUL");
    while (at < len && text[at] != '\n' && r == 0) {
        const char *line = text + at, *equal, *end = memchr(line, '\n', len - at);
        struct secret *to;

        if (end == NULL)
            end = text + len;
        at = (size_t)(end - text) + (end < text + len);
        if ((equal = memchr(line, '=', (size_t)(end - line))) == NULL)
            r = err_set(err, ERR_USAGE, "git's request has a line without '='");
        else if ((to = field(&request, line, (size_t)(equal - line))) != NULL &&
                 secret_set(to, equal + 1, (size_t)(end - equal - 1)) != 0)
            r = err_set(err, ERR_NOMEM, "out of memory");
    }
    if (r == 0) {
        git_credential_clear(request_r);
        *request_r = request;
    } else {
        git_credential_clear(&request);
    }
    return r;
}

const char *
git_credential_mail(const struct git_credential *request)
{
    static const char *const names[][2] = {
        {"", ""},          {"smtp", "smtp"}, {"smtps", "smtp"}, {"imap", "imap"},
        {"imaps", "imap"}, {"pop3", "pop3"}, {"pop3s", "pop3"}};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(secret_str(&request->protocol), names[i][0]) == 0)
            return names[i][1];
    return NULL;
}

bool
git_credential_is_host(const struct git_credential *request, const char *host)
{
    const char *given = secret_str(&request->host), *end = given + strlen(given);
    const char *colon = strrchr(given, ':');
    const char *close = given[0] == '[' ? strchr(given, ']') : NULL;

    if (given[0] == '\0')
        return true;
    if (close != NULL) {
        given++;
        end = close;
    } else if (colon != NULL && strchr(given, ':') == colon) {
        end = colon; /* more than one: an IPv6 address without port */
    }
    return strlen(host) == (size_t)(end - given) &&
           strncasecmp(given, host, (size_t)(end - given)) == 0;
}
