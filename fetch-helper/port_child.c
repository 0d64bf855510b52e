/* port_child.c - see port_child.h. */
#include "port_child.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

static volatile sig_atomic_t session_over;
static int session_client = -1;

/* Wakes the session wherever it waits for its client. */
static void
on_session_end(int number)
{
    (void)number;
    session_over = 1;
    shutdown(session_client, SHUT_RDWR);
}

void
port_child_signal(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};

    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static void
become_session(int client, struct port_sockets *sockets, const sigset_t *usual)
{
    session_client = client;
    port_child_signal(SIGTERM, on_session_end);
    /* a terminal's goes to all; the listener tells us */
    port_child_signal(SIGINT, SIG_IGN);
    port_child_signal(SIGHUP, SIG_IGN);
    port_child_signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, usual, NULL);
    port_sockets_close(sockets);
    prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L);
}

void
port_child_run(struct session *session, struct port_sockets *sockets,
               const sigset_t *usual)
{
    struct err err = ERR_INIT;
    int one = 1, status = EX_OK;

    become_session(session->in, sockets, usual);
    session->stop = &session_over;
    if (arrival_look(session->in, &session->arrival, &err) == 0) {
        if (session->arrival.kind == ARRIVAL_NET) {
            setsockopt(session->in, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            setsockopt(session->in, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
        }
        status = session_run(session);
    }
    close(session->in);
    local_tls_free(&session->tls);
    board_free(&session->board);
    exit(status);
}
