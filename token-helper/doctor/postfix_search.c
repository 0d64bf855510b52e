/* postfix_search.c - see postfix_search.h. */
#include "postfix_search.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "postfix_gather.h"

struct postfix_table_fact *
search_table(struct postfix_facts *facts, const struct postfix_table *table)
{
    char label[POSTFIX_LABEL_MAX];
    struct postfix_table_fact *t;

    table_label(table, label);
    for (size_t i = 0; i < facts->table_count; i++)
        if (strcmp(facts->tables[i].label, label) == 0)
            return &facts->tables[i];
    if (facts->table_count == POSTFIX_TABLES_MAX)
        return NULL;
    t = &facts->tables[facts->table_count++];
    memcpy(t->label, label, sizeof t->label);
    t->problem = table_look(table);
    return t;
}

bool
search_usable(const struct postfix_table_fact *t)
{
    return t == NULL || t->problem == TABLE_FINE || t->problem == TABLE_STALE ||
           t->problem == TABLE_OPEN || t->problem == TABLE_OTHER ||
           t->problem == TABLE_LARGE;
}

bool
search_list(const struct postfix_search *s, const struct postfix_table *table,
            struct postfix_table_fact *fact, struct secret *text)
{
    if (fact != NULL && fact->problem == TABLE_FINE && !table_can_dump(table))
        fact->problem = TABLE_OTHER;
    if (!table_can_dump(table) || !search_usable(fact) ||
        (fact != NULL && fact->problem == TABLE_LARGE))
        return false;
    if (table_dump(&s->tools, table, text, NULL) == 0)
        return true;
    if (fact != NULL)
        fact->problem = TABLE_BROKEN;
    return false;
}

static const char *
password_maps(const struct postfix_facts *facts, const struct postfix_relay *relay)
{
    return postfix_value(&facts->config, relay->service, "smtp_sasl_password_maps");
}

/* The agent as the table: asked as smtp(8) does, or proxymap(8) for it. */
static int
ask_agent(const struct postfix_search *s, const struct postfix_relay *relay,
          const struct postfix_table *table, const char *key, struct entry *entry_r,
          struct err *err)
{
    const struct postfix_facts *facts = s->facts;
    const struct postfix_service *by = postfix_service_find(
        &facts->config, table->proxied ? "proxymap" : relay->service);
    char path[POSTFIX_PATH_MAX], name[POSTFIX_NAME_MAX];
    struct postfix_as as = {.change = facts->is_root && facts->owner_known,
                            .uid = facts->owner_uid,
                            .gid = facts->owner_gid,
                            .socket = path,
                            .deadline_ms = postfix_ask_ms(facts)};
    int r;

    if (!table_socket(table, path, name))
        return err_set(err, ERR_CONFIG, "a socketmap that is no UNIX socket");
    if (by != NULL && postfix_service_chrooted(&facts->config, by))
        as.root = postfix_value(&facts->config, NULL, "queue_directory");
    r = postfix_as_ask(&as, name, key, entry_r->user, err);
    if (r == 0)
        entry_r->kind = ENTRY_TABLE;
    return r;
}

static int
look_up(const struct postfix_search *s, const struct postfix_relay *relay,
        const struct postfix_table *table, const char *key, struct entry *entry_r,
        struct err *err)
{
    struct secret value = SECRET_INIT;
    int r;

    if (strcmp(table->type, "socketmap") == 0)
        return ask_agent(s, relay, table, key, entry_r, err);
    r = table_lookup(&s->tools, table, key, &value, err);
    if (r == 0)
        entry_parse(&value, entry_r);
    secret_clear(&value);
    return r;
}

/* One key, in all tables. True when the search is over. */
static bool
find_key(const struct postfix_search *s, struct postfix_relay *relay, const char *key)
{
    const char *list = password_maps(s->facts, relay), *word;
    size_t len;

    while ((word = words_next(&list, &len)) != NULL) {
        struct postfix_table table;
        int r = ERR_NOACCOUNT;

        if (!table_parse(word, len, &table))
            continue;
        if (search_usable(search_table(s->facts, &table)))
            r = look_up(s, relay, &table, key, &relay->entry, &relay->entry_err);
        if (r != ERR_NOACCOUNT)
            table_label(&table, relay->table);
        table_clear(&table);
        if (r == ERR_NOACCOUNT)
            continue;
        snprintf(relay->key, sizeof relay->key, "%s", key);
        if (r != 0) {
            relay->entry.kind = ENTRY_UNKNOWN;
            if (relay->entry_err.code == ERR_NONE)
                err_set(&relay->entry_err, r, "it cannot be asked");
        }
        return true;
    }
    return false;
}

