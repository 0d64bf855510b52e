/* redirect_target.c - see redirect.h: what redirect_uri says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "redirect.h"

static int
refuse_target(const char *uri, const char *why, struct err *err)
{
    err_set(err, ERR_CONFIG, "redirect_uri %.200s: %s", uri, why);
    err_hint(err, "write it as registered, e.g. http://localhost:9090/register/");
    return ERR_CONFIG;
}

/* Where scheme and `//` end; 0 when it is neither http nor https. */
static size_t
host_start(const char *uri)
{
    if (strncasecmp(uri, "http://", 7) == 0)
        return 7;
    return strncasecmp(uri, "https://", 8) == 0 ? 8 : 0;
}

/* Length of the host as written, the brackets of an IPv6 address included. */
static size_t
host_length(const char *host)
{
    size_t n;

    if (host[0] != '[')
        return strcspn(host, ":/?#");
    n = strcspn(host, "]");
    return host[n] == ']' ? n + 1 : 0;
}

/* The port behind the colon; 0: none is written, -1: not one. */
static int
read_port(const char *text, size_t *len_r)
{
    size_t n;
    long port;

    *len_r = 0;
    if (text[0] != ':')
        return 0;
    n = strspn(text + 1, "0123456789");
    *len_r = n + 1;
    port = n > 0 && n <= 5 ? strtol(text + 1, NULL, 10) : -1;
    return port >= 1 && port <= 65535 ? (int)port : -1;
}

static bool
is_loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host));
}

int
redirect_target_parse(const char *uri, struct redirect_target *target_r, struct err *err)
{
    struct redirect_target t = {.https = strncasecmp(uri, "https:", 6) == 0};
    size_t start = host_start(uri), n, m;
    const char *host = uri + start, *path;

    if (start == 0)
        return refuse_target(uri, "it is not an http or https address", err);
    n = host_length(host);
    t.port = read_port(host + n, &m);
    path = host + n + m;
    if (n == 0 || t.port < 0 || strchr("/?", path[0]) == NULL)
        return refuse_target(uri, "host or port cannot be read", err);
    m = strcspn(path, "?#");
    if (n > REDIRECT_HOST_MAX || m > REDIRECT_PATH_MAX)
        return refuse_target(uri, "it is too long", err);
    if (host[0] == '[')
        snprintf(t.host, sizeof t.host, "%.*s", (int)n - 2, host + 1);
    else
        snprintf(t.host, sizeof t.host, "%.*s", (int)n, host);
    snprintf(t.path, sizeof t.path, "%.*s", (int)m, path);
    t.loopback = !t.https && is_loopback(t.host);
    *target_r = t;
    return 0;
}

int
redirect_with_port(const char *uri, int port, struct secret *out, struct err *err)
{
    size_t start = host_start(uri), n = host_length(uri + start), old;
    char text[16];

    read_port(uri + start + n, &old);
    snprintf(text, sizeof text, ":%d", port);
    if (secret_append(out, uri, start + n) != 0 || secret_append_str(out, text) != 0 ||
        secret_append_str(out, uri + start + n + old) != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    return 0;
}
