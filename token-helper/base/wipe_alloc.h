/* wipe_alloc.h - malloc and its family, wiping every block when it is freed or moved.
 *
 * Used by:  json.c and http.c, which hand it to jansson and libcurl: tokens and secrets
 *           pass through the buffers of both.
 * Includes: reserve.h, which is taken when memory is short; libc.
 *
 * Each block is preceded by its size, in a header of max_align_t so that alignment holds.
 * A block must be freed by wipe_free(), never by free().
 */
#ifndef MAILBEARER_WIPE_ALLOC_H
#define MAILBEARER_WIPE_ALLOC_H

#include <stddef.h>

void *wipe_malloc(size_t size);
void *wipe_calloc(size_t count, size_t size);
void *wipe_realloc(void *block, size_t size);
char *wipe_strdup(const char *text);
void wipe_free(void *block);

#endif
