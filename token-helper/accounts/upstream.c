/* upstream.c - see upstream.h. */
#include "upstream.h"

#include "../base/json.h"

static int
put_users(struct json *json, const struct name_list *users)
{
    int r = 0;

    for (size_t i = 0; i < users->count && r == 0; i++)
        r = json_append_string(json, "allow_users", users->names[i]);
    return r;
}

int
upstream_json(const struct account *account, enum protocol protocol, struct secret *out,
              struct err *err)
{
    const struct server *s = &account->server[protocol];
    struct json *json;
    int r = ERR_NOMEM;

    if (s->host == NULL) {
        err_set(err, ERR_CONFIG, "%s has no %s server", account->name,
                protocol_name(protocol));
        err_hint(err, "add to its section: %s = \"HOST:PORT tls\"",
                 protocol_name(protocol));
        return ERR_CONFIG;
    }
    if ((json = json_new()) == NULL ||
        json_put_string(json, "user", account->user) != 0 ||
        json_put_string(json, "host", s->host) != 0 ||
        json_put_integer(json, "port", s->port) != 0 ||
        json_put_string(json, "security",
                        s->security == SECURITY_TLS ? "tls" : "starttls") != 0 ||
        json_put_string(json, "proxy", account->proxy) != 0 ||
        json_put_string(json, "ca_file", account->ca_file) != 0 ||
        json_put_string(json, "auth",
                        account->grant == GRANT_APP_PASSWORD ? "plain" : "xoauth2") !=
            0 ||
        put_users(json, &account->allow_users) != 0 || json_write(json, false, out) != 0)
        err_set(err, ERR_NOMEM, "out of memory");
    else
        r = 0;
    json_free(&json);
    return r;
}
