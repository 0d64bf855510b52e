/* postfix_plugin.c - see postfix_plugin.h. */
#include "postfix_plugin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/file.h"

#define FILE_MAX ((size_t)4 * 1024 * 1024) /* of a plugin, or libsasl2 */
#define ELF_MACHINE 18                     /* e_machine, two bytes */
#define ELF_TYPE 16                        /* e_type; 3: shared object */
#define ELF_HEADER 64
#define OUR_NAME "libmailbearer.so"

bool
plugin_is_elf(const char *bytes, size_t len, const char *self, size_t self_len)
{
    /* magic, class, byte order */
    return len >= ELF_HEADER && self_len >= ELF_HEADER &&
           memcmp(bytes, "\177ELF", 4) == 0 && memcmp(bytes, self, 6) == 0 &&
           (bytes[ELF_TYPE] | bytes[ELF_TYPE + 1]) == 3 &&
           memcmp(bytes + ELF_MACHINE, self + ELF_MACHINE, 2) == 0;
}

static bool
has_dir(const struct plugin_facts *facts, const char *dir, size_t len)
{
    for (size_t i = 0; i < facts->dir_count; i++)
        if (strlen(facts->dirs[i]) == len && memcmp(facts->dirs[i], dir, len) == 0)
            return true;
    return false;
}

void
plugin_add_dirs(struct plugin_facts *facts, const char *list, size_t len)
{
    const char *end = list + len;

    while (list < end) {
        const char *colon = memchr(list, ':', (size_t)(end - list));
        size_t dir_len = (size_t)((colon != NULL ? colon : end) - list);

        if (dir_len > 0 && dir_len < PLUGIN_PATH_MAX &&
            facts->dir_count < PLUGIN_DIRS_MAX && !has_dir(facts, list, dir_len)) {
            memcpy(facts->dirs[facts->dir_count], list, dir_len);
            facts->dirs[facts->dir_count++][dir_len] = '\0';
        }
        list += dir_len + 1;
    }
}

/* Absolute paths that each end in /sasl2, none in /etc (where its configuration is). */
static bool
is_plugin_path(const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        const char *colon = memchr(text, ':', (size_t)(end - text));
        size_t one = (size_t)((colon != NULL ? colon : end) - text);

        if (one < 7 || text[0] != '/' || memcmp(text + one - 6, "/sasl2", 6) != 0 ||
            memcmp(text, "/etc/", 5) == 0)
            return false;
        text += one + 1;
    }
    return len > 0;
}

const char *
plugin_compiled_path(const char *bytes, size_t len, size_t *len_r)
{
    const char *best = NULL, *at = bytes, *end = bytes + len;

    *len_r = 0;
    while (at < end) {
        const char *nul = memchr(at, '\0', (size_t)(end - at));
        size_t one = (size_t)((nul != NULL ? nul : end) - at);

        if (one > *len_r && one < PLUGIN_PATH_MAX && is_plugin_path(at, one)) {
            best = at;
            *len_r = one;
        }
        at += one + 1;
    }
    return best;
}

/* --- what is on the disk --------------------------------------------------------- */

/* 0 or ERR_*; *st_r is set when the file is there. */
static int
read_object(const char *path, struct secret *out, struct stat *st_r)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int r = ERR_CONFIG;

    memset(st_r, 0, sizeof *st_r);
    out->max = FILE_MAX;
    if (fd == -1) {
        if (stat(path, st_r) != 0)
            memset(st_r, 0, sizeof *st_r);
        return ERR_CONFIG;
    }
    if (fstat(fd, st_r) == 0 && S_ISREG(st_r->st_mode))
        r = file_read_fd(fd, path, FILE_MAX - 1, out, NULL);
    close(fd);
    return r;
}

