/* store_record.c - a record as JSON text and back. */
#include "store_record.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/json.h"

/* Names, since the numbers behind the codes may shift when one is added. */
static const char *const code_name[] = {
    [ERR_USAGE] = "usage",       [ERR_NOACCOUNT] = "no_account",
    [ERR_NOAGENT] = "no_agent",  [ERR_STORE] = "store",
    [ERR_TEMP] = "temporary",    [ERR_TIMEOUT] = "timeout",
    [ERR_PROTOCOL] = "protocol", [ERR_NOMEM] = "no_memory",
    [ERR_PERSON] = "person",     [ERR_DENIED] = "denied",
    [ERR_CONFIG] = "config",
};
#define CODES (sizeof code_name / sizeof *code_name)

/* Reading. Every function: 0, ERR_STORE or ERR_NOMEM; absent members stay as they are. */

static int
read_secret(const struct json *json, const char *key, size_t max, struct secret *value_r,
            struct err *err)
{
    const char *text = json_get_string(json, key);
    size_t len;

    if (text == NULL) {
        if (!json_has(json, key))
            return 0;
        return err_set(err, ERR_STORE, "%s is not a text", key);
    }
    len = strlen(text);
    if (len > max)
        return err_set(err, ERR_STORE, "%s is longer than %zu bytes", key, max);
    if (len > 0 && secret_set(value_r, text, len) != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    return 0;
}

static int
read_token(const struct json *json, const char *key, struct secret *value_r,
           struct err *err)
{
    int r = read_secret(json, key, RECORD_TOKEN_MAX, value_r, err);

    if (r == 0 && secret_has_control(value_r))
        r = err_set(err, ERR_STORE, "%s holds a control character", key);
    return r;
}

static int
read_number(const struct json *json, const char *key, int64_t max, int64_t *value_r,
            struct err *err)
{
    int64_t value = 0;

