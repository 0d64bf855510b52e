/* landlock.c - see landlock.h. */
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>
#include <sys/syscall.h>

/* Not <linux/landlock.h>: it is as old as the machine the program is built on, which may
 * be older than the one it runs on. Since which version of the interface each is there is
 * behind it. */
#define FS_EXECUTE (1ULL << 0) /* 1 */
#define FS_WRITE_FILE (1ULL << 1)
#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIR (1ULL << 3)
#define FS_REMOVE_DIR (1ULL << 4)
#define FS_REMOVE_FILE (1ULL << 5)
#define FS_MAKE_CHAR (1ULL << 6)
#define FS_MAKE_DIR (1ULL << 7)
#define FS_MAKE_REG (1ULL << 8)
#define FS_MAKE_SOCK (1ULL << 9)
#define FS_MAKE_FIFO (1ULL << 10)
#define FS_MAKE_BLOCK (1ULL << 11)
#define FS_MAKE_SYM (1ULL << 12)
#define FS_REFER (1ULL << 13)                  /* 2 */
#define FS_TRUNCATE (1ULL << 14)               /* 3 */
#define FS_IOCTL_DEV (1ULL << 15)              /* 5 */
#define NET_BIND_TCP (1ULL << 0)               /* 4 */
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0) /* 6 */
#define SCOPE_SIGNAL (1ULL << 1)
#define CREATE_VERSION 1u
#define RULE_PATH_BENEATH 1

/* The same numbers on every architecture, but alpha. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

struct ruleset_attr {
    uint64_t fs, net, scoped;
};

struct path_beneath_attr {
    uint64_t allowed;
    int32_t parent_fd;
} __attribute__((packed));

static uint64_t
fs_rights(int abi)
{
    uint64_t rights = (FS_MAKE_SYM << 1) - 1;

    if (abi >= 2)
        rights |= FS_REFER;
    if (abi >= 3)
        rights |= FS_TRUNCATE;
    if (abi >= 5)
        rights |= FS_IOCTL_DEV;
    return rights;
}

int
landlock_open(int *fd_r, int *abi_r)
{
    struct ruleset_attr attr = {0};
    long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_VERSION);
    size_t size = sizeof attr.fs; /* an older kernel takes no more */
    long fd;

    if (abi <= 0)
        return abi < 0 ? errno : ENOSYS;
    attr.fs = fs_rights((int)abi);
    if (abi >= 4) {
        attr.net = NET_BIND_TCP;
        size += sizeof attr.net;
    }
    if (abi >= 6) {
        attr.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
        size += sizeof attr.scoped;
    }
    fd = syscall(SYS_landlock_create_ruleset, &attr, size, 0u);
    if (fd < 0)
        return errno;
    *fd_r = (int)fd;
    *abi_r = (int)abi;
    return 0;
}

int
landlock_allow(int fd, int abi, const char *path, enum landlock_use use)
{
    static const uint64_t uses[] = {
        [LANDLOCK_READ] = FS_READ_FILE | FS_READ_DIR,
        [LANDLOCK_KEEP] = FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_TRUNCATE |
                          FS_MAKE_REG | FS_REMOVE_FILE,
        [LANDLOCK_REMOVE] = FS_REMOVE_FILE,
        [LANDLOCK_DEVICE] = FS_READ_FILE | FS_WRITE_FILE,
    };
    struct path_beneath_attr rule = {.allowed = uses[use] & fs_rights(abi)};
    int e = 0;

    if ((rule.parent_fd = open(path, O_PATH | O_CLOEXEC)) < 0)
        return errno;
    if (syscall(SYS_landlock_add_rule, fd, RULE_PATH_BENEATH, &rule, 0u) != 0)
        e = errno;
    close(rule.parent_fd);
    return e;
}

int
landlock_enter(int fd)
{
    return syscall(SYS_landlock_restrict_self, fd, 0u) != 0 ? errno : 0;
}
