/* fuzz_web_page.c - the request a browser sends to the loopback listener, and the page it
 * gets. */
#include "fuzz.h"

#include "oauth/web_page.h"

static void
request(const char *bytes, size_t size)
{
    struct web_request q = {NULL, 0, NULL, 0}, part;
    enum web_head head = web_request_parse(bytes, size, &q);

    FUZZ_CHECK(head <= WEB_TOO_BIG);
    FUZZ_CHECK((head == WEB_TOO_BIG) == (size > WEB_HEAD_MAX));
    if (head == WEB_GET) {
        FUZZ_CHECK(q.path > bytes && q.path_len > 0 && q.path[0] == '/');
        FUZZ_CHECK(q.path + q.path_len <= bytes + size);
        if (q.query_len > 0)
            FUZZ_CHECK(q.query > q.path && q.query + q.query_len <= bytes + size);
    }
    /* it comes in pieces: a judgement on a part is the one on the whole */
    for (size_t cut = 0; cut < size && cut <= WEB_HEAD_MAX; cut += 1 + size / 64) {
        enum web_head early = web_request_parse(bytes, cut, &part);

        FUZZ_CHECK(early == WEB_MORE || early == head || head == WEB_TOO_BIG);
        if (early == WEB_GET && head == WEB_GET)
            FUZZ_CHECK(part.path == q.path && part.path_len == q.path_len);
    }
}

static size_t
count(const struct secret *s, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < s->len; i++)
        n += s->data[i] == c;
    return n;
}

/* Nothing that is shown makes a tag, an entity or an attribute of itself, and the length
 * told is the body's. */
static void
page(const char *bytes, size_t size)
{
    struct web_page p = {.status = 400, .title = "this is not the sign-in"};
    struct secret plain = SECRET_INIT, shown = SECRET_INIT;
    const char *body;

    memset(p.text, 'x', 4);
    FUZZ_CHECK(web_page_compose(&p, &plain) == 0);
    if (size > sizeof p.text - 1)
        size = sizeof p.text - 1;
    memset(p.text, 0, sizeof p.text);
    memcpy(p.text, bytes, size);
    FUZZ_CHECK(web_page_compose(&p, &shown) == 0);
    FUZZ_CHECK(count(&plain, '<') == count(&shown, '<'));
    FUZZ_CHECK(count(&plain, '>') == count(&shown, '>'));
    FUZZ_CHECK(count(&plain, '"') == count(&shown, '"'));
    FUZZ_CHECK(count(&plain, '\'') == count(&shown, '\''));
    body = strstr(secret_str(&shown), "\r\n\r\n");
    FUZZ_CHECK(body != NULL && strncmp(secret_str(&shown), "HTTP/1.1 400 ", 13) == 0);
    secret_clear(&plain);
    secret_clear(&shown);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);

    request(bytes, size);
    page(bytes, size);
    free(bytes);
    return 0;
}
