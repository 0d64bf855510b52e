/* status_prometheus.c - see status_prometheus.h. */
#include "status_prometheus.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../accounts/status_report.h"

/* How a metric's value comes from an account's JSON. */
enum source {
    FROM_STATE, /* a sample for each state there is: 1 for the present one */
    FROM_TIME,  /* the time `key` as it is */
    FROM_LEFT,  /* seconds until the time `key`, 0 when it has passed */
    FROM_COUNT, /* the number `key` of the last error, 0 without one */
    FROM_BOOL,  /* 1 when `key` is true */
};

static const struct metric {
    const char *name;
    const char *help; /* no backslash, no line end: neither is escaped */
    enum source source;
    const char *key;
} metrics[] = {
    {"mailbearer_account_state",
     "The account's state: 1 for the present one, 0 for the others.", FROM_STATE,
     "state"},
    {"mailbearer_token_expires_seconds",
     "Seconds that the access token still lives; 0 when it has ended.", FROM_LEFT,
     "expires_at"},
    {"mailbearer_last_refresh_timestamp_seconds",
     "When the access token was fetched, in seconds since 1970 UTC.", FROM_TIME,
     "obtained_at"},
    {"mailbearer_refresh_failures", "Refreshes that failed since the last that worked.",
     FROM_COUNT, "count"},
    {"mailbearer_secret_expires_timestamp_seconds",
     "When the client secret expires, in seconds since 1970 UTC.", FROM_TIME,
     "secret_expires"},
    {"mailbearer_certificate_expires_timestamp_seconds",
     "When the client certificate expires, in seconds since 1970 UTC.", FROM_TIME,
     "certificate_expires"},
    {"mailbearer_refresh_token_last_used_timestamp_seconds",
     "When the refresh token was stored or last used, in seconds since 1970 UTC.",
     FROM_TIME, "refresh_token_at"},
    {"mailbearer_refresh_token_expires_timestamp_seconds",
     "When the refresh token expires unless it is used before, in seconds since 1970 "
     "UTC.",
     FROM_TIME, "refresh_token_expires"},
    {"mailbearer_tokens_unsaved",
     "1 while tokens are in the agent's memory alone: the store cannot be written.",
     FROM_BOOL, "unsaved"},
};

#define METRIC_COUNT (sizeof metrics / sizeof metrics[0])

struct status_prometheus {
    struct secret samples[METRIC_COUNT];
};

struct status_prometheus *
status_prometheus_new(void)
{
    return calloc(1, sizeof(struct status_prometheus));
}

void
status_prometheus_free(struct status_prometheus **prometheus)
{
    if (*prometheus == NULL)
        return;
    for (size_t i = 0; i < METRIC_COUNT; i++)
        secret_clear(&(*prometheus)->samples[i]);
    free(*prometheus);
    *prometheus = NULL;
}

/* Between double quotes: backslash, double quote and line end are escaped, nothing else.
 */
static int
add_label_value(struct secret *out, const char *text)
{
    int r = 0;

    for (; *text != '\0' && r == 0; text++) {
        if (*text == '\n')
            r = secret_append_str(out, "\\n");
        else if (*text != '\\' && *text != '"')
            r = secret_append_char(out, *text);
        else if ((r = secret_append_char(out, '\\')) == 0)
            r = secret_append_char(out, *text);
    }
    return r;
}

static int
add_sample(struct secret *out, const struct metric *metric, const char *account,
           const char *state, int64_t value)
{
    char number[32];

    snprintf(number, sizeof number, "} %" PRId64 "\n", value);
    if (secret_append_str(out, metric->name) != 0 ||
        secret_append_str(out, "{account=\"") != 0 ||
        add_label_value(out, account) != 0 || secret_append_char(out, '"') != 0)
        return ERR_NOMEM;
    if (state != NULL &&
        (secret_append_str(out, ",state=\"") != 0 || add_label_value(out, state) != 0 ||
         secret_append_char(out, '"') != 0))
        return ERR_NOMEM;
    return secret_append_str(out, number) == 0 ? 0 : ERR_NOMEM;
}

static int
add_states(struct secret *out, const struct metric *metric, const char *account,
           const char *present)
{
    for (int i = 0; i < ACCOUNT_STATE_COUNT; i++) {
        const char *name = status_state_name((enum account_state)i);

        if (add_sample(out, metric, account, name,
                       present != NULL && strcmp(name, present) == 0) != 0)
            return ERR_NOMEM;
    }
    return 0;
}

static int
add_metric(struct secret *out, const struct metric *metric, const struct json *json,
           int64_t now)
{
    const char *account = json_get_string(json, "account");
    const struct json *error;
    int64_t value = 0;

    if (account == NULL)
        return 0;
    switch (metric->source) {
    case FROM_STATE:
        return add_states(out, metric, account, json_get_string(json, metric->key));
    case FROM_TIME:
        if (!json_get_integer(json, metric->key, &value))
            return 0;
        break;
    case FROM_LEFT:
        if (!json_get_integer(json, metric->key, &value))
            return 0;
        value = value > now ? value - now : 0;
        break;
    case FROM_COUNT:
        if ((error = json_get_object(json, "error")) != NULL)
            json_get_integer(error, metric->key, &value);
        break;
    case FROM_BOOL:
        value = json_get_true(json, metric->key);
        break;
    }
    return add_sample(out, metric, account, NULL, value);
}

int
status_prometheus_add(struct status_prometheus *prometheus, const struct json *json,
                      int64_t now)
{
    for (size_t i = 0; i < METRIC_COUNT; i++)
        if (add_metric(&prometheus->samples[i], &metrics[i], json, now) != 0)
            return ERR_NOMEM;
    return 0;
}

int
status_prometheus_write(const struct status_prometheus *prometheus, struct secret *out)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const struct secret *samples = &prometheus->samples[i];

        if (samples->len == 0)
            continue;
        if (secret_append_str(out, "# HELP ") != 0 ||
            secret_append_str(out, metrics[i].name) != 0 ||
            secret_append_char(out, ' ') != 0 ||
            secret_append_str(out, metrics[i].help) != 0 ||
            secret_append_str(out, "\n# TYPE ") != 0 ||
            secret_append_str(out, metrics[i].name) != 0 ||
            secret_append_str(out, " gauge\n") != 0 ||
            secret_append(out, samples->data, samples->len) != 0)
            return ERR_NOMEM;
    }
    return 0;
}
