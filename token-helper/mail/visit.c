/* visit.c - see visit.h. */
#include "visit.h"

#include "sign_in.h"

#define GOODBYE_MS 1000

int
visit_open(struct visit *visit, enum wire wire, const struct mail_server *server,
           const char *account, int deadline_ms, struct err *err)
{
    struct deadline deadline = deadline_in(deadline_ms);
    int r;

    *visit = (struct visit){.server = server, .account = account};
    caps_init(&visit->caps, wire);
    if (deadline_ms <= 0) /* which libcurl would take for "for ever" */
        return err_set(err, ERR_TIMEOUT, "%s: no time is left for it", server->host);
    r = connection_open(server, account, deadline_ms, &visit->caps, &visit->connection,
                        err);
    if (r != 0)
        return r;
    visit->wait = (struct stream_wait){.stream = connection_stream(visit->connection),
                                       .deadline = deadline,
                                       .stop = server->stop};
    lineio_init(&visit->in, SIGN_IN_LINE_MAX, stream_more, &visit->wait);
    return 0;
}

int
visit_sign_in(struct visit *visit, const struct secret *secret, struct err *err)
{
    const struct sign_in q = {.wait = &visit->wait,
                              .in = &visit->in,
                              .caps = &visit->caps,
                              .answer = &visit->answer,
                              .host = visit->server->host,
                              .account = visit->account,
                              .user = visit->server->user,
                              .secret = secret,
                              .password = visit->server->password};

    visit->secret = secret;
    return sign_in(&q, &visit->mechanism, &visit->refused, err);
}

int
visit_command(struct visit *visit, const char *line, bool *yes_r,
              char said_r[COMMAND_SAID_MAX], struct err *err)
{
    const struct command c = {.wait = &visit->wait,
                              .in = &visit->in,
                              .wire = visit->caps.wire,
                              .host = visit->server->host,
                              .secret = visit->secret};

    return command_do(&c, line, yes_r, said_r, err);
}

/* What it answers is of no interest, but servers note it when somebody just hangs up. */
static void
say_goodbye(struct visit *visit)
{
    char said[COMMAND_SAID_MAX];
    bool yes;

    if (deadline_left(&visit->wait.deadline) > GOODBYE_MS)
        visit->wait.deadline = deadline_in(GOODBYE_MS);
    if (!deadline_passed(&visit->wait.deadline))
        visit_command(visit, visit->caps.wire == WIRE_IMAP ? "LOGOUT" : "QUIT", &yes,
                      said, NULL);
}

void
visit_close(struct visit *visit)
{
    if (visit->connection != NULL && visit->mechanism != NULL)
        say_goodbye(visit);
    connection_close(&visit->connection);
    lineio_clear(&visit->in);
    caps_clear(&visit->caps);
    secret_clear(&visit->answer);
}
