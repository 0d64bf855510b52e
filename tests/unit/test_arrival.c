/* test_arrival.c - who is at the other end of a descriptor. */
#include "scratch.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include "../../fetch-helper/arrival.h"

static char dir[SCRATCH_PATH_MAX];

static int
setup(void **state)
{
    (void)state;
    scratch_make(dir);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    scratch_remove(dir);
    return 0;
}

static bool
loopback(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return arrival_is_loopback((const struct sockaddr *)(const void *)&v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return arrival_is_loopback((const struct sockaddr *)(const void *)&v6);
}

static void
addresses(void **state)
{
    static const char *const near[] = {"127.0.0.1", "127.9.9.9", "::1",
                                       "::ffff:127.0.0.1"};
    static const char *const far[] = {
        "0.0.0.0", "128.0.0.1", "10.0.0.1", "::", "fe80::1", "::ffff:192.0.2.1", "::2"};
    struct sockaddr_un path = {.sun_family = AF_UNIX};

    (void)state;
    for (size_t i = 0; i < sizeof near / sizeof near[0]; i++)
        assert_true(loopback(near[i]));
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++)
        assert_false(loopback(far[i]));
    assert_false(arrival_is_loopback((const struct sockaddr *)(const void *)&path));
}

/* The bytes somebody at this address is known by, as hexadecimal digits. */
static const char *
source(const char *text)
{
    static char hex[2 * ARRIVAL_SOURCE_MAX + 1];
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    unsigned char bytes[ARRIVAL_SOURCE_MAX];
    size_t n;

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        n = arrival_source((const struct sockaddr *)(const void *)&v4, bytes);
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
        n = arrival_source((const struct sockaddr *)(const void *)&v6, bytes);
    }
    for (size_t i = 0; i < n; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    return hex;
}

static void
who_is_responsible(void **state)
{
    (void)state;
    assert_string_equal(source("192.0.2.7"), "c0000207");
    assert_string_equal(source("::ffff:192.0.2.7"), "c0000207");
    assert_string_equal(source("2001:db8:1:2:3:4:5:6"), "20010db800010002");
    /* the neighbours on a link are not one household */
    assert_string_equal(source("fe80::3"), "fe800000000000000000000000000003");
}

/* Listens at `address`, connects, looks at the end that was accepted; with `gone` when
 * the client is gone. */
static struct arrival
arrived(int family, const void *address, socklen_t len, bool gone)
{
    struct sockaddr_storage where;
    socklen_t size = sizeof where;
    struct arrival a = {.kind = ARRIVAL_STARTED};
    struct err err = ERR_INIT;
    int l = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int c = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int s;

    assert_int_equal(bind(l, address, len), 0);
    assert_int_equal(listen(l, 1), 0);
    assert_int_equal(getsockname(l, (struct sockaddr *)&where, &size), 0);
    assert_int_equal(connect(c, (struct sockaddr *)&where, size), 0);
    assert_int_not_equal(s = accept(l, NULL, NULL), -1);
    if (gone)
        close(c);
    assert_int_equal(arrival_look(s, &a, &err), 0);
    close(s);
    if (!gone)
        close(c);
    close(l);
    return a;
}

static struct arrival
connected(int family, const void *address, socklen_t len)
{
    return arrived(family, address, len, false);
}

/* Over loopback the user counts, not the address. */
static void
assert_is_this_user(const struct arrival *a, const char *address)
{
    uid_t uid = geteuid();
    char expected[80];

    snprintf(expected, sizeof expected, "%s uid %lu", address, (unsigned long)uid);
    assert_string_equal(a->from, expected);
    assert_int_equal(a->source_len, 4 + sizeof uid);
    assert_memory_equal(a->source, "\x7f\0\0\1", 4);
    assert_memory_equal(a->source + 4, &uid, sizeof uid);
}

static void
tcp(void **state)
{
    const struct sockaddr_in v4 = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct arrival a = connected(AF_INET, &v4, sizeof v4);

    (void)state;
    assert_int_equal(a.kind, ARRIVAL_NET);
    assert_true(a.loopback);
    assert_is_this_user(&a, "127.0.0.1");
}

static void
tcp_with_both_kinds_of_addresses(void **state)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct arrival a;
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    if (fd == -1)
        return; /* a machine without IPv6 */
    close(fd);
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &v6.sin6_addr);
    a = connected(AF_INET6, &v6, sizeof v6);
    assert_int_equal(a.kind, ARRIVAL_NET);
    assert_true(a.loopback);
    assert_is_this_user(&a, "127.0.0.1");
}

static void
ipv6_loopback_is_the_same_user(void **state)
{
    const struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                                    .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct arrival a;

    (void)state;
    if (fd == -1 ||
        bind(fd, (const struct sockaddr *)(const void *)&v6, sizeof v6) != 0) {
        close(fd);
        return; /* a machine without IPv6 */
    }
    close(fd);
    a = connected(AF_INET6, &v6, sizeof v6);
    assert_is_this_user(&a, "::1");
}

/* A client that has closed its socket already: nobody's, and not root's. */
static void
who_is_gone_already(void **state)
{
    const struct sockaddr_in v4 = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct arrival a = arrived(AF_INET, &v4, sizeof v4, true);

    (void)state;
    assert_string_equal(a.from, "127.0.0.1");
    assert_int_equal(a.source_len, 4);
}

static void
a_socket_with_a_name(void **state)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    struct arrival a;
    char expected[32];

    (void)state;
    snprintf(path.sun_path, sizeof path.sun_path, "%.90s/s", dir);
    a = connected(AF_UNIX, &path, sizeof path);
    assert_int_equal(a.kind, ARRIVAL_USER);
    assert_int_equal(a.uid, geteuid());
    snprintf(expected, sizeof expected, "uid %lu", (unsigned long)geteuid());
    assert_string_equal(a.from, expected);
    assert_int_equal(a.source_len, sizeof(uid_t));
}

static void
whoever_started_us(void **state)
{
    struct arrival a = {.kind = ARRIVAL_NET};
    struct err err = ERR_INIT;
    int pair[2], ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(arrival_look(pair[0], &a, &err), 0);
    assert_int_equal(a.kind, ARRIVAL_STARTED);
    close(pair[0]);
    close(pair[1]);
    a.kind = ARRIVAL_NET;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(arrival_look(ends[0], &a, &err), 0);
    assert_int_equal(a.kind, ARRIVAL_STARTED);
    close(ends[0]);
    close(ends[1]);
}

static void
what_is_not_served(void **state)
{
    struct arrival a = {.kind = ARRIVAL_STARTED};
    struct err err = ERR_INIT;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_int_equal(arrival_look(fd, &a, &err), ERR_TEMP); /* nobody is there */
    assert_string_equal(err.text, "the mail program is gone");
    close(fd);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(addresses),
        T(who_is_responsible),
        T(tcp),
        T(ipv6_loopback_is_the_same_user),
        T(tcp_with_both_kinds_of_addresses),
        T(who_is_gone_already),
        T(a_socket_with_a_name),
        T(whoever_started_us),
        T(what_is_not_served),
    };

    return cmocka_run_group_tests_name("arrival", tests, NULL, NULL);
}
