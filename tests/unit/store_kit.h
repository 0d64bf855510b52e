/* store_kit.h - a token store in a temporary directory, and records to put in it.
 *
 * Used by:  test_store.c, test_store_lock.c, test_store_faults.c
 */
#ifndef MAILBEARER_TESTS_STORE_KIT_H
#define MAILBEARER_TESTS_STORE_KIT_H

#include "scratch.h"

#include "accounts/store.h"

/* In a child process cmocka's assertions would jump back into the parent's test list. */
#define CHECK(condition)                                                                 \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);              \
            _exit(1);                                                                    \
        }                                                                                \
    } while (0)

/* A record whose tokens are "access-N" and "refresh-N". */
static inline struct record
kit_record(int n)
{
    struct record record = RECORD_INIT;
    char text[32];

    snprintf(text, sizeof text, "access-%d", n);
    if (secret_append_str(&record.access_token, text) != 0)
        abort();
    snprintf(text, sizeof text, "refresh-%d", n);
    if (secret_append_str(&record.refresh_token, text) != 0)
        abort();
    record.expires_at = 1700000000 + n;
    return record;
}

/* The N of a record made so: 0 when it is empty, -1 when it is something else. */
static inline int
kit_number(const struct record *record)
{
    int n;
    char text[32];

    if (record->access_token.len == 0 && record->refresh_token.len == 0 &&
        record->expires_at == 0)
        return 0;
    n = (int)(record->expires_at - 1700000000);
    snprintf(text, sizeof text, "access-%d", n);
    if (strcmp(secret_str(&record->access_token), text) != 0)
        return -1;
    snprintf(text, sizeof text, "refresh-%d", n);
    return strcmp(secret_str(&record->refresh_token), text) == 0 ? n : -1;
}

/* The N of what is stored, without the lock; -1 when it cannot be read. */
static inline int
kit_stored(const struct store *store, const char *account)
{
    struct record record = RECORD_INIT;
    struct err err = ERR_INIT;
    int n = -1;

    if (store_read(store, account, &record, NULL, &err) == 0)
        n = kit_number(&record);
    record_clear(&record);
    return n;
}

/* Writes record N. What store_write() answers. */
static inline int
kit_write(const struct store *store, const char *account, int n, struct err *err)
{
    struct record record = kit_record(n);
    int r = store_write(store, account, &record, NULL, err);

    record_clear(&record);
    return r;
}

/* Locks, writes record N, unlocks: as everybody does it. 0 or the first failure. */
static inline int
kit_put(const struct store *store, const char *account, int n, struct err *err)
{
    struct store_lock lock = {-1};
    int r = store_lock(store, account, NULL, &lock, err);

    if (r == 0)
        r = kit_write(store, account, n, err);
    store_unlock(&lock);
    return r;
}

#endif
