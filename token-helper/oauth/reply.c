/* reply.c - see reply.h. */
#include "reply.h"

#include <string.h>
#include <strings.h>
#include <stdlib.h>
#include <stdio.h>

#include "../base/json.h"
#include "../catalogue/catalogue.h"
#include "request.h"

#define SCOPE_MAX 4096 /* bytes; for show only */

/* OAuth errors after which the same request may succeed with nobody doing anything:
 * RFC 6749 4.1.2.1, RFC 8628 3.5. Every other one needs a person. */
static const char *const temporary_errors[] = {"temporarily_unavailable", "server_error",
                                               "slow_down", "authorization_pending"};

static bool
is_temporary(const struct reply_input *in, const char *error)
{
    long status = in->status;

    /* The metadata services answer so while they start or are being updated. */
    if (in->account->grant == GRANT_MANAGED_IDENTITY && (status == 404 || status == 410))
        return true;
    if (status == 429 || status == 408 || status >= 500)
        return true;
    for (size_t i = 0; i < sizeof temporary_errors / sizeof temporary_errors[0]; i++)
        if (strcmp(error, temporary_errors[i]) == 0)
            return true;
    return false;
}

/* As it is, or percent-encoded, as it was sent. */
static bool
holds(const char *text, const struct secret *secret)
{
    struct secret encoded = SECRET_INIT;
    bool found;

    if (secret == NULL || secret->len == 0)
        return false;
    found = strstr(text, secret_str(secret)) != NULL ||
            percent_encode(&encoded, secret->data, secret->len) != 0 ||
            strstr(text, secret_str(&encoded)) != NULL;
    secret_clear(&encoded);
    return found;
}

/* Could the text give away what we sent? Servers have been seen to echo parameters. */
static bool
repeats_secret(const struct reply_input *in, const char *text)
{
    for (size_t i = 0; i < sizeof in->sent / sizeof in->sent[0]; i++)
        if (holds(text, in->sent[i]))
            return true;
    return false;
}

/* The description's first sentence, without Entra's "AADSTSnnn: " and trace ids. */
static int
description_length(const char **text)
{
    const char *start = *text;
    size_t n;

    if (strncmp(start, "AADSTS", 6) == 0) {
        start += 6 + strspn(start + 6, "0123456789");
        start += strspn(start, ": ");
    }
    n = strcspn(start, "\r\n");
    for (const char *mark = start; (size_t)(mark - start) < n; mark++)
        if (strncmp(mark, ". ", 2) == 0 || strncmp(mark, " Trace ID:", 10) == 0)
            n = (size_t)(mark - start);
    while (n > 0 && (start[n - 1] == '.' || start[n - 1] == ' '))
        n--;
    *text = start;
    return n > 200 ? 200 : (int)n;
}

/* The remedy, with this account's own names in it. */
static void
set_remedy(const struct reply_input *in, const struct catalogue_entry *entry,
           struct err *err)
{
    struct catalogue_values values = {in->account->user, in->account->name,
                                      in->account->client_id, in->account->tenant};
    char hint[ERR_HINT_MAX];

    if (entry != NULL)
        err_hint(err, "%s", catalogue_remedy(entry, &values, hint, sizeof hint));
}

/* The first AADSTS number: of error_codes, else of the description's beginning. */
static bool
aadsts_number(const struct json *json, const char *description, int64_t *number_r)
{
    if (json_array_integer(json, "error_codes", 0, number_r))
        return true;
    if (description == NULL || strncmp(description, "AADSTS", 6) != 0)
        return false;
    *number_r = strtoll(description + 6, NULL, 10);
    return *number_r > 0;
}

/* Some servers send no number, but words that are known: Google, a machine's metadata
 * service. */
static const struct catalogue_entry *
known_words(const char *description)
{
    const struct catalogue_entry *entry;
    size_t at = 0;

    entry = catalogue_search(description, strlen(description), 0, &at);
    return entry != NULL && strcmp(entry->layer, "entra") == 0 ? entry : NULL;
}

static int
describe_error(const struct reply_input *in, const struct json *json, const char *error,
               struct err *err)
{
    const char *description = json_get_string(json, "error_description");
    const char *suberror = json_get_string(json, "suberror");
    const struct catalogue_entry *entry = NULL;
    int code = is_temporary(in, error) ? ERR_TEMP : ERR_PERSON;
    char number[40] = "";
    int64_t n = 0;

    if (aadsts_number(json, description, &n)) {
        snprintf(number, sizeof number, "AADSTS%lld: ", (long long)n);
        entry = catalogue_aadsts(n);
    }
    if (repeats_secret(in, error) || strlen(error) > 64)
        error = "an error that is not shown";
    if (entry != NULL) {
        err_set(err, code, "%s%s (%s, HTTP %ld)", number, entry->meaning, error,
                in->status);
    } else if (description != NULL && description[0] != '\0' &&
               !repeats_secret(in, description)) {
        int shown = description_length(&description);

        err_set(err, code, "%s%.*s (%s, HTTP %ld)", number, shown, description, error,
                in->status);
    } else {
        err_set(err, code, "%s%s (HTTP %ld)", number, error, in->status);
    }
    if (entry == NULL && suberror != NULL)
        entry = catalogue_oauth(suberror);
    if (entry == NULL && description != NULL)
        entry = known_words(description);
    if (entry == NULL)
        entry = catalogue_oauth(error);
    if (entry == NULL)
        entry = catalogue_http(in->status);
    set_remedy(in, entry, err);
    return code;
}

