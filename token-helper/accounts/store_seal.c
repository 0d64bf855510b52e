/* store_seal.c - tokens on disk, encrypted: which cipher opens a record, which seals it.
 *
 * A sealed file is an envelope that only the cipher can read; inside is the same text
 * that stands in a clear file, so everything else of the store knows nothing of this.
 */
#include "store_upkeep.h"

#include <unistd.h>

#include "store_internal.h"

/* Tries one cipher. The text it gives must be a clear record: no envelope in another. */
static int
open_with(const struct store_cipher *cipher, const char *account,
          const struct secret *text, struct record *record_r, struct record_info *info_r,
          struct err *err)
{
    struct secret plain = SECRET_INIT;
    int r = cipher->open(cipher->arg, account, text, &plain, err);

    if (r == 0) {
        r = record_parse(secret_str(&plain), plain.len, record_r, info_r, err);
        if (info_r->state == RECORD_SEALED) {
            info_r->state = RECORD_DAMAGED;
            r = err_set(err, ERR_STORE, "it is encrypted twice");
        }
    } else if (r == ERR_STORE) {
        info_r->state = RECORD_DAMAGED;
    } else if (r == ERR_NOMEM) {
        info_r->state = RECORD_UNREADABLE;
    }
    secret_clear(&plain);
    return r;
}

int
store_parse(const struct store *store, const char *account, const struct secret *text,
            struct record *record_r, struct record_info *info_r, struct err *err)
{
    int r = record_parse(secret_str(text), text->len, record_r, info_r, err);

    if (r == 0)
        info_r->current = store->cipher == NULL;
    if (info_r->state == RECORD_SEALED && store->cipher != NULL) {
        r = open_with(store->cipher, account, text, record_r, info_r, err);
        info_r->current = r == 0;
    }
    if (info_r->state == RECORD_SEALED && store->old_cipher != NULL)
        r = open_with(store->old_cipher, account, text, record_r, info_r, err);
    return r;
}

int
store_compose(const struct store *store, const char *account, const struct record *record,
              int64_t serial, struct secret *text_r, struct err *err)
{
    struct secret plain = {.max = RECORD_FILE_MAX};
    struct secret sealed = SECRET_INIT;
    int r = record_format(record, serial, &plain, err);

    if (r == 0 && store->cipher != NULL) {
        r = store->cipher->seal(store->cipher->arg, account, &plain, &sealed, err);
        /* What is written must be what can be read again. */
        if (r == 0 && sealed.len > RECORD_FILE_MAX)
            r = err_set(err, ERR_STORE, "the record is too long to be stored encrypted");
        if (r == 0)
            secret_move(&plain, &sealed);
    }
    if (r == 0)
        secret_move(text_r, &plain);
    secret_clear(&plain);
    secret_clear(&sealed);
    return r;
}

/* Opens and reads the record's file. 0 with info_r; the state is ABSENT where there is
 * none. */
static int
look(const struct store *store, const char *account, struct record *record_r,
     struct record_info *info_r, struct err *err)
{
    char name[STORE_NAME_MAX];
    struct stat st;
    int fd = -1;
    int r;

    *info_r = (struct record_info){.state = RECORD_UNREADABLE};
    if ((r = store_name_of(account, STORE_SUFFIX, name, err)) != 0 ||
        (r = store_open_file(store, name, &fd, &st, err)) != 0)
        return r;
    if (fd == -1) {
        info_r->state = RECORD_ABSENT;
        return 0;
    }
    r = store_read_file(store, name, account, fd, st.st_size, record_r, info_r, err);
    close(fd);
    return r;
}

int
store_form(const struct store *store, const char *account, enum store_form *form_r,
           struct err *err)
{
    /* Without a key every encrypted record looks alike, whichever key it has. */
    const struct store keyless = {.path = store->path, .fd = store->fd};
    struct record record = RECORD_INIT;
    struct record_info info;
    struct err why = ERR_INIT;
    int r = look(&keyless, account, &record, &info, &why);

    record_clear(&record);
    if (info.state == RECORD_SEALED) {
        *form_r = STORE_SEALED;
        return 0;
    }
    if (r == 0)
        *form_r = info.state == RECORD_ABSENT ? STORE_ABSENT : STORE_CLEAR;
    else if (err != NULL)
        *err = why;
    return r;
}

int
store_rekey(const struct store *store, const char *account,
            const struct deadline *deadline, bool *changed_r, struct err *err)
{
    struct store_lock lock = {-1};
    struct record record = RECORD_INIT;
    struct record_info info;
    int r;

    if ((r = store_lock(store, account, deadline, &lock, err)) != 0)
        return r;
    if ((r = look(store, account, &record, &info, err)) != 0)
        goto out;
    if (info.state == RECORD_ABSENT || info.current)
        *changed_r = false;
    else if ((r = store_write(store, account, &record, NULL, err)) == 0)
        *changed_r = true;
out:
    record_clear(&record);
    store_unlock(&lock);
    return r;
}
