/* accounts_read(): opens the files, has them parsed, and builds the accounts. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/file.h"
#include "build.h"
#include "parse.h"
#include "place.h"
#include "postfix_keys.h"

#define FILE_SIZE_MAX ((size_t)16 * 1024 * 1024)
#define WHAT "accounts file"

static int
cannot_open(const struct raw *raw, size_t index, int error, struct err *err)
{
    const struct raw_file *f = &raw->file[index];

    if (f->line != 0)
        return config_error(err, raw->file[f->from].file.path, f->line,
                            "cannot open included file %s: %s", f->file.path,
                            strerror(error));
    if (error == ENOENT) {
        err_set(err, ERR_CONFIG, "there is no " WHAT " %s", f->file.path);
        err_hint(err, "mailbearer.conf(5) shows what to write");
        return ERR_CONFIG;
    }
    return err_set(err, ERR_CONFIG, "cannot open " WHAT " %s: %s", f->file.path,
                   strerror(error));
}

/* Also ends circles: who includes a file that is being included includes it twice. */
static int
check_not_again(const struct raw *raw, size_t index, struct err *err)
{
    const struct raw_file *f = &raw->file[index];

    for (size_t i = 0; i < index; i++) {
        const struct stat *before = &raw->file[i].file.status;

        if (before->st_dev == f->file.status.st_dev &&
            before->st_ino == f->file.status.st_ino)
            return config_error(err, raw->file[f->from].file.path, f->line,
                                "%s is included twice", f->file.path);
    }
    return 0;
}

static int
load_text(int fd, const struct accounts_file *file, struct secret *text, struct err *err)
{
    int r = file_read_sized(fd, file->path, (size_t)file->status.st_size, FILE_SIZE_MAX,
                            text, err);

    if (r == ERR_STORE) /* of a file that holds tokens it would be that; here it is not */
        err->code = r = ERR_CONFIG;
    if (r == 0 && secret_append_char(text, '\n') != 0)
        r = config_nomem(err);
    return r;
}

static int
read_file(struct raw *raw, size_t index, struct err *err)
{
    struct accounts_file *file = &raw->file[index].file;
    struct secret text = SECRET_INIT;
    int fd = -1;
    int r;

    text.max = FILE_SIZE_MAX + 1;
    /* Not blocking: somebody may have put a FIFO there. */
    fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &file->status) != 0) {
        r = cannot_open(raw, index, errno, err);
        goto out;
    }
    /* Root reads before it becomes the service's user, whose file it then is as well. */
    r = file_check_private(&file->status, file->path, WHAT,
                           geteuid() == 0 ? place_system_owner() : (uid_t)-1, err);
    if (r != 0 || (r = check_not_again(raw, index, err)) != 0 ||
        (r = load_text(fd, file, &text, err)) != 0)
        goto out;
    r = parse_text(&text, raw, index, err);
out:
    if (fd >= 0)
        close(fd);
    secret_clear(&text);
    return r;
}

/* The paths move: accounts point to them. */
static int
take_files(struct raw *raw, struct accounts *accounts, struct err *err)
{
    accounts->file = calloc(raw->file_count + 1, sizeof(*accounts->file));
    if (accounts->file == NULL ||
        (accounts->path = strdup(raw->file[0].file.path)) == NULL)
        return config_nomem(err);
    accounts->status = raw->file[0].file.status;
    for (size_t i = 0; i < raw->file_count; i++) {
        accounts->file[i] = raw->file[i].file;
        raw->file[i].file.path = NULL;
    }
    accounts->file_count = raw->file_count;
    return 0;
}

int
accounts_read(const char *path, struct accounts **accounts_r, struct err *err)
{
    struct raw raw = RAW_INIT;
    struct accounts *accounts = NULL;
    struct err reason =
        ERR_INIT; /* texts are built up from it: the caller's may be NULL */
    char *copy = strdup(path);
    int r = 0;

    if (copy == NULL || raw_add_file(&raw, copy, 0, 0) != 0) {
        r = config_nomem(&reason);
        goto out;
    }
    copy = NULL;
    for (size_t i = 0; i < raw.file_count && r == 0; i++) /* grows by include() */
        r = read_file(&raw, i, &reason);
    if (r != 0)
        goto out;
    if ((accounts = calloc(1, sizeof(*accounts))) == NULL ||
        (r = build_accounts(&raw, accounts, &reason)) != 0 ||
        (r = take_files(&raw, accounts, &reason)) != 0 ||
        (r = key_index_make(accounts)) != 0) {
        if (r == 0 || r == ERR_NOMEM)
            r = config_nomem(&reason);
        goto out;
    }
    *accounts_r = accounts;
    accounts = NULL;
out:
    free(copy);
    accounts_free(&accounts);
    raw_clear(&raw);
    if (r != 0 && err != NULL)
        *err = reason;
    return r;
}
