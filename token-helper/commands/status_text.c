/* status_text.c - see status_text.h. */
#include "status_text.h"

#include <stdio.h>
#include <string.h>

#include "../base/wallclock.h"

#define DAY 86400
#define EXPIRES_SOON (30 * DAY)

static void
print_span(int64_t seconds)
{
    if (seconds >= 2 * DAY)
        printf("%lld days", (long long)(seconds / DAY));
    else if (seconds >= 7200)
        printf("%lld h", (long long)(seconds / 3600));
    else if (seconds >= 120)
        printf("%lld min", (long long)(seconds / 60));
    else
        printf("%lld s", (long long)seconds);
}

static void
print_times(const struct json *json, int64_t now)
{
    int64_t expires = 0, obtained = 0, secret = 0;
    char text[WALLCLOCK_TEXT_MAX];

    if (json_get_integer(json, "expires_at", &expires) &&
        json_get_integer(json, "obtained_at", &obtained)) {
        if (expires > now) {
            printf("  token good for ");
            print_span(expires - now);
        } else {
            printf("  token ended %s", wallclock_text(expires, text));
        }
        printf(", fetched %s\n", wallclock_text(obtained, text));
    }
    if (json_get_integer(json, "secret_expires", &secret) &&
        secret - now < EXPIRES_SOON) {
        if (secret <= now) {
            printf("  the client secret has expired (%.10s): make a new one\n",
                   wallclock_text(secret, text));
        } else {
            printf("  the client secret expires in ");
            print_span(secret - now);
            printf(" (%.10s): make a new one before\n", wallclock_text(secret, text));
        }
    }
}

static void
print_error(const struct json *error, int64_t now)
{
    const char *text = json_get_string(error, "text");
    const char *hint = json_get_string(error, "hint");
    int64_t at = 0, retry = 0, count = 0;
    char when[WALLCLOCK_TEXT_MAX];

    json_get_integer(error, "at", &at);
    json_get_integer(error, "count", &count);
    printf("  last refresh failed %s (%lld in a row): %s\n", wallclock_text(at, when),
           (long long)count, text != NULL ? text : "?");
    if (hint != NULL && hint[0] != '\0')
        printf("  to mend it: %s\n", hint);
    if (json_get_integer(error, "retry_at", &retry) && retry > now) {
        printf("  not asked again for ");
        print_span(retry - now);
        printf("\n");
    }
}

void
status_print(const struct json *json, int64_t now)
{
    const struct json *error = json_get_object(json, "error");
    const char *state = json_get_string(json, "state");
    const char *name = json_get_string(json, "account");

    printf("%s: %s\n", name != NULL ? name : "?", state != NULL ? state : "?");
    print_times(json, now);
    if (json_get_true(json, "unsaved"))
        printf("  tokens are only in the agent's memory: the store cannot be written\n");
    if (error != NULL)
        print_error(error, now);
    else if (state != NULL && strcmp(state, "signed-out") == 0)
        printf("  to mend it: mailbearer import refresh-token FILE %s\n", name);
}
