/* loopback_user.c - see loopback_user.h. */
#include "loopback_user.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* Not <linux/inet_diag.h>: the kernel's headers are not everywhere where a libc's are.
 * The kernel keeps these as they are (netlink(7), sock_diag(7)). */
#define OF_SOCKETS 4    /* NETLINK_SOCK_DIAG */
#define BY_FAMILY 20    /* SOCK_DIAG_BY_FAMILY */
#define IS_REQUEST 1    /* NLM_F_REQUEST */
#define ANY UINT32_MAX  /* of all states; INET_DIAG_NOCOOKIE */
#define ANSWER_MAX 8192 /* with what else it may tell */

struct kernel_address {
    uint16_t family, unused;
    uint32_t pid, groups;
};

struct head {
    uint32_t len;
    uint16_t type, flags;
    uint32_t sequence, pid;
};

/* Ports and addresses in network order. */
struct ends {
    uint16_t port, other_port;
    uint32_t address[4], other_address[4];
    uint32_t interface, cookie[2];
};

struct question {
    struct head head;
    uint8_t family, protocol, extensions, unused;
    uint32_t states;
    struct ends ends;
};

struct answer {
    struct head head;
    uint8_t family, state, timer, retransmits;
    struct ends ends;
    uint32_t expires, to_read, to_write, uid, inode;
};

static void
put_end(const struct sockaddr *end, uint32_t address_r[4], uint16_t *port_r)
{
    const struct sockaddr_in *v4 = (const void *)end;
    const struct sockaddr_in6 *v6 = (const void *)end;

    if (end->sa_family == AF_INET6) {
        memcpy(address_r, &v6->sin6_addr, sizeof v6->sin6_addr);
        *port_r = v6->sin6_port;
    } else {
        memcpy(address_r, &v4->sin_addr, sizeof v4->sin_addr);
        *port_r = v4->sin_port;
    }
}

static bool
ask(int fd, const struct sockaddr *peer, const struct sockaddr *own)
{
    const struct kernel_address kernel = {.family = AF_NETLINK};
    struct question q = {
        .head = {.len = sizeof q, .type = BY_FAMILY, .flags = IS_REQUEST},
        .family = (uint8_t)peer->sa_family,
        .protocol = IPPROTO_TCP,
        .states = ANY,
        .ends = {.cookie = {ANY, ANY}},
    };

    put_end(peer, q.ends.address, &q.ends.port);
    put_end(own, q.ends.other_address, &q.ends.other_port);
    return sendto(fd, &q, sizeof q, 0, (const struct sockaddr *)(const void *)&kernel,
                  sizeof kernel) == (ssize_t)sizeof q;
}

/* The answer is there when the question has been taken: it is not waited for. A socket
 * that its process has closed has no file any more, and would be called root's. */
static bool
read_answer(int fd, uid_t *uid_r)
{
    union {
        struct answer answer;
        char room[ANSWER_MAX];
    } got;
    ssize_t n = recv(fd, &got, sizeof got, MSG_DONTWAIT);

    if (n < (ssize_t)sizeof got.answer || got.answer.head.type != BY_FAMILY ||
        got.answer.inode == 0)
        return false;
    *uid_r = got.answer.uid;
    return true;
}

bool
loopback_user(const struct sockaddr *peer, const struct sockaddr *own, uid_t *uid_r)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, OF_SOCKETS);
    bool found = fd != -1 && ask(fd, peer, own) && read_answer(fd, uid_r);

    if (fd != -1)
        close(fd);
    return found;
}