    if (!json_has(json, key))
        return 0;
    if (!json_get_integer(json, key, &value) || value < 0 || value > max)
        return err_set(err, ERR_STORE, "%s is not a number from 0 to %" PRId64, key, max);
    *value_r = value;
    return 0;
}

static int
read_time(const struct json *json, const char *key, int64_t *value_r, struct err *err)
{
    return read_number(json, key, RECORD_TIME_MAX, value_r, err);
}

static int
read_text(const struct json *json, const char *key, char **text_r, struct err *err)
{
    const char *text = json_get_string(json, key);

    if (text == NULL) {
        if (!json_has(json, key))
            return 0;
        return err_set(err, ERR_STORE, "%s is not a text", key);
    }
    if (strlen(text) > RECORD_TEXT_MAX)
        return err_set(err, ERR_STORE, "%s is longer than %u bytes", key,
                       RECORD_TEXT_MAX);
    *text_r = strdup(text);
    if (*text_r == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    return 0;
}

/* A name that a later program added is a failure all the same: one worth trying again. */
static int
code_from_name(const char *name)
{
    size_t code;

    for (code = 0; code < CODES; code++) {
        if (code_name[code] != NULL && strcmp(code_name[code], name) == 0)
            return (int)code;
    }
    return ERR_TEMP;
}

static int
read_failure(const struct json *json, struct failure *failure_r, struct err *err)
{
    const struct json *object = json_get_object(json, "failure");
    const char *code, *text, *hint;
    int64_t count = 0;
    int r;

    if (object == NULL) {
        if (!json_has(json, "failure"))
            return 0;
        return err_set(err, ERR_STORE, "failure is not an object");
    }
    code = json_get_string(object, "code");
    if (code == NULL)
        return err_set(err, ERR_STORE, "failure has no code");
    if ((r = read_time(object, "at", &failure_r->at, err)) != 0 ||
        (r = read_time(object, "retry_at", &failure_r->retry_at, err)) != 0 ||
        (r = read_number(object, "count", INT_MAX, &count, err)) != 0)
        return r;
    failure_r->count = (int)count;
    text = json_get_string(object, "text");
    hint = json_get_string(object, "hint");
    err_set(&failure_r->err, code_from_name(code), "%s", text != NULL ? text : "");
    err_hint(&failure_r->err, "%s", hint != NULL ? hint : "");
    return 0;
}

static int
read_version(const struct json *json, struct record_info *info_r, struct err *err)
{
    int64_t version = 0;

    if (!json_get_integer(json, "version", &version) || version < 1)
        return err_set(err, ERR_STORE, "it has no version number");
    /* Only both together, or a changed digit would make an empty record of it. */
    if (json_get_string(json, "cipher") != NULL) {
        if (version < RECORD_VERSION_SEALED)
            return err_set(err, ERR_STORE, "it is encrypted and says that it is not");
        if (version == RECORD_VERSION_SEALED) {
            info_r->state = RECORD_SEALED;
            return err_set(err, ERR_CONFIG,
                           "it is encrypted, and no encryption_key_file is set");
        }
    }
    if (version > RECORD_VERSION) {
        info_r->state = RECORD_NEWER;
        return err_set(err, ERR_STORE,
                       "a newer mailbearer wrote it (version %" PRId64
                       ", this one reads %d)",
                       version, RECORD_VERSION);
    }
    return 0;
}

int
record_parse(const char *bytes, size_t len, struct record *record_r,
             struct record_info *info_r, struct err *err)
{
    struct record record = RECORD_INIT;
    struct json *json = NULL;
    int64_t serial = 0;
    int r;

    info_r->state = RECORD_DAMAGED;
    info_r->serial = 0;
    info_r->current = false;
    r = json_parse(bytes, len, &json, err);
    if (r == ERR_PROTOCOL) { /* nobody is to try again: this is no peer */
        if (err != NULL)
            err->code = ERR_STORE;
        r = ERR_STORE;
    }
    if (r != 0 || (r = read_version(json, info_r, err)) != 0 ||
        (r = read_number(json, "serial", RECORD_SERIAL_MAX, &serial, err)) != 0 ||
        (r = read_token(json, "access_token", &record.access_token, err)) != 0 ||
        (r = read_time(json, "obtained_at", &record.obtained_at, err)) != 0 ||
        (r = read_time(json, "expires_at", &record.expires_at, err)) != 0 ||
        (r = read_time(json, "refresh_at", &record.refresh_at, err)) != 0 ||
        (r = read_token(json, "refresh_token", &record.refresh_token, err)) != 0 ||
        (r = read_time(json, "refresh_token_at", &record.refresh_token_at, err)) != 0 ||
        (r = read_text(json, "scope", &record.scope, err)) != 0 ||
        (r = read_secret(json, "fingerprint", RECORD_TEXT_MAX, &record.fingerprint,
                         err)) != 0 ||
        (r = read_failure(json, &record.failure, err)) != 0)
        goto out;
    info_r->state = RECORD_WHOLE;
    info_r->serial = serial;
    record_move(record_r, &record);
out:
    if (r == ERR_NOMEM)
        info_r->state = RECORD_UNREADABLE;
    json_free(&json);
    record_clear(&record);
    return r;
}

/* Writing. Every function: 0, ERR_NOMEM, ERR_PROTOCOL; what is empty is left out. */

static int
write_secret(struct json *json, const char *key, const struct secret *value, size_t max)
{
    if (value->len == 0)
        return 0;
    /* A NUL would cut the text short unseen. */
    if (value->len > max || memchr(value->data, '\0', value->len) != NULL)
        return ERR_PROTOCOL;
    return json_put_string(json, key, secret_str(value));
}

static int
write_token(struct json *json, const char *key, const struct secret *value)
{
    if (secret_has_control(value))
        return ERR_PROTOCOL;
    return write_secret(json, key, value, RECORD_TOKEN_MAX);
}

static int
write_time(struct json *json, const char *key, int64_t when)
{
    if (when <= 0)
        return 0;
    return json_put_integer(json, key, when < RECORD_TIME_MAX ? when : RECORD_TIME_MAX);
}

static int
write_text(struct json *json, const char *key, const char *text)
{
    if (text == NULL)
        return 0;
    if (strlen(text) > RECORD_TEXT_MAX)
        return ERR_PROTOCOL;
    return json_put_string(json, key, text);
}

/* Cleaned once more: a text that is not UTF-8 would keep the tokens from being saved. */
static int
write_message(struct json *json, const char *key, const char *text)
{
    char plain[ERR_TEXT_MAX > ERR_HINT_MAX ? ERR_TEXT_MAX : ERR_HINT_MAX];

    if (*text == '\0')
        return 0;
    snprintf(plain, sizeof plain, "%s", text);
    plain[err_clean(plain, strlen(plain))] = '\0';
    return json_put_string(json, key, plain);
}

static int
write_failure(struct json *json, const struct failure *failure)
{
    struct json *object;
    int code = failure->err.code;
    int r;

    if (code == ERR_NONE)
        return 0;
    if (code < 0 || (size_t)code >= CODES || code_name[code] == NULL)
        code = ERR_TEMP;
    object = json_new();
    if (object == NULL)
        return ERR_NOMEM;
    if ((r = json_put_string(object, "code", code_name[code])) != 0 ||
        (r = write_message(object, "text", failure->err.text)) != 0 ||
        (r = write_message(object, "hint", failure->err.hint)) != 0 ||
        (r = write_time(object, "at", failure->at)) != 0 ||
        (r = write_time(object, "retry_at", failure->retry_at)) != 0 ||
        (r = json_put_integer(object, "count",
                              failure->count > 0 ? failure->count : 0)) != 0)
        json_free(&object);
    else
        r = json_put_object(json, "failure", &object);
    return r;
}

int
record_format(const struct record *record, int64_t serial, struct secret *out,
              struct err *err)
{
    struct json *json = json_new();
    int r = ERR_NOMEM;

    if (json == NULL)
        goto out;
    if ((r = json_put_integer(json, "version", RECORD_VERSION)) != 0 ||
        (r = json_put_integer(json, "serial", serial)) != 0 ||
        (r = write_token(json, "access_token", &record->access_token)) != 0 ||
        (r = write_time(json, "obtained_at", record->obtained_at)) != 0 ||
        (r = write_time(json, "expires_at", record->expires_at)) != 0 ||
        (r = write_time(json, "refresh_at", record->refresh_at)) != 0 ||
        (r = write_token(json, "refresh_token", &record->refresh_token)) != 0 ||
        (r = write_time(json, "refresh_token_at", record->refresh_token_at)) != 0 ||
        (r = write_text(json, "scope", record->scope)) != 0 ||
        (r = write_secret(json, "fingerprint", &record->fingerprint, RECORD_TEXT_MAX)) !=
            0 ||
        (r = write_failure(json, &record->failure)) != 0)
        goto out;
    r = json_write(json, true, out);
out:
    json_free(&json);
    if (r == ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (r != 0)
        return err_set(err, ERR_STORE,
                       "a token or its scope is too long, not UTF-8, or holds a control "
                       "character: it cannot be stored");
    return 0;
}

/* The record itself. */

void
record_clear(struct record *record)
{
    static const struct record empty = RECORD_INIT;

    secret_clear(&record->access_token);
    secret_clear(&record->refresh_token);
    secret_clear(&record->fingerprint);
    free(record->scope);
    *record = empty;
}

void
record_move(struct record *to, struct record *from)
{
    static const struct record empty = RECORD_INIT;

    record_clear(to);
    *to = *from;
    *from = empty;
}

static int
copy_secret(struct secret *to, const struct secret *from)
{
    return from->len == 0 ? 0 : secret_set(to, from->data, from->len);
}

int
record_copy(struct record *to, const struct record *from, struct err *err)
{
    struct record copy = RECORD_INIT;

    copy.access_token.max = from->access_token.max;
    copy.refresh_token.max = from->refresh_token.max;
    copy.fingerprint.max = from->fingerprint.max;
    copy.obtained_at = from->obtained_at;
    copy.expires_at = from->expires_at;
    copy.refresh_at = from->refresh_at;
    copy.refresh_token_at = from->refresh_token_at;
    copy.failure = from->failure;
    if (copy_secret(&copy.access_token, &from->access_token) != 0 ||
        copy_secret(&copy.refresh_token, &from->refresh_token) != 0 ||
        copy_secret(&copy.fingerprint, &from->fingerprint) != 0 ||
        (from->scope != NULL && (copy.scope = strdup(from->scope)) == NULL)) {
        record_clear(&copy);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    record_move(to, &copy);
    return 0;
}
