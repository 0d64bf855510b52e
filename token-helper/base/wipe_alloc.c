/* wipe_alloc.c - malloc and its family, wiping every block when it is freed or moved. */
#include "wipe_alloc.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reserve.h"

/* A size_t alone would shift the block to an address that is not aligned for everything.
 */
union header {
    size_t size;
    max_align_t align;
};

static void *
wipe_alloc(size_t size, void *(*take)(size_t))
{
    union header *header;

    if (size > PTRDIFF_MAX - sizeof *header) {
        errno = ENOMEM;
        return NULL;
    }
    header = take(sizeof *header + size);
    if (header == NULL && reserve_release())
        header = take(sizeof *header + size);
    if (header == NULL)
        return NULL;
    header->size = size;
    return header + 1;
}

static void *
take_zeroed(size_t size)
{
    return calloc(1, size);
}

void *
wipe_malloc(size_t size)
{
    return wipe_alloc(size, malloc);
}

void *
wipe_calloc(size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    return wipe_alloc(total, take_zeroed);
}

void *
wipe_realloc(void *block, size_t size)
{
    union header *header;
    void *bigger;

    if (block == NULL)
        return wipe_malloc(size);
    header = (union header *)block - 1;
    if (size <= header->size) {
        explicit_bzero((char *)block + size, header->size - size);
        /* The size on record stays: it is what the allocation has room for. */
        return block;
    }
    /* realloc(3) may move the block and leave the old bytes behind. */
    bigger = wipe_malloc(size);
    if (bigger == NULL)
        return NULL;
    memcpy(bigger, block, header->size);
    wipe_free(block);
    return bigger;
}

char *
wipe_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = wipe_malloc(size);

    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

void
wipe_free(void *block)
{
    union header *header;

    if (block == NULL)
        return;
    header = (union header *)block - 1;
    explicit_bzero(header, sizeof *header + header->size);
    free(header);
}
