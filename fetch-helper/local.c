/* local.c - see local.h. */
#include "local.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"

#define SAY_MAX 1024

static const struct local_protocol *const protocols[] = {
    [WIRE_IMAP] = &local_imap, [WIRE_POP3] = &local_pop3, [WIRE_SMTP] = &local_smtp};

void
local_init(struct local *local, struct client *client, const struct caps *caps,
           const struct secret *held)
{
    const struct local fresh = {.client = client, .caps = caps, .held = held};

    *local = fresh;
    lineio_init(&local->in, LOCAL_LINE_MAX, client_more, client);
}

void
local_clear(struct local *local)
{
    lineio_clear(&local->in);
    secret_clear(&local->user);
}

int
local_say(struct local *local, const char *text, struct err *err)
{
    return client_say(local->client, text, strlen(text), err);
}

int
local_sayf(struct local *local, struct err *err, const char *format, ...)
{
    char text[SAY_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return local_say(local, text, err);
}

void
local_refuse(struct client *client, enum wire wire, const struct err *why)
{
    char line[FAILURE_MAX];

    failure_line(wire, why, line);
    client_say(client, line, strlen(line), NULL);
    client_finish(client);
}

/* To a client that may not be reading: without waiting. */
static void
say_last(struct local *local, const char *text)
{
    size_t n;

    client_write(local->client, text, strlen(text), &n, NULL);
}

static int
answer_lines(struct local *local, const struct local_protocol *protocol,
             enum local_next *next_r, struct err *err)
{
    const char *line = NULL;
    int r = 0;

    while (r == 0 && *next_r == LOCAL_STAY) {
        if ((r = lineio_line(&local->in, &line, err)) == 0)
            r = protocol->command(local, line, next_r, err);
    }
    if (*next_r != LOCAL_OUT && (r == ERR_PROTOCOL || r == ERR_TIMEOUT)) {
        local->client->deadline = NULL; /* a line that does not fit any more is lost */
        say_last(local, r == ERR_TIMEOUT ? protocol->slow : protocol->bad_line);
        client_finish(local->client);
    }
    return r == LINEIO_END ? LOCAL_LEFT : r;
}

int
local_serve(struct local *local, struct err *err)
{
    const struct local_protocol *protocol = protocols[local->caps->wire];
    enum local_next next = LOCAL_STAY;
    int r = protocol->greet(local, &next, err);

    if (r == 0)
        r = answer_lines(local, protocol, &next, err);
    if (r == 0 && next == LOCAL_PASS)
        lineio_unread(&local->in);
    if (r == 0 && next == LOCAL_OUT)
        client_finish(local->client);
    return r == 0 && next == LOCAL_OUT ? LOCAL_LEFT : r;
}
