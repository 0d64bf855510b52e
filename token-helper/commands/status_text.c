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
    int64_t expires = 0, obtained = 0;
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
}

/* When `what` ends, and what to do about it when that is soon. */
static void
print_expiry(const char *what, int64_t when, const char *remedy, int64_t now)
{
    char day[WALLCLOCK_TEXT_MAX];

    wallclock_text(when, day);
    if (when <= now) {
        printf("  %s has expired (%.10s): %s\n", what, day, remedy);
        return;
    }
    printf("  %s expires in ", what);
    print_span(when - now);
    if (when - now < EXPIRES_SOON)
        printf(" (%.10s): %s before\n", day, remedy);
    else
        printf(" (%.10s)\n", day);
}

static void
print_ends(const struct json *json, int64_t now)
{
    int64_t when = 0, used = 0;
    char text[WALLCLOCK_TEXT_MAX];

    if (json_get_integer(json, "secret_expires", &when))
        print_expiry("the client secret", when, "make a new one", now);
    if (json_get_integer(json, "certificate_expires", &when))
        print_expiry("the client certificate", when, "make a new one", now);
    if (!json_get_true(json, "refresh_token") ||
        !json_get_integer(json, "refresh_token_at", &used))
        return;
    if (!json_get_integer(json, "refresh_token_expires", &when))
        printf("  the refresh token was last used %s\n", wallclock_text(used, text));
    else if (when > now) {
        printf("  the refresh token was last used %s", wallclock_text(used, text));
        printf(", unused it expires %.10s\n", wallclock_text(when, text));
    } else {
        printf("  the refresh token has probably expired: not used since %s\n",
               wallclock_text(used, text));
    }
}

static void
print_error(const struct json *error, int64_t now)
{
    const char *text = json_get_string(error, "text");
    const char *hint = json_get_string(error, "hint");
    const char *class = json_get_string(error, "class");
    int64_t at = 0, retry = 0, count = 0;
    char when[WALLCLOCK_TEXT_MAX];

    json_get_integer(error, "at", &at);
    json_get_integer(error, "count", &count);
    printf("  last refresh failed %s (%s, %lld in a row): %s\n", wallclock_text(at, when),
           class != NULL && strcmp(class, "temporary") == 0 ? "temporary"
                                                            : "a person must act",
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
    print_ends(json, now);
    if (json_get_true(json, "unsaved"))
        printf("  tokens are only in the agent's memory: the store cannot be written\n");
    if (error != NULL)
        print_error(error, now);
    else if (state != NULL && strcmp(state, "signed-out") == 0)
        printf("  to mend it: mailbearer login %s\n", name);
}
