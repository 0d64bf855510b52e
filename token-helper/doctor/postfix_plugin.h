/* postfix_plugin.h - the SASL plugins where libsasl2 looks.
 *
 * Used by:  doctor/postfix*.c
 * Includes: client/, libc.
 *
 * Nothing is loaded: a plugin is code of the program that loads it. The files are read.
 */
#ifndef MAILBEARER_POSTFIX_PLUGIN_H
#define MAILBEARER_POSTFIX_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PLUGIN_DIRS_MAX 8
#define PLUGINS_MAX 8
#define PLUGIN_PATH_MAX 1024

/* A plugin that offers XOAUTH2, or is called libmailbearer.so. */
struct plugin_fact {
    char path[PLUGIN_PATH_MAX];
    bool ours;       /* it is libmailbearer.so */
    bool readable;   /* its content could be looked at: */
    bool elf;        /* a shared object for this kind of machine */
    bool has_symbol; /* the entry libsasl2 calls: sasl_client_plug_init */
    mode_t mode;
    uid_t owner;
};

struct plugin_facts {
    char dirs[PLUGIN_DIRS_MAX][PLUGIN_PATH_MAX]; /* where libsasl2 looks, that exist */
    size_t dir_count;
    struct plugin_fact plugins[PLUGINS_MAX];
    size_t plugin_count;
};

/* Looks. `sasl_path` is the value of SASL_PATH in Postfix's environment, NULL when it has
 * none: then the directories compiled into each libsasl2 found on this system, or `sasl2`
 * beside it. Cannot fail: what is not found is not in *facts_r. */
void plugin_look(const char *sasl_path, struct plugin_facts *facts_r);

/* The pure parts. Is it an ELF shared object of the class and machine of `self` (the
 * beginning of another ELF file)? */
bool plugin_is_elf(const char *bytes, size_t len, const char *self, size_t self_len);

/* Adds the directories of a list separated by colons; those already there and those that
 * are too long are left out. */
void plugin_add_dirs(struct plugin_facts *facts, const char *list, size_t len);

/* The plugin path compiled into libsasl2: the longest text of its that is a list of
 * absolute paths, each ending in "/sasl2", one of them without /etc. NULL: none. */
const char *plugin_compiled_path(const char *bytes, size_t len, size_t *len_r);

#endif
