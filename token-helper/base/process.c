/* process.c - see process.h. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* For reading only: what is written to a closed standard output is lost, and must fail.
 */
static int
open_standard_files(void)
{
    int fd;

    do {
        if ((fd = open("/dev/null", O_RDONLY)) < 0)
            return -1;
    } while (fd <= STDERR_FILENO);
    return close(fd);
}

static void
forbid_tracing(void)
{
#ifndef __SANITIZE_ADDRESS__
    prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
#endif
}

int
process_begin(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    forbid_tracing();
    return open_standard_files();
}

int
process_become(uid_t uid, gid_t group)
{
    const struct passwd *pw = getpwuid(uid);
    uid_t real, effective, saved;

    if ((pw != NULL ? initgroups(pw->pw_name, group) : setgroups(0, NULL)) != 0 ||
        setresgid(group, group, group) != 0 || setresuid(uid, uid, uid) != 0)
        return -1;
    forbid_tracing(); /* the kernel looks at it anew when the uid changes */
    if (getresuid(&real, &effective, &saved) == 0 && real == uid && effective == uid &&
        saved == uid && (uid == 0 || setuid(0) != 0))
        return 0;
    errno = EPERM;
    return -1;
}
