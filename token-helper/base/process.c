/* process.c - see process.h. */
#include "process.h"

#include <fcntl.h>
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

int
process_begin(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__
    prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
#endif
    return open_standard_files();
}
