/* fake_agent.h - an agent that does as it is told, once a connection.
 *
 * Used by:  test_agent_client.c, test_token_source.c, test_plugin.c.
 * Runs in a thread of the test.
 */
#ifndef MAILBEARER_TESTS_FAKE_AGENT_H
#define MAILBEARER_TESTS_FAKE_AGENT_H

#include <stddef.h>

enum fake_do {
    FAKE_REPLY,  /* read the request, send `text` as a netstring */
    FAKE_MASKED, /* the same, every byte of `text` XOR FAKE_MASK: no copy in this process
                    but for a buffer that is wiped; the request is not kept either */
    FAKE_DRIP,   /* the same, a byte at a time */
    FAKE_LATE,   /* the same, after 300 ms */
    FAKE_RAW,    /* read the request, send `text` as it is, keep the connection */
    FAKE_CUT,    /* read the request, send `text` as it is, close */
    FAKE_SLAM,   /* close without reading */
    FAKE_SILENT  /* read the request, keep the connection */
};

#define FAKE_MASK 0x55

struct fake_step {
    enum fake_do what;
    const char *text;
};

struct fake_agent;

/* Listens at `path`, which it takes from whatever is there. Connection number i is served
 * by steps[i], later ones by the last step; one at a time, except for those it keeps. */
struct fake_agent *fake_agent_start(const char *path, const struct fake_step *steps,
                                    size_t count);

/* How many connections there were so far. */
int fake_agent_connections(struct fake_agent *agent);

/* The payload of the last request, as a string. */
const char *fake_agent_request(struct fake_agent *agent);

/* Stops listening, closes everything, removes the socket. Returns the connections. */
int fake_agent_stop(struct fake_agent *agent);

#endif
