/* trial_message.c - see trial_message.h. */
#include "trial_message.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../oauth/crypto.h"

#define ADDRESS_MAX 254 /* RFC 5321 4.5.3.1.3, without the angle brackets */

bool
trial_message_address(const char *address)
{
    size_t len = strnlen(address, ADDRESS_MAX + 1);
    const char *at = strchr(address, '@');

    if (len > ADDRESS_MAX || at == NULL || at == address || at[1] == '\0' ||
        strchr(at + 1, '@') != NULL)
        return false;
    for (const char *c = address; *c != '\0'; c++)
        if (*c <= ' ' || *c >= 0x7f || strchr("<>()[]\\,;:\"", *c) != NULL)
            return false;
    return true;
}

/* RFC 5322 3.3, in English whatever the locale. */
static void
date_text(int64_t now, char buf[64])
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t when = (time_t)now;
    struct tm tm = {0};

    gmtime_r(&when, &tm);
    snprintf(buf, 64, "%s, %d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday % 7],
             tm.tm_mday, months[tm.tm_mon % 12], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
             tm.tm_sec);
}

int
trial_message_write(const char *from, const char *to, int64_t now, struct secret *out,
                    struct err *err)
{
    char uuid[CRYPTO_UUID_LEN + 1], date[64], text[1500];
    int n, r = crypto_uuid(uuid, err);

    if (r != 0)
        return r;
    date_text(now, date);
    n = snprintf(
        text, sizeof text,
        "Date: %s\r\n"
        "From: <%s>\r\n"
        "To: <%s>\r\n"
        "Subject: mailbearer doctor\r\n"
        "Message-ID: <%s%s>\r\n"
        "Auto-Submitted: auto-generated\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\n"
        "\r\n"
        "This message was sent by `mailbearer doctor --send-to`. It has arrived, so\r\n"
        "signing in and sending work.\r\n",
        date, from, to, uuid, strchr(from, '@'));
    if (n < 0 || (size_t)n >= sizeof text || secret_append(out, text, (size_t)n) != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    return 0;
}
