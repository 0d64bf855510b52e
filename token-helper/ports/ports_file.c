/* ports_file.c - reading the file `ports`. See ports_file.h. */
#include "ports_file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/file.h"
#include "ports_line.h"

int
ports_file_path(const char *accounts_file, char *path_r, size_t size, struct err *err)
{
    const char *slash = strrchr(accounts_file, '/');
    int folder = slash == NULL ? 0 : (int)(slash - accounts_file) + 1;
    int n = snprintf(path_r, size, "%.*s%s", folder, accounts_file, PORTS_FILE_NAME);

    return n > 0 && (size_t)n < size
               ? 0
               : err_set(err, ERR_CONFIG, "the path of the ports file is too long");
}

/* --- lines -----------------------------------------------------------------------------
 */

bool
ports_line_next(const struct secret *text, size_t *at, struct ports_line *line_r)
{
    const char *start = secret_str(text) + *at, *end, *colon;
    size_t left = text->len - *at;

    if (left == 0)
        return false;
    end = memchr(start, '\n', left);
    line_r->text = start;
    line_r->len = end != NULL ? (size_t)(end - start) : left;
    *at += line_r->len + (end != NULL ? 1 : 0);
    colon = memrchr(start, ':', line_r->len);
    line_r->name_len = colon != NULL ? (size_t)(colon - start) : line_r->len;
    line_r->comment = line_r->len == 0 || start[0] == '#';
    line_r->good = line_r->comment ||
                   (colon != NULL && colon != start && colon + 1 < start + line_r->len &&
                    memchr(start, '\0', line_r->len) == NULL);
    return true;
}

bool
ports_line_is(const struct ports_line *line, const char *account)
{
    return !line->comment && line->good && strlen(account) == line->name_len &&
           memcmp(line->text, account, line->name_len) == 0;
}

static int
check_lines(const struct secret *text, const char *path, struct err *err)
{
    struct ports_line line;
    size_t at = 0;

    for (int n = 1; ports_line_next(text, &at, &line); n++)
        if (!line.good) {
            err_set(err, ERR_CONFIG, "ports file %s, line %d: not ACCOUNT:HASH", path, n);
            err_hint(err,
                     "take the line out, and set it anew: mailbearer passwd ACCOUNT");
            return ERR_CONFIG;
        }
    return 0;
}

/* --- the file --------------------------------------------------------------------------
 */

/* Root may let the group of the service read. */
static bool
is_ports_group(const struct stat *st)
{
    const struct group *group = getgrnam(PORTS_FILE_GROUP);

    return st->st_uid == 0 && group != NULL && group->gr_gid == st->st_gid;
}

int
ports_file_check(const struct stat *st, const char *path, struct err *err)
{
    unsigned mode = st->st_mode & 07777u;

    if (!S_ISREG(st->st_mode))
        return err_set(err, ERR_CONFIG, "ports file %s is not a regular file", path);
    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        err_set(err, ERR_CONFIG, "ports file %s belongs to uid %lu, who could change it",
                path, (unsigned long)st->st_uid);
        err_hint(err, "chown %lu %s", (unsigned long)geteuid(), path);
        return ERR_CONFIG;
    }
    if ((mode & 007u) == 0 &&
        ((mode & 070u) == 0 || ((mode & 030u) == 0 && is_ports_group(st))))
        return 0;
    err_set(err, ERR_CONFIG, "ports file %s has mode %03o: %s may read or change it",
            path, mode, (mode & 007u) != 0 ? "everybody" : "its group");
    if (st->st_uid == 0 && getgrnam(PORTS_FILE_GROUP) != NULL)
        err_hint(err, "chgrp " PORTS_FILE_GROUP " %s && chmod 640 %s", path, path);
    else
        err_hint(err, "chmod 600 %s", path);
    return ERR_CONFIG;
}

static int
cannot_open(const char *path, struct err *err)
{
    int e = errno;

    err_set(err, ERR_CONFIG, "ports file %s: %s", path, strerror(e));
    if (e == ENOENT)
        err_hint(err, "no local password is set yet: mailbearer passwd ACCOUNT");
    else if (e == EACCES)
        err_hint(err, "it is for root and the user " PORTS_FILE_GROUP);
    return ERR_CONFIG;
}

int
ports_file_read(const char *path, struct secret *text_r, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    int r;

    secret_clear(text_r);
    if (fd < 0)
        return cannot_open(path, err);
    if (fstat(fd, &st) != 0)
        r = cannot_open(path, err);
    else if ((r = ports_file_check(&st, path, err)) == 0)
        r = file_read_fd(fd, path, PORTS_FILE_MAX, text_r, err);
    close(fd);
    if (r == 0 && (r = check_lines(text_r, path, err)) != 0)
        secret_clear(text_r);
    return r;
}

static int
append_hash(const struct ports_line *line, struct secret *out)
{
    return secret_append(out, line->text + line->name_len + 1,
                         line->len - line->name_len - 1);
}

int
ports_file_find(const struct secret *text, const char *account, struct secret *hash_r,
                struct secret *like_r)
{
    struct ports_line line;
    size_t at = 0;
    int r = 0;

    while (r == 0 && ports_line_next(text, &at, &line)) {
        if (line.comment)
            continue;
        if (like_r->len == 0)
            r = append_hash(&line, like_r);
        if (r == 0 && hash_r->len == 0 && ports_line_is(&line, account))
            r = append_hash(&line, hash_r);
    }
    return r;
}

bool
ports_file_next(const struct secret *text, size_t *at, const char **name_r, size_t *len_r)
{
    struct ports_line line;

    while (ports_line_next(text, at, &line))
        if (!line.comment && line.good) {
            *name_r = line.text;
            *len_r = line.name_len;
            return true;
        }
    return false;
}
