/* loopback.h - an HTTP server on 127.0.0.1 that does as it is told.
 *
 * Used by:  test_http.c. Runs in threads of the test, one a connection; they must not
 * fail a cmocka test, so what cannot be aborts.
 */
#ifndef MAILBEARER_TESTS_LOOPBACK_H
#define MAILBEARER_TESTS_LOOPBACK_H

enum loopback_do {
    LOOPBACK_REPLY, /* read the request, send `text`, close */
    LOOPBACK_LATE,  /* the same, after 200 ms */
    LOOPBACK_HANG,  /* read the request, say nothing */
    LOOPBACK_DRIP,  /* read the request, send `text`, then an "x" every 20 ms */
    LOOPBACK_FLOOD, /* read the request, send `text`, then `more` again and again */
    LOOPBACK_RESET, /* read the request, reset the connection */
    LOOPBACK_GREET  /* send `text` without waiting for anything, close after 100 ms */
};

struct loopback_plan {
    enum loopback_do what;
    const char *text;
    const char *more;
};

struct loopback;

/* Every connection is served so. */
struct loopback *loopback_start(const struct loopback_plan *plan);

int loopback_port(const struct loopback *server);

/* How many connections there were so far. */
int loopback_connections(struct loopback *server);

/* The last request as it came, headers and body; static until the next one. */
const char *loopback_request(struct loopback *server);

/* Ends what is under way. Returns the connections. */
int loopback_stop(struct loopback *server);

/* A port of 127.0.0.1 on which nobody listens. */
int loopback_dead_port(void);

#endif
