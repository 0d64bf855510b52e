/* loopback.h - waits for the browser to come back from a sign-in (RFC 8252 7.3).
 *
 * Used by:  commands/ (the sign-in with a browser)
 * Includes: web_page.h, client/, libc.
 *
 * An HTTP listener for one address and one path, for as long as a sign-in takes. It never
 * blocks: its descriptor becomes readable when there is something to do, loopback_step()
 * does it. Whatever is not the answer that is waited for (another path or method, too
 * long, too slow, too many) gets a page that says so, is noted, and changes nothing: the
 * listener waits on. It knows nothing of OAuth: what came on the right path is shown to
 * `arrived`.
 */
#ifndef MAILBEARER_LOOPBACK_H
#define MAILBEARER_LOOPBACK_H

#include "../client/error.h"
#include "web_page.h"

#define LOOPBACK_CONNECTIONS 16 /* at once; the oldest gives way to a new one */
#define LOOPBACK_HEAD_MS 10000  /* for a request to come in whole */
#define LOOPBACK_ANSWER_MS 5000 /* for the page to be taken */
#define LOOPBACK_NOTES_MAX 20   /* noted one by one, the others only answered */

struct loopback;

enum loopback_decision {
    LOOPBACK_ANSWER, /* *page_r is the answer, and its text is noted; go on waiting */
    LOOPBACK_HOLD,   /* this is it: the browser waits until loopback_finish() */
};

struct loopback_options {
    /* A numeric address or "localhost"; NULL and "localhost" are 127.0.0.1 and ::1, both
     * with the same port; the second one is left out where there is no IPv6. */
    const char *address;
    int port;         /* 0: any that is free */
    const char *path; /* borrowed; "" is the same as "/" */
    /* A request for the path has come; the query may be anything. */
    enum loopback_decision (*arrived)(void *arg, const char *query, size_t len,
                                      struct web_page *page_r);
    /* One line to tell the person, without anything that a stranger sent. */
    void (*note)(void *arg, const char *text);
    void *arg;
};

/* 0; ERR_CONFIG: the address is none, or not this machine's; ERR_TEMP: the port is taken;
 * ERR_DENIED: it is a port for root; ERR_NOMEM. */
int loopback_open(const struct loopback_options *options, struct loopback **loopback_r,
                  struct err *err);

int loopback_local_port(const struct loopback *loopback);

/* To be polled for reading. */
int loopback_fd(const struct loopback *loopback);

/* Milliseconds until loopback_step() is to be called even if nothing came; -1: never. */
int loopback_timeout(const struct loopback *loopback);

/* Does what can be done without waiting. */
void loopback_step(struct loopback *loopback);

/* Answers the request that was held, if its browser is still there. */
void loopback_finish(struct loopback *loopback, const struct web_page *page);

/* Takes no more connections, and waits until what was answered has been taken, at most
 * LOOPBACK_ANSWER_MS. */
void loopback_flush(struct loopback *loopback);

/* Closes all, frees, sets NULL. Takes NULL. */
void loopback_close(struct loopback **loopback);

#endif
