/* postfix_gather.h - look at all that `doctor --postfix` judges.
 *
 * Used by:  postfix.c
 * Includes: doctor/, accounts/, base/, client/. Runs postconf and postmap.
 */
#ifndef MAILBEARER_POSTFIX_GATHER_H
#define MAILBEARER_POSTFIX_GATHER_H

#include "postfix_facts.h"
#include "postfix_tables.h"

/* Milliseconds for one question to the agent, of those that are left. */
int postfix_ask_ms(const struct postfix_facts *facts);

/* The path of postconf(1): in PATH, else in the usual directories that are not in
 * everybody's PATH. False: it is nowhere. */
bool postconf_find(char path_r[POSTFIX_PATH_MAX]);

/* Reads the configuration and what Postfix can do. facts->config_dir says which. 0, or
 * why postconf cannot be run; its own words, if any, were on standard error. */
int postfix_gather_config(struct postfix_facts *facts, const char *postconf,
                          struct err *err);

/* Who we are, and who mail_owner is: before what is below. */
void postfix_gather_user(struct postfix_facts *facts);

/* Finds the relays, their entries in the tables, and the services they go by. */
void postfix_gather_relays(struct postfix_facts *facts);

/* Which of the relays are to sign in with a token: those whose entry asks for one, those
 * whose host is an account's smtp server or Exchange's; the only one there is. Pure. */
void postfix_choose_ours(struct postfix_facts *facts);

/* The plugin, the jail, the user; asks for the tokens as smtp(8) would. */
void postfix_gather_machine(struct postfix_facts *facts);

#endif
