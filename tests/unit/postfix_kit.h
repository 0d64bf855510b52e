/* postfix_kit.h - a Postfix that is set up well, to be spoilt by the tests.
 *
 * Used by:  test_postfix_sasl.c, test_postfix_tls.c, test_postfix_relay.c,
 *           test_postfix_agent.c, test_postfix_base.c
 */
#ifndef MAILBEARER_TESTS_POSTFIX_KIT_H
#define MAILBEARER_TESTS_POSTFIX_KIT_H

#include "doctor/postfix_checks.h"

/* Chrooted smtp(8), [smtp.office365.com]:587 with `relay@contoso.com:agent:`, the agent
 * has answered, all is well. `main_lines` ("name = value\n...") come after the good
 * settings, and the last of a name counts; `overrides` is as `postconf -P` prints it.
 * NULL: nothing. End it with kit_end(). */
struct postfix_facts *kit_begin(const char *main_lines, const char *overrides);
void kit_end(struct postfix_facts **facts);

/* A further relay of that service, whose entry is of that kind. Borrowed. */
struct postfix_relay *kit_relay(struct postfix_facts *facts, const char *hop,
                                const char *service, enum entry_kind kind);

/* Runs the check: it must print exactly `text` (marks + for ok, ~ for a note, ! and X; a
 * remedy behind "->"), and set that exit status. */
void kit_expect(void (*check)(const struct postfix_facts *, struct report *),
                const struct postfix_facts *facts, int status, const char *text);

#endif
