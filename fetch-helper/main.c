/* main.c - `mailbearer-fetch`: a session with the mail server, already signed in, on
 * standard input and output, or at a local port. */
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

#include "../token-helper/base/json.h"
#include "../token-helper/base/log.h"
#include "../token-helper/base/process.h"
#include "../token-helper/mail/connection.h"
#include "../token-helper/ports/ports_file.h"
#include "listener.h"
#include "local.h"
#include "port_sockets.h"
#include "session.h"
#include "service_user.h"
#include "settings.h"

#define PROGRAM "mailbearer-fetch"
#define PATH_MAX_BYTES 4096

/* A tunnel is silent unless asked: some mail programs read our standard error as the
 * server's words. A port has a log of its own, where who failed to sign in must be. */
static void
set_up_log(const struct options *o, bool port)
{
    log_set_level(o->verbose ? LOG_LEVEL_INFO
                  : port     ? LOG_LEVEL_WARNING
                             : LOG_LEVEL_ERROR);
    if (o->to_syslog)
        log_to_syslog(PROGRAM);
}

static int
say(const struct err *err)
{
    char line[ERR_LINE_MAX];

    log_error("%s", err_line(err, line));
    return err_exit_status(err->code);
}

/* The connection systemd has accepted (Accept=yes, StandardInput=socket). */
static int
serve_arrival(struct session *session)
{
    const struct options *o = session->options;
    struct err err = ERR_INIT;
    int status, r;

    r = board_new(1, 1, o->failure_ms, &session->board, &err);
    if (r == 0 && o->tls_cert != NULL)
        r = local_tls_load(o->tls_cert, o->tls_key, &session->tls, &err);
    if (r == 0)
        r = service_user(o->user, &err);
    if (r == 0)
        session->place = board_take(session->board);
    status = r == 0 ? session_run(session) : say(&err);
    local_tls_free(&session->tls);
    board_free(&session->board);
    return status;
}

static int
serve_standard_files(const struct options *o, const char *ports_file)
{
    struct session session = {
        .options = o, .in = STDIN_FILENO, .out = STDOUT_FILENO, .ports_file = ports_file};
    struct err err = ERR_INIT;

    if (arrival_look(STDIN_FILENO, &session.arrival, &err) != 0)
        return say(&err);
    if (session.arrival.kind == ARRIVAL_STARTED &&
        arrival_look(STDOUT_FILENO, &session.arrival, &err) != 0)
        return say(&err);
    set_up_log(o, session.arrival.kind != ARRIVAL_STARTED);
    if (session.arrival.kind != ARRIVAL_STARTED)
        return serve_arrival(&session);
    return o->account != NULL ? session_run(&session) : options_need_account();
}

static int
start(const struct options *o)
{
    char ports_file[PATH_MAX_BYTES] = "";
    struct client client;
    struct err err = ERR_INIT;
    bool port = port_sockets_wanted(o);
    int r;

    set_up_log(o, port);
    if ((r = settings_ports_file(o->config, ports_file, sizeof ports_file, &err)) == 0)
        r = connection_setup(&err);
    if (r != 0 && !port) {
        client_open(&client, STDIN_FILENO, STDOUT_FILENO);
        local_refuse(&client, o->wire, &err);
        return o->verbose || o->to_syslog ? say(&err) : err_exit_status(r);
    }
    if (r != 0)
        return say(&err);
    return port ? listener_run(o, ports_file) : serve_standard_files(o, ports_file);
}

int
main(int argc, char **argv)
{
    struct options options;
    int status;

    if (process_begin() != 0)
        return EX_OSERR;
    signal(SIGPIPE, SIG_IGN); /* a mail program that is gone is an EPIPE here */
    if ((status = options_read(argc, argv, &options)) >= 0)
        return status;
    json_setup();
    return start(&options);
}
