/* grant_device.c - see grant_device.h. */
#include "grant_device.h"

#include <string.h>

#include "../accounts/values.h"
#include "../base/json.h"
#include "request.h"

#define BACKOFF_MOST_MS 60000

static const char grant_type[] = "urn:ietf:params:oauth:grant-type:device_code";

void
grant_device_clear(struct grant_device *device)
{
    secret_clear(&device->device_code);
    explicit_bzero(device, sizeof *device);
}

static int
nomem(struct err *err)
{
    return err_set(err, ERR_NOMEM, "out of memory");
}

static int
add(struct secret *form, const char *name, const char *value)
{
    return form_add(form, name, value, strlen(value));
}

/* --- the code --------------------------------------------------------------------------
 */

int
grant_device_begin_request(const struct account *account, const char *endpoint,
                           const char *token_endpoint, const char *scope,
                           const struct credential *credential, int64_t now,
                           struct http_request *request_r, struct err *err)
{
    struct http_request q = {
        .url = endpoint, .proxy = account->proxy, .ca_file = account->ca_file};
    struct credential none = CREDENTIAL_INIT;
    /* RFC 8628 3.1 wants the client's proof here as well; Entra refuses one (AADSTS90136)
     * and asks for it with the token. */
    bool entra = account->provider.is_microsoft;
    int r = request_add_client(account, entra ? &none : credential, token_endpoint, now,
                               &q, err);

    if (r == 0 && scope[0] != '\0' && add(&q.body, "scope", scope) != 0)
        r = nomem(err);
    if (r != 0)
        http_request_clear(&q);
    else
        *request_r = q;
    return r;
}

/* Text that is printed on a terminal: visible ASCII. False when it is not, or too long.
 */
static bool
take_text(const char *text, size_t max, char *to)
{
    size_t n = text != NULL ? strlen(text) : 0;

    if (n == 0 || n > max)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] >= 0x7f)
            return false;
    memcpy(to, text, n + 1);
    return true;
}

/* Seconds as milliseconds, within bounds; `missing` where the provider gives none. */
static int64_t
take_seconds(const struct json *json, const char *key, int64_t missing, int64_t most)
{
    int64_t s = missing;

    json_get_integer(json, key, &s);
    if (s < 1)
        s = 1;
    return (s > most ? most : s) * 1000;
}

static int
take_code(const struct json *json, int64_t now_ms, struct grant_device *device_r,
          struct err *err)
{
    struct grant_device d = {.device_code = SECRET_INIT};
    const char *code = json_get_string(json, "device_code");
    const char *address = json_get_string(json, "verification_uri");
    const char *whole = json_get_string(json, "verification_uri_complete");

    if (address == NULL)
        address = json_get_string(json, "verification_url"); /* Google's name for it */
    if (code == NULL || code[0] == '\0' ||
        !take_text(json_get_string(json, "user_code"), DEVICE_USER_CODE_MAX,
                   d.user_code) ||
        !take_text(address, DEVICE_ADDRESS_MAX, d.address) ||
        value_endpoint(d.address, NULL) != 0)
        return err_set(err, ERR_PROTOCOL,
                       "the provider's answer holds no usable device code");
    if (whole != NULL && (!take_text(whole, DEVICE_ADDRESS_MAX, d.address_with_code) ||
                          value_endpoint(d.address_with_code, NULL) != 0))
        d.address_with_code[0] = '\0';
    if (secret_set(&d.device_code, code, strlen(code)) != 0)
        return nomem(err);
    d.interval_ms =
        take_seconds(json, "interval", DEVICE_INTERVAL_S, DEVICE_INTERVAL_MOST_S);
    d.expires_ms =
        now_ms + take_seconds(json, "expires_in", DEVICE_LIFE_S, DEVICE_LIFE_MOST_S);
    d.next_ms = now_ms + d.interval_ms;
    grant_device_clear(device_r);
    *device_r = d;
    return 0;
}

/* Words for what another way of signing in would mend. */
static void
suggest_another_way(const struct reply_input *in, const struct json *json,
                    struct err *err)
{
    const char *error = json_get_string(json, "error");
    const char *name = in->account->name;
    int64_t number = 0;

    json_array_integer(json, "error_codes", 0, &number);
    if (number == 53003 || number == 530033 || number == 530035 || number == 530036)
        err_hint(err,
                 "a policy may block sign-ins by device code: sign in with mailbearer "
                 "login %s --browser, or --paste; else Entra > Sign-in logs > "
                 "Conditional Access names the policy",
                 name);
    else if (error != NULL && strcmp(error, "invalid_scope") == 0 &&
             !in->account->provider.is_microsoft)
        err_hint(err,
                 "the provider does not give this scope to device codes (Google never "
                 "does for mail): mailbearer login %s --browser, or --paste",
                 name);
    else if (err->hint[0] == '\0')
        err_hint(err, "try another way: mailbearer login %s --browser, or --paste", name);
}

int
grant_device_begin(const struct reply_input *in, int64_t now_ms,
                   struct grant_device *device_r, struct err *err)
{
    struct record none = RECORD_INIT;
    struct json *json = NULL;
    int r = json_parse(in->body, in->len, &json, NULL);

    if (r == ERR_NOMEM)
        return nomem(err);
    if (in->status == 200 && json != NULL && !json_has(json, "error")) {
        r = take_code(json, now_ms, device_r, err);
    } else {
        /* It is an error's body or none at all: reply_token() has the words for both. */
        r = reply_token(in, &none, err);
        if (r == 0)
            r = err_set(err, ERR_PROTOCOL, "the provider's answer holds no device code");
        else if (r == ERR_PERSON && json != NULL)
            suggest_another_way(in, json, err);
    }
    record_clear(&none);
    json_free(&json);
    return r;
}

