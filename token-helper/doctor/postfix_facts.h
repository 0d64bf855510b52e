/* postfix_facts.h - all that `doctor --postfix` looked at, before it is judged.
 *
 * Used by:  doctor/postfix*.c
 * Includes: accounts/, client/, doctor/.
 *
 * postfix_gather.h fills it; the checks (postfix_checks.h) read it and nothing else.
 * Texts that come from tables are copied, cut to the arrays below. No secret is in it but
 * in config, whose values of smtp_sasl_password_maps must not be shown.
 */
#ifndef MAILBEARER_POSTFIX_FACTS_H
#define MAILBEARER_POSTFIX_FACTS_H

#include <sys/types.h>

#include "../accounts/accounts.h"
#include "../client/deadline.h"
#include "postfix_config.h"
#include "postfix_plugin.h"
#include "postfix_words.h"

#define POSTFIX_RELAYS_MAX 64
#define POSTFIX_TABLES_MAX 16
#define POSTFIX_ORPHANS_MAX 8
#define POSTFIX_NAME_MAX 64
#define POSTFIX_LABEL_MAX 512
#define POSTFIX_PATH_MAX 4096

/* Where mail may go by smtp(8): one next hop of one transport. */
struct postfix_relay {
    struct nexthop hop;
    char service[POSTFIX_NAME_MAX]; /* the transport: a service of master.cf */
    char sender[ENTRY_TEXT_MAX];    /* for this sender alone; "" for all */
    const char *origin;             /* the setting it stands in; a literal */
    struct entry entry;             /* its line of smtp_sasl_password_maps */
    char key[ENTRY_TEXT_MAX];       /* the key that was found */
    char table[POSTFIX_LABEL_MAX];  /* the table it was found in */
    struct err entry_err;           /* ENTRY_UNKNOWN: why */
    char tls_policy[32];            /* first word from smtp_tls_policy_maps; "": none */
    bool asked;                     /* its token was asked for as smtp(8) would, */
    struct err answer;              /* with this answer; code 0: there is one */
    bool chrooted;                  /* the service runs in the queue directory */
    bool ours;                      /* is to sign in with a token */
    bool ca_dir_in_jail; /* its smtp_tls_CApath below queue_directory has files */
    bool ca_file_read;   /* its smtp_tls_CAfile can be read by us and is not empty */
};

enum table_problem {
    TABLE_FINE,
    TABLE_ABSENT,    /* the file is not there */
    TABLE_NOT_BUILT, /* its source is, but postmap was not run */
    TABLE_STALE,     /* the source is newer */
    TABLE_BROKEN,    /* postmap cannot open it */
    TABLE_DENIED,    /* may not be read by us */
    TABLE_OPEN,      /* holds passwords and others may read it */
    TABLE_OTHER,     /* of a type whose entries cannot be listed */
    TABLE_LARGE,     /* too large to be listed; keys can be asked for */
};

struct postfix_table_fact {
    char label[POSTFIX_LABEL_MAX]; /* TYPE:PATH; without what may be a password */
    enum table_problem problem;
    size_t literals; /* entries with a password, where they are listed */
};

struct postfix_facts {
    struct postfix_config config;
    struct deadline deadline; /* for all that is run and asked */
    const char *config_dir;   /* what was given, NULL: the default; borrowed */
    bool has_cyrus;           /* postconf -A */
    struct postfix_relay relays[POSTFIX_RELAYS_MAX];
    size_t relay_count;
    bool more_relays; /* than there was room for */
    struct postfix_table_fact tables[POSTFIX_TABLES_MAX];
    size_t table_count;
    /* Keys of entries with `agent:` or `file:` that no relay asks for. */
    char orphans[POSTFIX_ORPHANS_MAX][NEXTHOP_MAX];
    size_t orphan_count;
    struct plugin_facts plugin;
    char agent_socket[POSTFIX_PATH_MAX]; /* where smtp(8) asks; inside the jail if any */
    bool is_root;     /* else neither the jail nor the tables could be looked at */
    bool owner_known; /* mail_owner is a user of this system, */
    uid_t owner_uid;  /* this one */
    gid_t owner_gid;
    const struct accounts *accounts; /* NULL: accounts_err tells why. Borrowed */
    struct err accounts_err;
};

#endif
