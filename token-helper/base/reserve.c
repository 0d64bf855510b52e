/* reserve.c - see reserve.h. */
#include "reserve.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../client/error.h"

static _Atomic(void *) held;

int
reserve_hold(void)
{
    void *none = NULL, *block;

    if (atomic_load(&held) != NULL)
        return 0;
    if ((block = malloc(RESERVE_SIZE)) == NULL)
        return ERR_NOMEM;
    /* Written to, or the kernel may have promised pages that it does not have. */
    memset(block, 0xff, RESERVE_SIZE);
    if (!atomic_compare_exchange_strong(&held, &none, block))
        free(block); /* another thread was first */
    return 0;
}

bool
reserve_release(void)
{
    void *block = atomic_exchange(&held, NULL);

    free(block);
    return block != NULL;
}
