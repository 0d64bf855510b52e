/* local_kit.h - a client that has said everything before it is answered, for the tests of
 * the local protocols.
 *
 * Used by:  test_local_imap.c, test_local_pop3.c, test_local_smtp.c, test_local_gate.c.
 */
#ifndef MAILBEARER_TESTS_LOCAL_KIT_H
#define MAILBEARER_TESTS_LOCAL_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../fetch-helper/local.h"

struct kit {
    const char *server[12]; /* lines the server said, NULL at the end */
    const char *held;       /* its untagged replies */
    bool greeting;
    struct local_gate *gate;
    /* what came out */
    int r;
    struct err err;
    char said[65536];
    char rest[65536];
    size_t rest_len;
};

/* Lets a client say bytes[0..len) and hang up. Fills in kit->r and what follows. */
static inline void
kit_talk(struct kit *kit, enum wire wire, const char *bytes, size_t len)
{
    struct secret held = SECRET_INIT;
    struct client client;
    struct local local;
    struct caps caps;
    const char *rest;
    int pair[2];
    ssize_t n;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(write(pair[0], bytes, len), (ssize_t)len);
    assert_int_equal(shutdown(pair[0], SHUT_WR), 0);
    caps_init(&caps, wire);
    for (size_t i = 0; kit->server[i] != NULL; i++)
        caps_line(&caps, kit->server[i], strlen(kit->server[i]));
    if (kit->held != NULL)
        assert_int_equal(secret_append_str(&held, kit->held), 0);
    client_open(&client, pair[1], pair[1]);
    local_init(&local, &client, &caps, &held);
    local.greeting = kit->greeting;
    local.gate = kit->gate;
    kit->r = local_serve(&local, &kit->err);
    rest = lineio_rest(&local.in, &kit->rest_len);
    assert_true(kit->rest_len < sizeof kit->rest);
    memcpy(kit->rest, rest, kit->rest_len);
    kit->rest[kit->rest_len] = '\0';
    close(pair[1]);
    n = recv(pair[0], kit->said, sizeof kit->said - 1, MSG_WAITALL);
    assert_true(n >= 0);
    kit->said[n] = '\0';
    close(pair[0]);
    local_clear(&local);
    caps_clear(&caps);
    secret_clear(&held);
}

/* The same with a text; checks everything that came out. */
static inline void
kit_expect(struct kit *kit, enum wire wire, const char *text, int r, const char *said,
           const char *rest)
{
    kit_talk(kit, wire, text, strlen(text));
    assert_string_equal(kit->said, said);
    assert_int_equal(kit->r, r);
    assert_string_equal(kit->rest, rest);
}

/* A line one byte longer than is taken, and one with a NUL: refused with these words. */
static inline void
kit_refuses(struct kit *kit, enum wire wire, const char *greeting, const char *words)
{
    static const char nul[] = "NO\0OP\r\n";
    static char text[LOCAL_LINE_MAX + 1];

    for (int i = 0; i < 2; i++) {
        memset(text, 'x', sizeof text);
        kit_talk(kit, wire, i == 0 ? text : nul, i == 0 ? sizeof text : sizeof nul - 1);
        assert_int_equal(kit->r, ERR_PROTOCOL);
        assert_memory_equal(kit->said, greeting, strlen(greeting));
        assert_string_equal(strchr(kit->said, '\n') + 1, words);
    }
}

#endif
