/* main.c - `mailbearer-fetch`: a session with the mail server, already signed in, on
 * standard input and output. */
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

#include "../token-helper/base/json.h"
#include "../token-helper/base/log.h"
#include "../token-helper/base/process.h"
#include "local.h"
#include "options.h"
#include "splice.h"
#include "tunnel.h"

#define PROGRAM "mailbearer-fetch"

/* Silent unless asked: some mail programs read our standard error as the server's words.
 */
static void
set_up_log(const struct options *o)
{
    log_set_level(o->verbose ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR);
    if (o->to_syslog)
        log_to_syslog(PROGRAM);
}

static int
report(const struct options *o, const struct err *err)
{
    char line[ERR_LINE_MAX];

    if (o->verbose || o->to_syslog)
        log_error("%s: %s", o->account, err_line(err, line));
    return err_exit_status(err->code);
}

static int
carry(const struct options *o, struct tunnel *tunnel, struct local *local,
      struct err *err)
{
    struct splice splice = {.client = local->client,
                            .server = connection_stream(tunnel->connection),
                            .drain_ms = SPLICE_DRAIN_MS};
    int r;

    splice.from_client = lineio_rest(&local->in, &splice.from_client_len);
    splice.from_server = lineio_rest(&tunnel->server, &splice.from_server_len);
    r = splice_run(&splice, err);
    log_info("%s: session over, %llu bytes to the server, %llu from it", o->account,
             (unsigned long long)splice.up, (unsigned long long)splice.down);
    return r;
}

/* Everything between the command line and the exit status. */
static int
serve(const struct options *o, struct client *client)
{
    const struct settings_source source = {o->config, o->account};
    struct tunnel tunnel;
    struct local local;
    struct err err = ERR_INIT;
    int r = tunnel_open(&tunnel, &source, o->wire, o->host, o->port, &err);

    local_init(&local, client, &tunnel.caps, &tunnel.held);
    local.greeting = o->greeting;
    if (r != 0)
        local_refuse(client, o->wire, &err);
    else if ((r = local_serve(&local, &err)) == 0)
        r = carry(o, &tunnel, &local, &err);
    local_clear(&local);
    tunnel_close(&tunnel);
    return r == 0 || r == LOCAL_LEFT ? EX_OK : report(o, &err);
}

int
main(int argc, char **argv)
{
    struct options options;
    struct client client;
    struct err err = ERR_INIT;
    int status;

    if (process_begin() != 0)
        return EX_OSERR;
    signal(SIGPIPE, SIG_IGN); /* a mail program that is gone is an EPIPE here */
    if ((status = options_read(argc, argv, &options)) >= 0)
        return status;
    set_up_log(&options);
    json_setup();
    client_open(&client, STDIN_FILENO, STDOUT_FILENO);
    if (connection_setup(&err) != 0) {
        local_refuse(&client, options.wire, &err);
        return report(&options, &err);
    }
    return serve(&options, &client);
}
