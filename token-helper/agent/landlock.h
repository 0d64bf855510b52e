/* landlock.h - the kernel's Landlock by its system calls: libc has none for it.
 *
 * Used by:  agent/sandbox.c
 * Includes: libc, client/error.h. Linux 5.13 and later; elsewhere landlock_open() says
 * that there is none. The numbers are the kernel's interface (landlock(7)).
 */
#ifndef MAILBEARER_LANDLOCK_H
#define MAILBEARER_LANDLOCK_H

#include <stdbool.h>

/* What a rule allows below a folder. */
enum landlock_use {
    LANDLOCK_READ,   /* read files and list folders */
    LANDLOCK_KEEP,   /* also write, make and remove regular files */
    LANDLOCK_REMOVE, /* remove files, no more */
    LANDLOCK_DEVICE, /* a file, not a folder: read and write it */
};

/* A new set of rules, which allows nothing. *fd_r: a descriptor. 0, or an errno: ENOSYS,
 * EOPNOTSUPP, EPERM where there is no Landlock for us. *abi_r: its version. */
int landlock_open(int *fd_r, int *abi_r);

/* 0 or an errno; ENOENT: no such file. */
int landlock_allow(int fd, int abi, const char *path, enum landlock_use use);

/* From now on. Needs no_new_privs. 0 or an errno. */
int landlock_enter(int fd);

#endif