/* --- waiting ---------------------------------------------------------------------------
 */

int64_t
grant_device_wait(const struct grant_device *device, int64_t now_ms)
{
    if (now_ms >= device->expires_ms)
        return -1;
    return device->next_ms > now_ms ? device->next_ms - now_ms : 0;
}

int
grant_device_poll_request(const struct grant_device *device,
                          const struct account *account, const char *token_endpoint,
                          const struct credential *credential, int64_t now,
                          struct http_request *request_r, struct err *err)
{
    struct http_request q = {
        .url = token_endpoint, .proxy = account->proxy, .ca_file = account->ca_file};
    int r = 0;

    if (add(&q.body, "grant_type", grant_type) != 0 ||
        form_add(&q.body, "device_code", device->device_code.data,
                 device->device_code.len) != 0)
        r = nomem(err);
    if (r == 0)
        r = request_add_client(account, credential, token_endpoint, now, &q, err);
    if (r != 0)
        http_request_clear(&q);
    else
        *request_r = q;
    return r;
}

/* The next question comes after the interval, doubled for each one in a row that had no
 * answer (RFC 8628 3.5), and not before the provider wants it. */
static void
plan_next(struct grant_device *device, int64_t retry_after, int64_t now_ms)
{
    int64_t wait = device->interval_ms;

    for (int i = 0; i < device->faults && wait < BACKOFF_MOST_MS; i++)
        wait *= 2;
    if (device->faults > 0 && wait > BACKOFF_MOST_MS)
        wait = BACKOFF_MOST_MS;
    if (wait < retry_after * 1000)
        wait = retry_after * 1000;
    device->next_ms = now_ms + wait;
}

static bool
is_one_of(const char *error, const char *a, const char *b)
{
    return strcmp(error, a) == 0 || strcmp(error, b) == 0;
}

int
grant_device_expired(const struct account *account, struct err *err)
{
    err_set(err, ERR_PERSON, "the code ended before anybody signed in with it");
    err_hint(err, "get another one: mailbearer login %s --device", account->name);
    return ERR_PERSON;
}

/* An OAuth error that is the end, in our own words where the flow gives it a meaning. */
static int
describe_end(struct grant_device *device, const struct reply_input *in,
             const struct json *json, const char *error, struct err *err)
{
    const char *name = in->account->name;

    if (is_one_of(error, "expired_token", "code_expired"))
        return grant_device_expired(in->account, err);
    if (is_one_of(error, "access_denied", "authorization_declined")) {
        err_set(err, ERR_PERSON, "the sign-in was declined (%.64s)", error);
        err_hint(err, "sign in again and accept: mailbearer login %s", name);
        return ERR_PERSON;
    }
    if (strcmp(error, "bad_verification_code") == 0) {
        err_set(err, ERR_PERSON, "the provider does not know the device code (%.64s)",
                error);
        err_hint(err, "get another one: mailbearer login %s --device", name);
        return ERR_PERSON;
    }
    suggest_another_way(in, json, err);
    device->other_way = true;
    return ERR_PERSON;
}

/* Not now, but perhaps later. */
static int
note_trouble(struct grant_device *device, const struct err *why, int64_t retry_after,
             int64_t now_ms, bool *again_r)
{
    device->trouble = *why;
    device->faults++;
    plan_next(device, retry_after, now_ms);
    *again_r = true;
    return 0;
}

static int
take_refusal(struct grant_device *device, const struct reply_input *in,
             const struct json *json, const char *error, int64_t retry_after,
             int64_t now_ms, bool *again_r, struct err *err)
{
    bool slower = strcmp(error, "slow_down") == 0;

    if (slower || strcmp(error, "authorization_pending") == 0) {
        if (slower)
            device->interval_ms += DEVICE_SLOWER_S * 1000;
        device->faults = 0;
        device->trouble = (struct err)ERR_INIT;
        plan_next(device, retry_after, now_ms);
        *again_r = true;
        return 0;
    }
    return describe_end(device, in, json, error, err);
}

int
grant_device_poll(struct grant_device *device, const struct reply_input *in,
                  const struct err *failed, int64_t retry_after, int64_t now_ms,
                  bool *again_r, struct record *record, struct err *err)
{
    struct err why = ERR_INIT;
    struct json *json = NULL;
    const char *error;
    int r;

    *again_r = false;
    if (failed != NULL)
        return note_trouble(device, failed, retry_after, now_ms, again_r);
    r = reply_token(in, record, &why);
    if (r == 0)
        return 0;
    if (json_parse(in->body, in->len, &json, NULL) == ERR_NOMEM || r == ERR_NOMEM)
        return nomem(err);
    error = json != NULL ? json_get_string(json, "error") : NULL;
    if (error != NULL && (r == ERR_PERSON || strcmp(error, "slow_down") == 0 ||
                          strcmp(error, "authorization_pending") == 0)) {
        /* describe_end() betters what stands in `why` */
        r = take_refusal(device, in, json, error, retry_after, now_ms, again_r, &why);
    } else if (r == ERR_TEMP) {
        r = note_trouble(device, &why, retry_after, now_ms, again_r);
    } /* else a success that is none: the code is used up */
    json_free(&json);
    if (r != 0 && err != NULL)
        *err = why;
    return r;
}