/* Something that is no OAuth reply: a proxy, a captive portal, a broken gateway. */
static int
describe_other(const struct reply_input *in, struct err *err)
{
    if (in->status >= 300 && in->status < 400) {
        err_set(err, ERR_TEMP,
                "the token endpoint redirects elsewhere (HTTP %ld); "
                "a secret is not sent after it",
                in->status);
        err_hint(err, "check the endpoint's address, and whether a proxy intercepts it");
        return ERR_TEMP;
    }
    err_set(err, ERR_TEMP, "the token endpoint answered HTTP %ld without an OAuth error",
            in->status);
    set_remedy(in, catalogue_http(in->status), err);
    if (err->hint[0] == '\0')
        err_hint(err, "check whether a proxy or a portal answers in its place");
    return ERR_TEMP;
}

/* RFC 6750's b68token and the opaque tokens seen in the field are visible ASCII; anything
 * else would break the line or the message it is put into. */
static bool
is_token(const char *text)
{
    size_t n = strlen(text);

    if (n == 0 || n > REPLY_TOKEN_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] >= 0x7f)
            return false;
    return true;
}

/* App Service tells when the token ends instead of how long it lives. */
static int64_t
token_life(const struct reply_input *in, const struct json *json)
{
    int64_t life = REPLY_LIFE_DEFAULT, end = 0;

    if (!json_get_integer(json, "expires_in", &life) &&
        in->account->grant == GRANT_MANAGED_IDENTITY &&
        json_get_integer(json, "expires_on", &end))
        life = end - in->now;
    return life > REPLY_LIFE_MAX ? REPLY_LIFE_MAX : life;
}

static int
take_times(const struct reply_input *in, const struct json *json, struct record *fresh,
           struct err *err)
{
    int64_t life = token_life(in, json), refresh = 0;

    if (life <= 0)
        return err_set(err, ERR_PROTOCOL,
                       "the token endpoint sent a token that has already expired");
    fresh->obtained_at = in->now;
    fresh->expires_at = in->now + life;
    fresh->refresh_at = 0;
    if (json_get_integer(json, "refresh_in", &refresh) && refresh > 0 && refresh < life)
        fresh->refresh_at = in->now + refresh;
    else if (in->account->grant == GRANT_MANAGED_IDENTITY && life >= 7200)
        fresh->refresh_at = in->now + life / 2; /* as MSAL does */
    return 0;
}

static int
take_tokens(const struct reply_input *in, const struct json *json, struct record *fresh,
            struct err *err)
{
    const char *access = json_get_string(json, "access_token");
    const char *refresh = json_get_string(json, "refresh_token");
    const char *type = json_get_string(json, "token_type");

    if (access == NULL || !is_token(access))
        return err_set(err, ERR_PROTOCOL, "the token endpoint sent %s access token",
                       access == NULL || access[0] == '\0' ? "no" : "an unusable");
    if (type != NULL && strcasecmp(type, "Bearer") != 0)
        return err_set(err, ERR_PROTOCOL,
                       "the token endpoint sent a token that is not of type Bearer");
    if (secret_set(&fresh->access_token, access, strlen(access)) != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    /* Absent or empty means: go on using the old one (RFC 6749 6). So does one that could
     * not be stored. */
    if (refresh != NULL && is_token(refresh)) {
        if (secret_set(&fresh->refresh_token, refresh, strlen(refresh)) != 0)
            return err_set(err, ERR_NOMEM, "out of memory");
    }
    if (fresh->refresh_token.len > 0)
        fresh->refresh_token_at = in->now;
    return 0;
}

/* The rest of the reply cannot be used, but the provider may have ended the old refresh
 * token when it made this one. */
static void
keep_refresh_token(const struct reply_input *in, const struct json *json,
                   struct record *record)
{
    const char *refresh = json_get_string(json, "refresh_token");

    if (refresh != NULL && is_token(refresh) &&
        secret_set(&record->refresh_token, refresh, strlen(refresh)) == 0)
        record->refresh_token_at = in->now;
}

static int
take_token_reply(const struct reply_input *in, const struct json *json,
                 struct record *record, struct err *err)
{
    const char *scope = json_get_string(json, "scope");
    struct record fresh = RECORD_INIT;
    int r;

    if ((r = record_copy(&fresh, record, err)) != 0 ||
        (r = take_tokens(in, json, &fresh, err)) != 0 ||
        (r = take_times(in, json, &fresh, err)) != 0)
        goto out;
    free(fresh.scope);
    fresh.scope = scope != NULL && strlen(scope) <= SCOPE_MAX ? strdup(scope) : NULL;
    secret_reset(&fresh.fingerprint);
    if (account_fingerprint(in->account, &fresh.fingerprint) != 0) {
        r = err_set(err, ERR_NOMEM, "out of memory");
        goto out;
    }
    fresh.failure = (struct failure){.err = ERR_INIT};
    record_clear(record);
    record_move(record, &fresh);
out:
    if (r != 0)
        keep_refresh_token(in, json, record);
    record_clear(&fresh);
    return r;
}

int
reply_token(const struct reply_input *in, struct record *record, struct err *err)
{
    struct json *json = NULL;
    struct err parse = ERR_INIT;
    const char *error;
    int r = json_parse(in->body, in->len, &json, &parse);

    if (r == ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "out of memory");
    error = json != NULL ? json_get_string(json, "error") : NULL;
    if (error != NULL && error[0] != '\0')
        r = describe_error(in, json, error, err);
    else if (in->status != 200)
        r = describe_other(in, err);
    else if (json == NULL)
        r = err_set(err, ERR_PROTOCOL, "the token endpoint's reply is not JSON (%s)",
                    parse.text);
    else
        r = take_token_reply(in, json, record, err);
    json_free(&json);
    return r;
}
