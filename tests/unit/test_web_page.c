/* test_web_page.c - requests of a browser, and pages for it. */
#include <stdlib.h>

#include "oauth/web_page.h"
#include "oauth_kit.h"

static enum web_head
parsed(const char *text)
{
    struct web_request q;

    return web_request_parse(text, strlen(text), &q);
}

static void
asks_for(const char *text, const char *path, const char *query)
{
    struct web_request q = {NULL, 0, NULL, 0};

    assert_int_equal(web_request_parse(text, strlen(text), &q), WEB_GET);
    assert_int_equal(q.path_len, strlen(path));
    assert_memory_equal(q.path, path, q.path_len);
    assert_int_equal(q.query_len, strlen(query));
    assert_memory_equal(q.query, query, q.query_len);
}

static void
requests(void **state)
{
    (void)state;
    asks_for("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "/", "");
    asks_for("GET /a/b?code=1&state=2 HTTP/1.1\r\n\r\n", "/a/b", "code=1&state=2");
    asks_for("GET /?a?b HTTP/1.0\n\n", "/", "a?b");
    assert_int_equal(parsed(""), WEB_MORE);
    assert_int_equal(parsed("GET / HTTP/1.1\r\nHost: x\r\n"), WEB_MORE);
    assert_int_equal(parsed("POST / HTTP/1.1\r\n\r\n"), WEB_METHOD);
    assert_int_equal(parsed("HEAD / HTTP/1.1\r\n\r\n"), WEB_METHOD);
    assert_int_equal(parsed("GETS / HTTP/1.1\r\n\r\n"), WEB_METHOD);
}

static void
what_is_no_request(void **state)
{
    static const char *const texts[] = {"\r\n\r\n",
                                        "get / HTTP/1.1\r\n\r\n",
                                        "GET /\r\n\r\n",
                                        "GET / HTTP/2.0\r\n\r\n",
                                        "GET / HTTP/1.10\r\n\r\n",
                                        "GET x HTTP/1.1\r\n\r\n",
                                        "GET  HTTP/1.1\r\n\r\n",
                                        "GET /a b HTTP/1.1\r\n\r\n",
                                        "GET http://x/ HTTP/1.1\r\n\r\n",
                                        "GET /\x01 HTTP/1.1\r\n\r\n",
                                        "GET /\xc3\xa4 HTTP/1.1\r\n\r\n",
                                        "\x16\x03\x01\n\n",
                                        "AAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (parsed(texts[i]) != WEB_BAD)
            fail_msg("taken: %s", texts[i]);
}

static void
the_limit(void **state)
{
    char *text = malloc(WEB_HEAD_MAX + 2);

    (void)state;
    assert_non_null(text);
    memset(text, 'a', WEB_HEAD_MAX + 1);
    text[WEB_HEAD_MAX + 1] = '\0';
    memcpy(text, "GET /", 5);
    assert_int_equal(parsed(text), WEB_TOO_BIG);
    memcpy(text + WEB_HEAD_MAX + 1 - 13, " HTTP/1.1\r\n\r\n", 13);
    assert_int_equal(parsed(text), WEB_TOO_BIG);
    memcpy(text + WEB_HEAD_MAX - 13, " HTTP/1.1\r\n\r\n", 14);
    assert_int_equal(parsed(text), WEB_GET);
    free(text);
}

static void
a_page(void **state)
{
    struct web_page page = {.status = 403, .title = "refused"};
    struct secret out = SECRET_INIT;
    const char *text, *body;
    size_t length = 0;

    (void)state;
    strcpy(page.text, "<script>alert(\"1\")</script> & 'x'");
    strcpy(page.hint, "a > b");
    assert_int_equal(web_page_compose(&page, &out), 0);
    text = secret_str(&out);
    assert_non_null(strstr(text, "HTTP/1.1 403 Forbidden\r\n"));
    assert_non_null(strstr(text, "<p>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; "
                                 "&amp; &#39;x&#39;</p>"));
    assert_non_null(strstr(text, "<p>a &gt; b</p>"));
    assert_null(strstr(text, "<script>"));
    assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
    body = strstr(text, "\r\n\r\n") + 4;
    length = strtoul(strstr(text, "Content-Length: ") + 16, NULL, 10);
    assert_int_equal(length, strlen(body));
    secret_clear(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(what_is_no_request),
        cmocka_unit_test(the_limit),
        cmocka_unit_test(a_page),
    };

    return cmocka_run_group_tests_name("web_page", tests, NULL, NULL);
}
