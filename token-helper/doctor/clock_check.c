/* clock_check.c - see clock_check.h. */
#include "clock_check.h"

#include <inttypes.h>

void
clock_judge(const char *host, int64_t theirs, int64_t ours, struct report *report)
{
    int64_t ahead = ours - theirs;
    int64_t off = ahead < 0 ? -ahead : ahead;
    struct err err = ERR_INIT;

    if (off <= CLOCK_WARN_S) {
        report_ok(report, "this machine's clock and %s agree within %" PRId64 " s", host,
                  off);
        return;
    }
    err_set(&err, ERR_PERSON, "this machine's clock is %" PRId64 " s %s %s", off,
            ahead > 0 ? "ahead of" : "behind", host);
    err_hint(&err, "set it, and have it kept: systemctl enable --now systemd-timesyncd "
                   "(or chrony)");
    if (off > CLOCK_FAIL_S)
        report_failure(report, &err);
    else
        report_warning(report, &err);
}
