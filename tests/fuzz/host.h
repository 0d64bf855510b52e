/* host.h - libsasl's part, played for the plugin: as little of it as an exchange takes.
 *
 * Used by:  faults_plugin.c, threads.c. No state but what is passed; any thread.
 * Includes: the SASL headers and libc; no cmocka, so that sanitizers see all of it.
 */
#ifndef MAILBEARER_TESTS_FUZZ_HOST_H
#define MAILBEARER_TESTS_FUZZ_HOST_H

#include <stdbool.h>

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#define HOST_TOKEN "eyJ0eXAiOiJKV1QiLCANARYabcdef0123456789"

/* The plugin's mechanisms; ends the process when it does not have two. */
const sasl_client_plug_t *host_plugs(void);

/* One exchange of mechanism `mech` (0 XOAUTH2, 1 OAUTHBEARER) as alice with this
 * password. With `refused` the server answers with its JSON. Ends the process when
 * something is not as the plugin promises: a message that is not the token's, a code that
 * is none of its own, a token in a text. The code of the first step that was not
 * SASL_CONTINUE or, after all of them, SASL_OK. */
int host_exchange(const sasl_client_plug_t *plug, int mech, const char *password,
                  bool refused);

/* An agent in a process of its own: answers `token` with HOST_TOKEN, everything else with
 * "OK ", until host_agent_end(). Returns its pid. */
int host_agent_begin(const char *path);
void host_agent_end(int pid);

#endif
