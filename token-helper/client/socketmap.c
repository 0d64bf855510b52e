/* socketmap.c - see socketmap.h. */
#include "socketmap.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The length digits of a size_t, the colon, the comma. */
#define FRAME_ROOM 22u

/* Appends what stands in front of a payload, with room for the rest of the frame: the
 * appends that follow cannot fail, so `out` is never left with half a frame. */
static int
frame_begin(size_t len, struct secret *out)
{
    char digits[FRAME_ROOM];
    int n;
    int r;

    if (len > SIZE_MAX - FRAME_ROOM)
        return ERR_PROTOCOL;
    if ((r = secret_reserve(out, len + FRAME_ROOM)) != 0)
        return r;
    n = snprintf(digits, sizeof(digits), "%zu:", len);
    return secret_append(out, digits, (size_t)n);
}

int
socketmap_frame(const char *payload, size_t len, size_t max, struct secret *out)
{
    int r;

    if (len > max)
        return ERR_PROTOCOL;
    if ((r = frame_begin(len, out)) != 0 || (r = secret_append(out, payload, len)) != 0)
        return r;
    return secret_append_char(out, ',');
}

int
socketmap_unframe(const char *buf, size_t len, size_t max, const char **payload_r,
                  size_t *payload_len_r, size_t *used_r, struct err *err)
{
    size_t size = 0;
    size_t i;

    for (i = 0; i < len && buf[i] >= '0' && buf[i] <= '9'; i++) {
        if (i > 0 && size == 0)
            return err_set(err, ERR_PROTOCOL,
                           "not a netstring: a length with a leading 0");
        if (size > (SIZE_MAX - 9) / 10)
            return err_set(err, ERR_PROTOCOL, "netstring too long");
        size = size * 10 + (size_t)(buf[i] - '0');
        /* Before the payload comes: nobody has to buffer what will be refused. */
        if (size > max)
            return err_set(err, ERR_PROTOCOL, "netstring longer than %zu bytes", max);
    }
    if (i == len)
        return ERR_TEMP;
    if (i == 0 || buf[i] != ':')
        return err_set(err, ERR_PROTOCOL, "not a netstring: no length in front");
    i++;
    if (len - i <= size)
        return ERR_TEMP;
    if (buf[i + size] != ',')
        return err_set(err, ERR_PROTOCOL, "not a netstring: no comma behind it");
    *payload_r = buf + i;
    *payload_len_r = size;
    *used_r = i + size + 1;
    return 0;
}

static bool
has_control(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return true;
    return false;
}

int
socketmap_request(const char *map, const char *key, struct secret *out, struct err *err)
{
    size_t map_len = strlen(map);
    size_t key_len = strlen(key);
    int r;

    /* The texts do not quote the key: that of `rejected` begins with a token. */
    if (has_control(map, map_len) || has_control(key, key_len))
        return err_set(err, ERR_USAGE, "a control character in a question to the agent");
    if (map_len >= SOCKETMAP_REQUEST_MAX || key_len >= SOCKETMAP_REQUEST_MAX - map_len)
        return err_set(err, ERR_USAGE, "a question to the agent is longer than %u bytes",
                       SOCKETMAP_REQUEST_MAX);
    if ((r = frame_begin(map_len + 1 + key_len, out)) != 0 ||
        (r = secret_append(out, map, map_len)) != 0 ||
        (r = secret_append_char(out, ' ')) != 0 ||
        (r = secret_append(out, key, key_len)) != 0 ||
        (r = secret_append_char(out, ',')) != 0)
        return err_set(err, r, "no memory for a question to the agent");
    return 0;
}

/* Statuses and what they mean. A text that is missing gets one: logs show it. */
static const struct status {
    const char *word;
    int code;
    const char *text;
} statuses[] = {
    {"OK", ERR_NONE, ""},
    {"NOTFOUND", ERR_NOACCOUNT, "no such account"},
    {"TEMP", ERR_TEMP, "the agent says: try again later"},
    {"TIMEOUT", ERR_TIMEOUT, "the agent ran out of time"},
    {"PERM", ERR_PERSON, "the agent says: a person must act"},
};

static const struct status *
status_find(const char *word, size_t len)
{
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (strlen(statuses[i].word) == len && memcmp(statuses[i].word, word, len) == 0)
            return &statuses[i];
    return NULL;
}

static bool
begins_denied(const char *text, size_t len)
{
    size_t n = strlen(SOCKETMAP_DENIED);

    return len >= n && memcmp(text, SOCKETMAP_DENIED, n) == 0;
}

int
socketmap_reply_read(const char *payload, size_t len, const char **text_r,
                     size_t *text_len_r, struct err *err)
{
    const char *space = memchr(payload, ' ', len);
    size_t word_len = space != NULL ? (size_t)(space - payload) : len;
    const struct status *status = status_find(payload, word_len);
    const char *text = space != NULL ? space + 1 : payload + len;
    size_t text_len = len - (size_t)(text - payload);
    int code;

    /* Not quoted either: an unknown word may be the middle of a token. */
    if (status == NULL)
        return err_set(err, ERR_PROTOCOL, "the agent's reply has an unknown status");
    if (status->code == ERR_NONE) {
        *text_r = text;
        *text_len_r = text_len;
        return 0;
    }
    code = status->code;
    if (code == ERR_PERSON && begins_denied(text, text_len))
        code = ERR_DENIED;
    err_from_line(err, code, text, text_len);
    if (err != NULL && err->text[0] == '\0') /* none came, or a remedy alone */
        snprintf(err->text, sizeof(err->text), "%s", status->text);
    return code;
}

int
socketmap_reply_ok(const char *text, size_t len, struct secret *out)
{
    int r;

    if (len > SOCKETMAP_REPLY_MAX - 3)
        return ERR_PROTOCOL;
    if ((r = frame_begin(len + 3, out)) != 0 ||
        (r = secret_append_str(out, "OK ")) != 0 ||
        (r = secret_append(out, text, len)) != 0)
        return r;
    return secret_append_char(out, ',');
}

int
socketmap_reply_err(const struct err *err, struct secret *out)
{
    char line[ERR_LINE_MAX];
    char payload[ERR_LINE_MAX + 32];
    const char *word = "TEMP ";
    int n;

    err_line(err, line);
    switch (err->code) {
    case ERR_NOACCOUNT:
        /* No text, as Postfix's other tables: "not here" needs no reason. */
        word = "NOTFOUND ";
        line[0] = '\0';
        break;
    case ERR_TIMEOUT:
        word = "TIMEOUT ";
        break;
    case ERR_DENIED:
        word = begins_denied(line, strlen(line)) ? "PERM " : "PERM " SOCKETMAP_DENIED;
        break;
    case ERR_PERSON:
    case ERR_CONFIG:
    case ERR_USAGE:
        word = "PERM ";
        break;
    default:
        break;
    }
    n = snprintf(payload, sizeof(payload), "%s%s", word, line);
    return socketmap_frame(payload, (size_t)n, SOCKETMAP_REPLY_MAX, out);
}
