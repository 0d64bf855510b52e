/* fuzz_caps.c - a server's capabilities, in each protocol, and what of them is repeated.
 */
#include "fuzz.h"

#include "mail/caps.h"

static void
feed(struct caps *caps, const char *bytes, size_t size)
{
    while (size > 0) {
        const char *end = memchr(bytes, '\n', size);
        size_t n = end != NULL ? (size_t)(end - bytes) : size;
        char *line = fuzz_copy((const uint8_t *)bytes, n);

        caps_line(caps, line, n);
        free(line);
        bytes += n;
        size -= n;
        if (size > 0) {
            bytes++;
            size--;
        }
    }
}

static bool
begins(const char *cap, size_t len, const char *word)
{
    size_t n = strlen(word);

    return len >= n && strncasecmp(cap, word, n) == 0 &&
           (len == n || cap[n] == '=' || cap[n] == ' ');
}

static void
check(enum wire wire, const char *bytes, size_t size)
{
    struct caps caps;
    const char *cap;
    size_t at = 0, len = 0, before = 0;

    caps_init(&caps, wire);
    feed(&caps, bytes, size);
    FUZZ_CHECK(caps.text.len <= 32u * 1024u);
    while ((cap = caps_next(&caps, &at, &len)) != NULL) {
        FUZZ_CHECK(len > 0 && at > before && at <= caps.text.len);
        FUZZ_CHECK(memchr(cap, '\n', len) == NULL);
        FUZZ_CHECK(!begins(cap, len, "AUTH") && !begins(cap, len, "STARTTLS") &&
                   !begins(cap, len, "STLS") && !begins(cap, len, "SASL"));
        if (wire == WIRE_IMAP) /* they are put into a response code */
            FUZZ_CHECK(memchr(cap, ']', len) == NULL && memchr(cap, ' ', len) == NULL);
        before = at;
    }
    if (caps_offers(&caps, "XOAUTH2"))
        FUZZ_CHECK(caps_known(&caps));
    caps_clear(&caps);
    FUZZ_CHECK(!caps_known(&caps));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(WIRE_IMAP, (const char *)data, size);
    check(WIRE_POP3, (const char *)data, size);
    check(WIRE_SMTP, (const char *)data, size);
    return 0;
}
