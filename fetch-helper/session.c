/* session.c - see session.h. */
#include "session.h"

#include <sysexits.h>

#include "../token-helper/base/log.h"
#include "local.h"
#include "port_gate.h"
#include "splice.h"
#include "tunnel.h"

/* What a session is made of. */
struct parts {
    const struct session *s;
    struct client client;
    struct deadline deadline; /* for the local sign-in */
    struct tunnel tunnel;
    struct local local;
    struct port_gate gate;
    struct stream *tls;
};

int
session_check_reach(const struct options *o, bool loopback, struct err *err)
{
    if (loopback || (o->allow_remote && o->tls_cert != NULL))
        return 0;
    err_set(err, ERR_USAGE,
            "others can reach this address: passwords and mail would be "
            "theirs to read");
    err_hint(err, o->tls_cert == NULL
                      ? "listen on 127.0.0.1 or ::1; or give --tls-cert, --tls-key and "
                        "--allow-remote"
                      : "give --allow-remote as well, if that is meant");
    return ERR_USAGE;
}

static const char *
account_of(const struct parts *p)
{
    return p->gate.account[0] != '\0'       ? p->gate.account
           : p->s->options->account != NULL ? p->s->options->account
                                            : "?";
}

static int
report(const struct parts *p, const struct err *err)
{
    const struct options *o = p->s->options;
    char line[ERR_LINE_MAX];

    /* a tunnel is silent unless asked: some mail programs read our standard error as the
     * server's words */
    if (p->s->arrival.kind != ARRIVAL_STARTED)
        log_warning("%s: session from %s: %s", account_of(p), p->s->arrival.from,
                    err_line(err, line));
    else if (o->verbose || o->to_syslog)
        log_error("%s: %s", account_of(p), err_line(err, line));
    return err_exit_status(err->code);
}

/* What the client sent with its sign-in is wiped before the session begins. */
static int
carry(struct parts *p, struct err *err)
{
    struct secret rest = SECRET_INIT;
    struct splice splice = {.client = &p->client,
                            .server = connection_stream(p->tunnel.connection),
                            .drain_ms = SPLICE_DRAIN_MS,
                            .stop = p->s->stop};
    size_t len = 0;
    const char *bytes = lineio_rest(&p->local.in, &len);
    int r = secret_append(&rest, bytes, len);

    local_clear(&p->local);
    splice.from_client = secret_str(&rest);
    splice.from_client_len = rest.len;
    splice.from_server = lineio_rest(&p->tunnel.server, &splice.from_server_len);
    r = r == 0 ? splice_run(&splice, err) : err_set(err, r, "out of memory");
    secret_clear(&rest);
    log_info("%s: session over, %llu bytes to the server, %llu from it", account_of(p),
             (unsigned long long)splice.up, (unsigned long long)splice.down);
    return r;
}

/* --- the server first ------------------------------------------------------------------
 */

static int
as_tunnel(struct parts *p, struct err *err)
{
    const struct options *o = p->s->options;
    const struct settings_source source = {.config = o->config,
                                           .account = o->account,
                                           .for_peer = p->s->arrival.kind == ARRIVAL_USER,
                                           .peer = p->s->arrival.uid};
    int r;

    if (p->s->board != NULL && !board_enter(p->s->board, p->s->place))
        r = err_set(err, ERR_TEMP, "too many sessions");
    else
        r = tunnel_open(&p->tunnel, &source, o->wire, o->host, o->port, err);
    local_init(&p->local, &p->client, &p->tunnel.caps, &p->tunnel.held);
    p->local.greeting = o->greeting;
    if (r != 0)
        local_refuse(&p->client, o->wire, err);
    else if ((r = local_serve(&p->local, err)) == 0)
        r = carry(p, err);
    return r;
}

/* --- the client first ------------------------------------------------------------------
 */

static int
begin_tls(struct parts *p, struct err *err)
{
    int r = local_tls_accept(p->s->tls, p->s->in, &p->deadline, &p->tls, err);

    if (r == 0)
        p->client.tls = p->tls;
    return r;
}

static int
on_starttls(struct local_gate *gate, struct err *err)
{
    struct parts *p =
        (struct parts *)(void *)((char *)gate - offsetof(struct parts, gate));
    int r = begin_tls(p, err);

    gate->needs_tls = r != 0;
    return r;
}

static int
behind_gate(struct parts *p, struct err *err)
{
    const struct session *s = p->s;
    bool tls = s->tls != NULL && s->arrival.kind == ARRIVAL_NET;
    int r = 0;

    p->client.deadline = &p->deadline;
    if (tls && !s->options->starttls && (r = begin_tls(p, err)) != 0)
        return r;
    port_gate_init(&p->gate, s, &p->client, &p->tunnel, &p->deadline);
    p->gate.gate.needs_tls = tls && s->options->starttls;
    p->gate.gate.start_tls = on_starttls;
    local_init(&p->local, &p->client, &p->tunnel.caps, &p->tunnel.held);
    p->local.gate = &p->gate.gate;
    if ((r = local_serve(&p->local, err)) == 0) {
        p->client.deadline = NULL;
        r = carry(p, err);
    }
    return r;
}

int
session_run(const struct session *s)
{
    struct parts p = {.s = s, .deadline = deadline_in(s->options->sign_in_ms)};
    struct err err = ERR_INIT;
    int r = 0;

    client_open(&p.client, s->in, s->out);
    caps_init(&p.tunnel.caps, s->options->wire);
    if (s->arrival.kind == ARRIVAL_NET)
        r = session_check_reach(s->options, s->arrival.loopback, &err);
    if (r == 0)
        r = s->arrival.kind == ARRIVAL_NET || s->options->account == NULL
                ? behind_gate(&p, &err)
                : as_tunnel(&p, &err);
    local_clear(&p.local);
    tunnel_close(&p.tunnel);
    local_tls_close(&p.tls);
    return r == 0 || r == LOCAL_LEFT ? EX_OK : report(&p, &err);
}
