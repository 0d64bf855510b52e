/* service_user.c - see service_user.h. */
#include "service_user.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../token-helper/base/log.h"
#include "../token-helper/base/process.h"

/* What says where root's own things are would mislead. */
static int
forget_root(const char *home)
{
    static const char *const places[] = {"XDG_CONFIG_HOME", "XDG_STATE_HOME",
                                         "XDG_RUNTIME_DIR"};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        unsetenv(places[i]);
    return setenv("HOME", home, 1);
}

int
service_user(const char *wanted, struct err *err)
{
    const struct passwd *pw = getpwnam(wanted != NULL ? wanted : SERVICE_USER);

    if (wanted != NULL && pw == NULL)
        return err_set(err, ERR_USAGE, "no such user: %s", wanted);
    if (geteuid() != 0)
        return wanted == NULL || pw->pw_uid == geteuid()
                   ? 0
                   : err_set(err, ERR_USAGE, "only root can become %s", wanted);
    if (pw == NULL) {
        log_warning("serving as root: there is no user " SERVICE_USER
                    ", and --user names none");
        return 0;
    }
    if (pw->pw_uid == 0)
        return 0;
    if (forget_root(pw->pw_dir) != 0 || process_become(pw->pw_uid, pw->pw_gid) != 0)
        return err_set(err, ERR_CONFIG, "cannot become %s: %s",
                       wanted != NULL ? wanted : SERVICE_USER, strerror(errno));
    log_info("serving as uid %lu", (unsigned long)geteuid());
    return 0;
}