/* The directories of the libsasl2 in this library directory. */
static void
add_library(struct plugin_facts *facts, const char *libdir)
{
    static const char *const names[] = {"libsasl2.so.2", "libsasl2.so.3"};
    char path[PLUGIN_PATH_MAX + 32];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct secret object = SECRET_INIT;
        struct stat st;
        const char *list;
        size_t len;

        snprintf(path, sizeof path, "%s/%s", libdir, names[i]);
        if (access(path, F_OK) != 0)
            continue;
        if (read_object(path, &object, &st) == 0 &&
            (list = plugin_compiled_path(object.data, object.len, &len)) != NULL) {
            plugin_add_dirs(facts, list, len);
        } else {
            snprintf(path, sizeof path, "%s/sasl2", libdir);
            plugin_add_dirs(facts, path, strlen(path));
        }
        secret_clear(&object);
    }
}

/* /lib is not looked at: where it is no link to /usr/lib, libsasl2 is in /usr/lib. */
static void
find_libraries(struct plugin_facts *facts)
{
    DIR *dir = opendir("/usr/lib");
    struct dirent *e;
    char path[PLUGIN_PATH_MAX];

    while (dir != NULL && (e = readdir(dir)) != NULL) {
        /* Debian's x86_64-linux-gnu and the like */
        if (strstr(e->d_name, "-linux-") == NULL)
            continue;
        snprintf(path, sizeof path, "/usr/lib/%s", e->d_name);
        add_library(facts, path);
    }
    if (dir != NULL)
        closedir(dir);
    add_library(facts, "/usr/lib64");
    add_library(facts, "/usr/lib");
    add_library(facts, "/usr/local/lib");
}

static bool
has_text(const struct secret *s, const char *text)
{
    return s->len > 0 && memmem(s->data, s->len, text, strlen(text)) != NULL;
}

static void
look_at(struct plugin_facts *facts, const char *path, bool ours,
        const struct secret *self)
{
    struct secret object = SECRET_INIT;
    struct plugin_fact p = {.ours = ours};
    struct stat st;

    p.readable = read_object(path, &object, &st) == 0;
    p.mode = st.st_mode;
    p.owner = st.st_uid;
    p.has_symbol = has_text(&object, "sasl_client_plug_init");
    p.elf = object.len > 0 && (self->len == 0 || plugin_is_elf(object.data, object.len,
                                                               self->data, self->len));
    if ((ours || (p.has_symbol && has_text(&object, "XOAUTH2"))) &&
        facts->plugin_count < PLUGINS_MAX && strlen(path) < sizeof p.path) {
        memcpy(p.path, path, strlen(path) + 1);
        facts->plugins[facts->plugin_count++] = p;
    }
    secret_clear(&object);
}

/* libsasl2 loads what ends in ".so". A link beside its file (libX.so -> libX.so.2.0) is
 * one file of that ending. */
static void
look_into(struct plugin_facts *facts, const char *name, const struct secret *self)
{
    DIR *dir = opendir(name);
    struct dirent *e;
    char path[2 * PLUGIN_PATH_MAX];

    while (dir != NULL && (e = readdir(dir)) != NULL) {
        size_t len = strlen(e->d_name);

        if (len <= 3 || strcmp(e->d_name + len - 3, ".so") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", name, e->d_name);
        look_at(facts, path, strcmp(e->d_name, OUR_NAME) == 0, self);
    }
    if (dir != NULL)
        closedir(dir);
}

/* This program runs on the machine, so its header says which kind that is. Empty on
 * failure: then no plugin is held to be of another kind. */
static void
read_own_header(struct secret *out)
{
    char header[ELF_HEADER];
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    if (fd == -1)
        return;
    if (read(fd, header, sizeof header) == (ssize_t)sizeof header)
        secret_append(out, header, sizeof header);
    close(fd);
}

void
plugin_look(const char *sasl_path, struct plugin_facts *facts_r)
{
    struct secret self = SECRET_INIT;

    memset(facts_r, 0, sizeof *facts_r);
    if (sasl_path != NULL)
        plugin_add_dirs(facts_r, sasl_path, strlen(sasl_path));
    else
        find_libraries(facts_r);
    read_own_header(&self);
    for (size_t i = 0; i < facts_r->dir_count; i++)
        look_into(facts_r, facts_r->dirs[i], &self);
    secret_clear(&self);
}
