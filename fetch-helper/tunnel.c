/* tunnel.c - see tunnel.h. */
#include "tunnel.h"

#include "../token-helper/base/log.h"
#include "../token-helper/mail/sign_in.h"

static void
reset(struct tunnel *tunnel, enum wire wire)
{
    connection_close(&tunnel->connection);
    lineio_clear(&tunnel->server);
    secret_clear(&tunnel->held);
    caps_clear(&tunnel->caps);
    caps_init(&tunnel->caps, wire);
}

/* One connection and one sign-in. */
static int
try_once(struct tunnel *tunnel, const struct mail_server *server, const char *account,
         const struct secret *secret, bool *refused_r, struct err *err)
{
    struct deadline deadline = deadline_in(TUNNEL_DEADLINE_MS);
    const char *mechanism = NULL;
    const struct sign_in q = {.wait = &tunnel->wait,
                              .in = &tunnel->server,
                              .caps = &tunnel->caps,
                              .held = &tunnel->held,
                              .host = server->host,
                              .account = account,
                              .user = server->user,
                              .secret = secret,
                              .password = server->password};
    int r;

    *refused_r = false;
    r = connection_open(server, account, TUNNEL_DEADLINE_MS, &tunnel->caps,
                        &tunnel->connection, err);
    if (r != 0)
        return r;
    log_info("%s: %s port %d: connected, TLS verified", account, server->host,
             server->port);
    tunnel->wait = (struct stream_wait){.stream = connection_stream(tunnel->connection),
                                        .deadline = deadline};
    lineio_init(&tunnel->server, SIGN_IN_LINE_MAX, stream_more, &tunnel->wait);
    if ((r = sign_in(&q, &mechanism, refused_r, err)) == 0)
        log_info("%s: signed in as %s by %s", account, server->user, mechanism);
    return r;
}

/* With the next token, if there is another one: a server that refused a token does not
 * take it a second time. */
static int
try_again(struct tunnel *tunnel, const struct mail_server *server,
          const struct settings_source *source, const struct secret *refused,
          struct err *err)
{
    struct secret fresh = SECRET_INIT;
    struct err why = ERR_INIT;
    bool again = false;
    int r = ERR_PERSON;

    log_info("%s: %s; asking for a fresh token", source->account, err->text);
    if (settings_fresh_token(source, refused, &fresh, &why) != 0) {
        /* why there is no other token says more than the refusal of this one */
        *err = why;
        r = why.code;
    } else if (!secret_equal(&fresh, refused)) {
        reset(tunnel, tunnel->caps.wire);
        r = try_once(tunnel, server, source->account, &fresh, &again, err);
    }
    secret_clear(&fresh);
    return r;
}

int
tunnel_open(struct tunnel *tunnel, const struct settings_source *source, enum wire wire,
            const char *host, const char *port, struct err *err)
{
    struct settings settings = {.json = NULL};
    struct secret secret = SECRET_INIT;
    bool refused = false;
    int r;

    *tunnel = (struct tunnel){.connection = NULL};
    caps_init(&tunnel->caps, wire);
    if ((r = settings_read(source, wire, host, port, &settings, err)) == 0 &&
        (r = settings_token(source, &secret, err)) == 0) {
        r = try_once(tunnel, &settings.server, source->account, &secret, &refused, err);
        if (refused)
            r = try_again(tunnel, &settings.server, source, &secret, err);
    }
    secret_clear(&secret);
    settings_clear(&settings);
    return r;
}

void
tunnel_close(struct tunnel *tunnel)
{
    reset(tunnel, tunnel->caps.wire);
}
