/* Values that name places on the network. */
#include "values.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "words.h"

static int
wrong(struct err *err, const char *text)
{
    return err_set(err, ERR_CONFIG, "%s", text);
}

static const char host_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

int
value_tenant(const char *text, struct err *err)
{
    int r = value_text(text, VALUE_NAME_MAX, err);

    if (r == 0 && (text[strspn(text, host_characters)] != '\0' || text[0] == '.'))
        r = err_set(err, ERR_CONFIG, "`%s` is neither a directory id nor a domain", text);
    return r;
}

static int
port_number(const char *text, int *port_r, struct err *err)
{
    if (value_integer(text, 1, 65535, port_r, NULL) != 0)
        return err_set(err, ERR_CONFIG, "`%s` is not a port (1 to 65535)", text);
    return 0;
}

/* Takes "host", "host:port" or "[address]:port" of `len` bytes apart; *port_r is 0 when
 * there is none. */
static int
host_and_port(const char *text, size_t len, char host_r[256], int *port_r,
              struct err *err)
{
    bool bracket = len > 0 && text[0] == '[';
    const char *end = bracket ? memchr(text, ']', len) : memchr(text, ':', len);
    const char *host = text + bracket;
    size_t host_len;
    struct in6_addr address;
    char copy[512];

    if (len >= sizeof(copy))
        return wrong(err, "host and port are too long");
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (bracket && end == NULL)
        return err_set(err, ERR_CONFIG, "`%s` has no closing bracket", copy);
    host_len = end != NULL ? (size_t)(end - host) : len;
    if (host_len == 0 || host_len > 253)
        return err_set(err, ERR_CONFIG, "`%s` has no host", copy);
    memcpy(host_r, host, host_len);
    host_r[host_len] = '\0';
    if (bracket ? inet_pton(AF_INET6, host_r, &address) != 1
                : host_r[strspn(host_r, host_characters)] != '\0')
        return err_set(err, ERR_CONFIG, "`%s` is not a host name or address", host_r);
    end = host + host_len + bracket;
    *port_r = 0;
    if (end == text + len)
        return 0;
    if (*end != ':')
        return err_set(err, ERR_CONFIG, "`%s` is not a host and a port", copy);
    return port_number(copy + (end + 1 - text), port_r, err);
}

static bool
host_is_loopback(const char *host)
{
    struct in6_addr address6;
    struct in_addr address4;

    if (inet_pton(AF_INET, host, &address4) == 1)
        return (ntohl(address4.s_addr) >> 24) == 127;
    if (inet_pton(AF_INET6, host, &address6) == 1)
        return memcmp(&address6, &in6addr_loopback, sizeof(address6)) == 0;
    return strcasecmp(host, "localhost") == 0;
}

int
value_endpoint(const char *text, struct err *err)
{
    bool plain = strncmp(text, "http://", 7) == 0;
    const char *authority = text + (plain ? 7 : 8);
    char host[256];
    int port;
    int r = value_text(text, VALUE_TEXT_MAX, err);

    if (r != 0)
        return r;
    if (!plain && strncmp(text, "https://", 8) != 0)
        return err_set(err, ERR_CONFIG, "`%s` does not begin with https://", text);
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p > 0x7e || strchr(" \"<>\\^`{|}#", *p) != NULL)
            return err_set(err, ERR_CONFIG, "`%s` holds a character no URL has there",
                           text);
    r = host_and_port(authority, strcspn(authority, "/?"), host, &port, err);
    if (r == 0 && plain && !host_is_loopback(host)) {
        r = err_set(err, ERR_CONFIG, "`%s` would send secrets in clear", text);
        err_hint(err, "use https; http is for 127.0.0.0/8, [::1] and localhost only");
    }
    return r;
}

int
value_issuer(const char *text, struct err *err)
{
    int r = value_endpoint(text, err);

    if (r == 0 && strchr(text, '?') != NULL)
        r = err_set(err, ERR_CONFIG, "`%s` has a query, which no issuer has", text);
    return r;
}

int
value_proxy(const char *text, struct err *err)
{
    static const char *const schemes[] = {"http://",    "https://",  "socks4://",
                                          "socks4a://", "socks5://", "socks5h://"};
    const char *authority = NULL;
    char host[256];
    int port;
    int r = value_text(text, VALUE_TEXT_MAX, err);

    if (r != 0)
        return r;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
        if (strncmp(text, schemes[i], strlen(schemes[i])) == 0)
            authority = text + strlen(schemes[i]);
    if (authority == NULL) {
        wrong(err, "is not SCHEME://HOST:PORT");
        err_hint(err, "schemes: http, https, socks4, socks4a, socks5, socks5h");
        return ERR_CONFIG;
    }
    if (strchr(authority, '@') != NULL) /* not shown: there may be a password before it */
        return wrong(err, "must not hold a user or a password");
    r = host_and_port(authority, strcspn(authority, "/"), host, &port, err);
    if (r == 0 && (port == 0 || strcspn(authority, "/") + 1 < strlen(authority)))
        r = wrong(err, "is not SCHEME://HOST:PORT");
    return r;
}

int
value_server(const char *text, struct server *server_r, struct err *err)
{
    static const char *const words[] = {"tls", "starttls"};
    size_t len = strcspn(text, " ");
    const char *word = text + len + strspn(text + len, " ");
    char host[256];
    int port, which;
    char *copy;
    int r = value_text(text, VALUE_TEXT_MAX, err);

    if (r != 0)
        return r;
    if ((r = host_and_port(text, len, host, &port, err)) != 0)
        return r;
    which = word_find(words, 2, word);
    if (port == 0 || which < 0) {
        if (port == 0)
            err_set(err, ERR_CONFIG, "`%s` has no port", text);
        else if (*word == '\0')
            err_set(err, ERR_CONFIG, "`%s` does not say tls or starttls", text);
        else
            err_set(err, ERR_CONFIG, "`%s` is neither tls nor starttls", word);
        err_hint(err, "write \"HOST:PORT tls\" (TLS from the first byte) or "
                      "\"HOST:PORT starttls\"");
        return ERR_CONFIG;
    }
    if ((copy = strdup(host)) == NULL)
        return config_nomem(err);
    server_r->host = copy;
    server_r->port = port;
    server_r->security = which == 0 ? SECURITY_TLS : SECURITY_STARTTLS;
    return 0;
}