/* In Postfix's order: the sender where that is asked for, the host, the next hop. */
void
search_entry(const struct postfix_search *s, struct postfix_relay *relay)
{
    bool by_sender = postfix_is_yes(postfix_value(
        &s->facts->config, relay->service, "smtp_sender_dependent_authentication"));

    if ((by_sender && relay->sender[0] != '\0' && find_key(s, relay, relay->sender)) ||
        find_key(s, relay, relay->hop.host))
        return;
    find_key(s, relay, relay->hop.text);
}

void
search_policy(const struct postfix_search *s, struct postfix_relay *relay)
{
    const char *list =
        postfix_value(&s->facts->config, relay->service, "smtp_tls_policy_maps");
    const char *word;
    size_t len;

    while (relay->tls_policy[0] == '\0' && (word = words_next(&list, &len)) != NULL) {
        struct secret value = SECRET_INIT;
        struct postfix_table table;

        if (table_parse(word, len, &table) &&
            search_usable(search_table(s->facts, &table)) &&
            table_lookup(&s->tools, &table, relay->hop.text, &value, NULL) == 0)
            snprintf(relay->tls_policy, sizeof relay->tls_policy, "%.*s",
                     (int)strcspn(secret_str(&value), " \t,"), secret_str(&value));
        secret_clear(&value);
    }
}

/* --- entries that nobody asks for --------------------------------------------------- */

static bool
is_asked_for(const struct postfix_facts *facts, const char *key)
{
    for (size_t i = 0; i < facts->relay_count; i++) {
        const struct postfix_relay *r = &facts->relays[i];

        if (strcasecmp(r->hop.text, key) == 0 || strcasecmp(r->hop.host, key) == 0 ||
            strcasecmp(r->sender, key) == 0)
            return true;
    }
    /* A sender, or what only a look-up of MX records can tell. */
    return strchr(key, '@') != NULL;
}

/* Are all relays known? Else an entry may be for one that is not. */
static bool
knows_all_relays(const struct postfix_facts *facts)
{
    for (size_t i = 0; i < facts->table_count; i++)
        if (facts->tables[i].problem != TABLE_FINE &&
            facts->tables[i].problem != TABLE_STALE)
            return false;
    return !facts->more_relays;
}

static void
look_through(struct postfix_search *s, const struct postfix_table *table,
             struct postfix_table_fact *fact)
{
    bool all_known = knows_all_relays(s->facts);
    struct secret text = SECRET_INIT;
    char *at, *key, *value;

    if (!search_list(s, table, fact, &text))
        return;
    for (at = text.data; table_next(&at, &key, &value);) {
        struct secret one = SECRET_INIT;
        struct entry entry = {ENTRY_NONE, "", ""};

        if (secret_append_str(&one, value) == 0)
            entry_parse(&one, &entry);
        secret_clear(&one);
        if (entry.kind == ENTRY_LITERAL)
            fact->literals++;
        else if ((entry.kind == ENTRY_AGENT || entry.kind == ENTRY_FILE) && all_known &&
                 !is_asked_for(s->facts, key) &&
                 s->facts->orphan_count < POSTFIX_ORPHANS_MAX)
            snprintf(s->facts->orphans[s->facts->orphan_count++], NEXTHOP_MAX, "%s", key);
    }
    secret_clear(&text);
}

/* The password tables, as smtp(8) by itself has them. */
void
search_orphans(struct postfix_search *s)
{
    const char *list = postfix_value(&s->facts->config, NULL, "smtp_sasl_password_maps");
    const char *word;
    size_t len;

    while ((word = words_next(&list, &len)) != NULL) {
        struct postfix_table_fact *fact = NULL;
        struct postfix_table table;

        if (table_parse(word, len, &table) && table_can_dump(&table))
            fact = search_table(s->facts, &table);
        if (fact != NULL && search_usable(fact))
            look_through(s, &table, fact);
        if (fact != NULL && fact->literals > 0 && fact->problem == TABLE_FINE &&
            table_is_open(&table))
            fact->problem = TABLE_OPEN;
        table_clear(&table);
    }
}
