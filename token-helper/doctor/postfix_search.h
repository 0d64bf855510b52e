/* postfix_search.h - what Postfix's tables say for each relay.
 *
 * Used by:  postfix_relays.c
 * Includes: doctor/.
 */
#ifndef MAILBEARER_POSTFIX_SEARCH_H
#define MAILBEARER_POSTFIX_SEARCH_H

#include "postfix_facts.h"
#include "postfix_tables.h"

struct postfix_search {
    struct postfix_facts *facts; /* borrowed; what is found goes there */
    struct postfix_tools tools;
};

/* The table's line in facts->tables, made and its files looked at the first time. NULL:
 * there is no room for more. */
struct postfix_table_fact *search_table(struct postfix_facts *facts,
                                        const struct postfix_table *table);

/* Can it be asked? NULL counts as yes. */
bool search_usable(const struct postfix_table_fact *table);

/* Lists its entries into `text`, if that can be done, for table_next(). What is in the
 * way becomes its problem. `fact` may be NULL. */
bool search_list(const struct postfix_search *search, const struct postfix_table *table,
                 struct postfix_table_fact *fact, struct secret *text);

/* Finds the relay's entry in smtp_sasl_password_maps, by the keys and in the order that
 * smtp(8) has: sets entry, key, table and entry_err. */
void search_entry(const struct postfix_search *search, struct postfix_relay *relay);

/* Finds the relay's level in smtp_tls_policy_maps: sets tls_policy. */
void search_policy(const struct postfix_search *search, struct postfix_relay *relay);

/* Lists the password tables: entries for no relay, passwords, who may read those. Call it
 * when all relays are known. */
void search_orphans(struct postfix_search *search);

#endif
