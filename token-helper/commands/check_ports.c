/* check_ports.c - see check_ports.h. */
#include "check_ports.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../ports/ports_file.h"

static bool
is_account(const struct accounts *accounts, const char *name, size_t len)
{
    for (size_t i = 0; i < accounts->count; i++)
        if (strlen(accounts->account[i].name) == len &&
            memcmp(accounts->account[i].name, name, len) == 0)
            return true;
    return false;
}

/* A line may outlive its account: whoever makes that account anew would not expect an old
 * password to open it. */
static void
stray(const char *path, const char *name, size_t len, struct err *err)
{
    err_set(err, ERR_NOACCOUNT, "%s has a local password for %.*s, which is no account",
            path, (int)len, name);
    err_hint(err, "run: mailbearer passwd --delete %.*s", (int)len, name);
}

int
check_ports(const struct context *c,
            void (*found)(void *arg, bool fatal, const struct err *err), void *arg)
{
    struct secret text = {.max = PORTS_FILE_MAX};
    char path[PLACE_PATH_MAX];
    struct err err = ERR_INIT;
    const char *name;
    size_t at = 0, len = 0;
    int count = 0;

    if (ports_file_path(c->place.config, path, sizeof path, &err) != 0 ||
        (access(path, R_OK) != 0 && (errno == ENOENT || errno == EACCES)))
        return -1;
    if (ports_file_read(path, &text, &err) != 0) {
        found(arg, true, &err);
        return -1;
    }
    for (; ports_file_next(&text, &at, &name, &len); count++)
        if (!is_account(c->accounts, name, len)) {
            stray(path, name, len, &err);
            found(arg, false, &err);
        }
    secret_clear(&text);
    return count;
}
