/* postfix_checks.h - what is right and wrong about a Postfix, and what mends it.
 *
 * Used by:  postfix.c
 * Includes: doctor/.
 *
 * Each reads the facts, adds findings to the report under one check name, and nothing
 * else: no file, no process, no clock. A remedy for a setting is the postconf(1) command
 * that makes it.
 */
#ifndef MAILBEARER_POSTFIX_CHECKS_H
#define MAILBEARER_POSTFIX_CHECKS_H

#include "postfix_facts.h"
#include "report.h"

/* "postfix": its version, Cyrus SASL, its user. False: too old to be looked at. */
bool postfix_check_base(const struct postfix_facts *facts, struct report *report);

/* "plugin": where libsasl2 looks, loadable, safe, the only one for XOAUTH2. */
void postfix_check_plugin(const struct postfix_facts *facts, struct report *report);

/* "relay": next hops, the tables, and each relay's entry in them. */
void postfix_check_relays(const struct postfix_facts *facts, struct report *report);

/* "sasl": the smtp_sasl_* settings of each service that signs in with a token, and of
 * those that sign in with passwords beside it. */
void postfix_check_sasl(const struct postfix_facts *facts, struct report *report);

/* "tls": the level for each relay, its port, the authorities inside the jail. */
void postfix_check_tls(const struct postfix_facts *facts, struct report *report);

/* "accounts": the accounts file has them, and lets Postfix's user ask. */
void postfix_check_accounts(const struct postfix_facts *facts, struct report *report);

/* "agent": what it answered to smtp(8). */
void postfix_check_agent(const struct postfix_facts *facts, struct report *report);

/* "limits": no more connections than Exchange takes. */
void postfix_check_limits(const struct postfix_facts *facts, struct report *report);

/* --- what the checks share ---------------------------------------------------------- */

/* Sets err's hint to the command that gives NAME that value, for the service by itself
 * (postconf -P) where master.cf overrides it. `service` NULL: main.cf. */
void postfix_remedy(const struct postfix_facts *facts, const char *service,
                    const char *name, const char *value, struct err *err);

/* The first relay of ours of each service, in turn: *i begins at 0. NULL at the end. */
const struct postfix_relay *postfix_next_service(const struct postfix_facts *facts,
                                                 size_t *i);

/* Warnings and failures so far. */
size_t postfix_wrong(const struct report *report);

#endif
