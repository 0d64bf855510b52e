/* port_gate.c - see port_gate.h. */
#include "port_gate.h"

#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "../token-helper/base/log.h"
#include "../token-helper/ports/password_hash.h"
#include "../token-helper/ports/ports_file.h"
#include "settings.h"

#define TRIES_MAX 3
#define WAIT_MOST_MS 15000 /* whoever had to wait longer is told to come back */

/* --- waiting ---------------------------------------------------------------------------
 */

/* False when the client leaves meanwhile. One that has only ended what it says
 * (POLLRDHUP) may still be listening. */
static bool
wait_with(const struct client *client, int64_t ms)
{
    struct deadline end = deadline_in((int)ms);

    while (!deadline_passed(&end)) {
        struct pollfd p = {client->in, 0, 0};

        if (poll(&p, 1, deadline_left(&end)) > 0)
            return false;
    }
    return true;
}

/* --- the password ----------------------------------------------------------------------
 */

/* The file is read anew each time: `mailbearer passwd` counts at once. */
static int
check(const struct session *s, const char *account, const struct secret *password,
      bool *right_r, struct err *err)
{
    struct secret text = SECRET_INIT, hash = SECRET_INIT, like = SECRET_INIT;
    int r = ports_file_read(s->ports_file, &text, err);

    if (r == 0 && (r = ports_file_find(&text, account, &hash, &like)) != 0)
        err_set(err, r, "out of memory");
    if (r == 0)
        *right_r = password_is(password, hash.len > 0 ? secret_str(&hash) : NULL,
                               like.len > 0 ? secret_str(&like) : NULL);
    secret_clear(&text);
    secret_clear(&hash);
    secret_clear(&like);
    return r;
}

/* Checks when it is our turn. What is wrong with the file is for the log: whoever asks is
 * a stranger. */
static int
check_in_turn(struct port_gate *g, const char *account, const struct secret *password,
              bool *right_r, struct err *err)
{
    const struct session *s = g->session;
    struct err why = ERR_INIT;
    int turn, r;

    board_set_state(s->board, s->place, BOARD_CHECKING);
    if ((turn = board_turn(s->board, g->deadline)) == -1) {
        r = err_set(err, ERR_TEMP, "too busy to check a password");
    } else {
        r = check(s, account, password, right_r, &why);
        board_end_turn(s->board, turn);
    }
    board_set_state(s->board, s->place, BOARD_WAITING);
#ifdef __GLIBC__
    malloc_trim(0); /* what hashing took is not kept for the whole session */
#endif
    if (why.code != ERR_NONE) {
        char line[ERR_LINE_MAX];

        log_error("%s", err_line(&why, line));
        err_set(err, ERR_TEMP, "passwords cannot be checked now");
        err_hint(err, "see the log of mailbearer-fetch");
    }
    return r;
}

static enum gate_answer
judge(struct port_gate *g, const char *account, const struct secret *password,
      struct err *err)
{
    const struct session *s = g->session;
    uint64_t from = board_key(s->board, 'a', s->arrival.source, s->arrival.source_len);
    uint64_t name = board_key(s->board, 'n', account, strlen(account));
    int64_t wait = board_delay(s->board, from, name, WAIT_MOST_MS);
    bool right = false;

    if (wait > WAIT_MOST_MS) {
        log_warning("%s: sign-in from %s not looked at: too many failures lately",
                    account, s->arrival.from);
        err_set(err, ERR_TEMP, "too many failures lately");
        return GATE_FAILED;
    }
    if (!wait_with(g->client, wait))
        return GATE_GONE;
    if (check_in_turn(g, account, password, &right, err) != 0)
        return GATE_FAILED;
    if (right) {
        board_succeeded(s->board, from, name);
        return GATE_IN;
    }
    board_failed(s->board, from, name);
    g->tries++;
    log_warning("%s: wrong name or password from %s (try %d of %d)", account,
                s->arrival.from, g->tries, TRIES_MAX);
    return g->tries < TRIES_MAX ? GATE_WRONG : GATE_LAST;
}

/* --- the tunnel ------------------------------------------------------------------------
 */

/* The name the client gave, or the port's account. What cannot be an account is looked at
 * all the same, so that it takes as long. */
static void
choose_account(const struct port_gate *g, const struct secret *name,
               char account_r[PORT_GATE_NAME_MAX + 1])
{
    const struct options *o = g->session->options;
    /* a dash would make it an option of the `mailbearer` that may be run */
    bool fits = name->len > 0 && name->len <= PORT_GATE_NAME_MAX &&
                !secret_has_control(name) && secret_str(name)[0] != '-';

    snprintf(account_r, PORT_GATE_NAME_MAX + 1, "%s",
             o->account != NULL ? o->account
             : fits             ? secret_str(name)
                                : "?");
}

static enum gate_answer
open_tunnel(struct port_gate *g, struct err *err)
{
    const struct session *s = g->session;
    const struct options *o = s->options;
    const struct settings_source source = {.config = o->config,
                                           .account = g->account,
                                           .for_peer = s->arrival.kind == ARRIVAL_USER,
                                           .peer = s->arrival.uid};

    if (!board_enter(s->board, s->place)) {
        err_set(err, ERR_TEMP, "too many sessions");
        return GATE_FAILED;
    }
    log_info("%s: signed in from %s", g->account, s->arrival.from);
    g->client->deadline = NULL; /* the server has its own time */
    return tunnel_open(g->tunnel, &source, o->wire, o->host, o->port, err) == 0
               ? GATE_IN
               : GATE_FAILED;
}

static enum gate_answer
enter(struct local_gate *gate, const struct secret *name, const struct secret *password,
      struct err *err)
{
    struct port_gate *g = (struct port_gate *)gate;
    char account[PORT_GATE_NAME_MAX + 1];
    enum gate_answer answer = GATE_IN;

    choose_account(g, name, account);
    if (g->session->arrival.kind == ARRIVAL_NET)
        answer = judge(g, account, password, err);
    if (answer != GATE_IN)
        return answer;
    memcpy(g->account, account, sizeof g->account);
    return open_tunnel(g, err);
}

void
port_gate_init(struct port_gate *gate, const struct session *session,
               struct client *client, struct tunnel *tunnel,
               const struct deadline *deadline)
{
    const struct port_gate fresh = {.gate = {.enter = enter},
                                    .session = session,
                                    .client = client,
                                    .tunnel = tunnel,
                                    .deadline = deadline};

    *gate = fresh;
}
