/* look_private.h - what look.c and look_seen.c share.
 *
 * Includes: look.h, libcurl.
 */
#ifndef MAILBEARER_LOOK_PRIVATE_H
#define MAILBEARER_LOOK_PRIVATE_H

#include <curl/curl.h>

#include "look.h"

/* One connection. */
struct sight {
    struct look *look;
    CURL *easy;
    size_t replies;
    bool verify;
    bool done;
    CURLcode code;
    char detail[CURL_ERROR_SIZE];
};

/* A server's text, cleaned and cut. */
void look_text(char *to, size_t size, const char *from, size_t len);

bool look_is_http(const struct look *look);

/* Writes what was seen into the look, when `code` is known. Of a connection without
 * verification that is the certificate alone. */
void look_seen(struct sight *sight);

#endif
