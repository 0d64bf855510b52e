/* host_owner.c - see host_owner.h. */
#include "host_owner.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static bool
is_below(const char *host, const char *const *domains)
{
    size_t len = strlen(host);

    for (; *domains != NULL; domains++) {
        size_t domain_len = strlen(*domains);

        if (len > domain_len && strcasecmp(host + len - domain_len, *domains) == 0)
            return true;
    }
    return false;
}

bool
host_is_exchange(const char *host)
{
    static const char *const domains[] = {".office365.com", ".office365.us",
                                          ".outlook.com",   ".outlook.cn",
                                          ".mx.microsoft",  NULL};

    return is_below(host, domains);
}

bool
host_is_google(const char *host)
{
    static const char *const domains[] = {".gmail.com", ".googlemail.com", NULL};

    return is_below(host, domains);
}
