/* store_sign_in.c - see store_sign_in.h. */
#include "store_sign_in.h"

#include "../client/deadline.h"

#define TRY_MS 2000

int
store_sign_in(const struct store *store, const char *account, const struct record *record,
              struct err *err)
{
    struct deadline deadline = deadline_in(STORE_SIGN_IN_WAIT_MS);
    struct store_lock lock = {.fd = -1};
    struct record old = RECORD_INIT;
    int r;

    if ((r = store_lock(store, account, &deadline, &lock, err)) == 0 &&
        (r = store_read(store, account, &old, NULL, err)) == 0)
        r = store_write(store, account, record, NULL, err);
    record_clear(&old);
    store_unlock(&lock);
    return r;
}

int
store_sign_in_possible(const struct store *store, const char *account, struct err *err)
{
    struct deadline deadline = deadline_in(TRY_MS);
    struct store_lock lock = {.fd = -1};
    struct record old = RECORD_INIT;
    struct err why = ERR_INIT;
    int r = store_read(store, account, &old, NULL, err);

    record_clear(&old);
    if (r != 0)
        return r;
    r = store_lock(store, account, &deadline, &lock, &why);
    if (r == ERR_TIMEOUT)
        return 0; /* somebody is refreshing just now: then it can be written */
    if (r != 0) {
        *err = why;
        return r;
    }
    r = store_reserve(store, account, err);
    store_unlock(&lock);
    /* Gives the space back: nobody knows when, or whether, the person signs in. */
    if (r == 0 && store_lock(store, account, &deadline, &lock, NULL) == 0)
        store_unlock(&lock);
    return r;
}
