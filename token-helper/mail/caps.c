/* caps.c - see caps.h. */
#include "caps.h"

#include <string.h>
#include <strings.h>

#define TEXT_MAX (32u * 1024u)

void
caps_init(struct caps *caps, enum wire wire)
{
    const struct caps fresh = {.wire = wire, .text = {.max = TEXT_MAX}};

    *caps = fresh;
}

void
caps_clear(struct caps *caps)
{
    secret_clear(&caps->text);
    caps->in_list = false;
}

/* One that does not fit is left out as a whole: half a capability is another one. */
static void
add(struct caps *caps, const char *text, size_t len)
{
    if (len > 0 && secret_reserve(&caps->text, len + 1) == 0) {
        secret_append(&caps->text, text, len);
        secret_append_char(&caps->text, '\n');
    }
}

/* The words behind CAPABILITY, which stands alone or in a response code:
 *     * CAPABILITY IMAP4rev1 IDLE
 *     A1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in */
static void
imap_line(struct caps *caps, const char *line, size_t len)
{
    static const char word[] = "CAPABILITY ";
    const char *end = line + len;
    const char *at = NULL;
    size_t start;

    if (len > 2 && strncasecmp(line, "* ", 2) == 0 && len - 2 >= sizeof word - 1 &&
        strncasecmp(line + 2, word, sizeof word - 1) == 0)
        at = line + 2;
    else if ((at = memmem(line, len, "[CAPABILITY ", sizeof word)) != NULL)
        at++;
    if (at == NULL)
        return;
    secret_reset(&caps->text);
    at += sizeof word - 1;
    while (at < end && *at != ']') {
        start = 0;
        while (at + start < end && at[start] != ' ' && at[start] != ']')
            start++;
        add(caps, at, start);
        at += start;
        while (at < end && *at == ' ')
            at++;
    }
}

static void
pop3_line(struct caps *caps, const char *line, size_t len)
{
    if (len >= 3 && memcmp(line, "+OK", 3) == 0) {
        secret_reset(&caps->text);
        caps->in_list = true;
    } else if ((len == 1 && line[0] == '.') || (len > 0 && line[0] == '-') ||
               (len > 0 && line[0] == '+')) {
        caps->in_list = false;
    } else if (caps->in_list) {
        add(caps, line, len);
    }
}

static void
smtp_line(struct caps *caps, const char *line, size_t len)
{
    if (len < 3 || memcmp(line, "250", 3) != 0) {
        caps->in_list = false;
        return;
    }
    /* the first line of the reply names the server */
    if (!caps->in_list)
        secret_reset(&caps->text);
    else if (len > 4)
        add(caps, line + 4, len - 4);
    caps->in_list = len > 3 && line[3] == '-';
}

void
caps_line(struct caps *caps, const char *line, size_t len)
{
    if (caps->wire == WIRE_IMAP)
        imap_line(caps, line, len);
    else if (caps->wire == WIRE_POP3)
        pop3_line(caps, line, len);
    else
        smtp_line(caps, line, len);
}

bool
caps_known(const struct caps *caps)
{
    return caps->text.len > 0;
}

/* The capability that begins at *at, and *at moved behind it. */
static const char *
next_of_all(const struct caps *caps, size_t *at, size_t *len_r)
{
    const char *start, *end;

    if (*at >= caps->text.len)
        return NULL;
    start = caps->text.data + *at;
    end = memchr(start, '\n', caps->text.len - *at);
    if (end == NULL)
        return NULL;
    *len_r = (size_t)(end - start);
    *at += *len_r + 1;
    return start;
}

/* Does cap begin with `word`, and is nothing, a blank or '=' behind it? */
static bool
is_word(const char *cap, size_t len, const char *word)
{
    size_t n = strlen(word);

    return len >= n && strncasecmp(cap, word, n) == 0 &&
           (len == n || cap[n] == ' ' || cap[n] == '=');
}

static bool
lists(const char *cap, size_t len, const char *mechanism)
{
    size_t n = strlen(mechanism);

    for (size_t i = 0; i + n <= len; i++) {
        bool begins = i > 0 && (cap[i - 1] == ' ' || cap[i - 1] == '=');
        bool ends = i + n == len || cap[i + n] == ' ';

        if (begins && ends && strncasecmp(cap + i, mechanism, n) == 0)
            return true;
    }
    return false;
}

bool
caps_offers(const struct caps *caps, const char *mechanism)
{
    const char *word = caps->wire == WIRE_POP3 ? "SASL" : "AUTH";
    const char *cap;
    size_t at = 0, len = 0;

    while ((cap = next_of_all(caps, &at, &len)) != NULL)
        if (is_word(cap, len, word) && lists(cap, len, mechanism))
            return true;
    return false;
}

const char *
caps_next(const struct caps *caps, size_t *at, size_t *len_r)
{
    static const char *const ours[] = {"AUTH",          "SASL",    "STARTTLS", "STLS",
                                       "LOGINDISABLED", "SASL-IR", "COMPRESS"};
    const char *cap;
    bool hidden = true;

    while (hidden && (cap = next_of_all(caps, at, len_r)) != NULL) {
        hidden = false;
        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
            hidden = hidden || is_word(cap, *len_r, ours[i]);
        if (!hidden)
            return cap;
    }
    return NULL;
}
