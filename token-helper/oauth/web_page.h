/* web_page.h - the little HTTP that a browser's way back needs: the head of a request,
 * and one small page. No I/O.
 *
 * Used by:  loopback.c, tests/fuzz
 * Includes: client/.
 */
#ifndef MAILBEARER_WEB_PAGE_H
#define MAILBEARER_WEB_PAGE_H

#include <stddef.h>

#include "../client/error.h"
#include "../client/secret.h"

#define WEB_HEAD_MAX 8192u /* bytes of a request's head */

enum web_head {
    WEB_MORE,    /* it has not all come yet */
    WEB_GET,     /* a whole GET request */
    WEB_METHOD,  /* whole, but of another method */
    WEB_BAD,     /* no HTTP/1 request, or the target is no path */
    WEB_TOO_BIG, /* longer than WEB_HEAD_MAX */
};

struct web_request { /* all point into the bytes given */
    const char *path;
    size_t path_len;
    const char *query; /* behind the `?`; "" when there is none */
    size_t query_len;
};

/* Looks at what has come of a request so far. *request_r is set for WEB_GET only. */
enum web_head web_request_parse(const char *bytes, size_t len,
                                struct web_request *request_r);

struct web_page {
    int status;        /* HTTP status */
    const char *title; /* text, not HTML; static */
    char text[ERR_TEXT_MAX];
    char hint[ERR_HINT_MAX]; /* a second paragraph; "" for none */
};

/* Appends a whole response: the page needs nothing from anywhere, runs nothing, and is
 * not kept; the connection ends with it. Everything shown is escaped. 0 or ERR_NOMEM. */
int web_page_compose(const struct web_page *page, struct secret *out);

#endif
