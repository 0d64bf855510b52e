/* web_page.c - see web_page.h. */
#include "web_page.h"

#include <stdio.h>
#include <string.h>

/* --- a request's head ------------------------------------------------------------------
 */

/* The method is upper-case letters, then one blank. */
static const char *
skip_method(const char *line, size_t len, bool *get_r)
{
    size_t n = 0;

    while (n < len && n < 20 && line[n] >= 'A' && line[n] <= 'Z')
        n++;
    if (n == 0 || n == len || line[n] != ' ')
        return NULL;
    *get_r = n == 3 && memcmp(line, "GET", 3) == 0;
    return line + n + 1;
}

static bool
is_target(const char *target, size_t len)
{
    if (len == 0 || target[0] != '/')
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)target[i] <= 0x20 || (unsigned char)target[i] >= 0x7f)
            return false;
    return true;
}

static enum web_head
parse_line(const char *line, size_t len, struct web_request *request_r)
{
    bool get = false;
    const char *target = skip_method(line, len, &get), *blank, *mark;
    size_t n;

    if (target == NULL)
        return WEB_BAD;
    len -= (size_t)(target - line);
    blank = memchr(target, ' ', len);
    if (blank == NULL)
        return WEB_BAD;
    n = (size_t)(blank - target);
    if (len - n != 9 || memcmp(blank, " HTTP/1.", 8) != 0)
        return WEB_BAD;
    if (!get)
        return WEB_METHOD;
    if (!is_target(target, n))
        return WEB_BAD;
    mark = memchr(target, '?', n);
    request_r->path = target;
    request_r->path_len = mark != NULL ? (size_t)(mark - target) : n;
    request_r->query = mark != NULL ? mark + 1 : "";
    request_r->query_len = mark != NULL ? n - request_r->path_len - 1 : 0;
    return WEB_GET;
}

enum web_head
web_request_parse(const char *bytes, size_t len, struct web_request *request_r)
{
    const char *end = len > 0 ? memchr(bytes, '\n', len) : NULL;
    bool whole;

    if (len > WEB_HEAD_MAX)
        return WEB_TOO_BIG;
    whole = len > 0 && (memmem(bytes, len, "\r\n\r\n", 4) != NULL ||
                        memmem(bytes, len, "\n\n", 2) != NULL);
    if (!whole)
        return WEB_MORE;
    if (end > bytes && end[-1] == '\r')
        end--;
    return parse_line(bytes, (size_t)(end - bytes), request_r);
}

/* --- a page ----------------------------------------------------------------------------
 */

static const char *
reason_phrase(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 409:
        return "Conflict";
    case 431:
        return "Request Header Fields Too Large";
    case 503:
        return "Service Unavailable";
    default:
        return "Bad Request";
    }
}

static int
append_escaped(struct secret *out, const char *text)
{
    int r = 0;

    for (; *text != '\0' && r == 0; text++) {
        switch (*text) {
        case '&':
            r = secret_append_str(out, "&amp;");
            break;
        case '<':
            r = secret_append_str(out, "&lt;");
            break;
        case '>':
            r = secret_append_str(out, "&gt;");
            break;
        case '"':
            r = secret_append_str(out, "&quot;");
            break;
        case '\'':
            r = secret_append_str(out, "&#39;");
            break;
        default:
            r = secret_append_char(out, *text);
        }
    }
    return r;
}

static int
append_all(struct secret *out, const char *before, const char *text, const char *behind)
{
    int r;

    if ((r = secret_append_str(out, before)) != 0 || (r = append_escaped(out, text)) != 0)
        return r;
    return secret_append_str(out, behind);
}

/* The icon is empty data: without it the browser would ask us for one. */
static int
compose_body(const struct web_page *page, struct secret *out)
{
    static const char head[] =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n"
        "<link rel=\"icon\" href=\"data:,\">\n<style>\n"
        "body { font: 1.1em/1.5 sans-serif; max-width: 36em; margin: 4em auto;\n"
        "       padding: 0 1em; color: #222; background: #fff }\n"
        "</style>\n";
    int r;

    if ((r = secret_append_str(out, head)) != 0 ||
        (r = append_all(out, "<title>mailbearer: ", page->title, "</title>\n")) != 0 ||
        (r = append_all(out, "</head>\n<body>\n<h1>", page->title, "</h1>\n")) != 0 ||
        (r = append_all(out, "<p>", page->text, "</p>\n")) != 0)
        return r;
    if (page->hint[0] != '\0' && (r = append_all(out, "<p>", page->hint, "</p>\n")) != 0)
        return r;
    return secret_append_str(out, "</body>\n</html>\n");
}

int
web_page_compose(const struct web_page *page, struct secret *out)
{
    struct secret body = SECRET_INIT;
    char head[768];
    int r = compose_body(page, &body);

    snprintf(head, sizeof head,
             "HTTP/1.1 %d %s\r\n"
             "Content-Type: text/html; charset=utf-8\r\n"
             "Content-Length: %zu\r\n"
             "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
             "img-src data:; base-uri 'none'; form-action 'none'; "
             "frame-ancestors 'none'\r\n"
             "Referrer-Policy: no-referrer\r\n"
             "X-Content-Type-Options: nosniff\r\n"
             "Cache-Control: no-store\r\n"
             "%sConnection: close\r\n\r\n",
             page->status, reason_phrase(page->status), body.len,
             page->status == 405 ? "Allow: GET\r\n" : "");
    if (r == 0 && (r = secret_append_str(out, head)) == 0)
        r = secret_append(out, body.data, body.len);
    secret_clear(&body);
    return r == 0 ? 0 : ERR_NOMEM;
}
