/* postfix_config.h - Postfix's configuration, as postconf(1) prints it.
 *
 * Used by:  doctor/postfix*.c
 * Includes: client/, libc. Pure: nothing is read here.
 *
 * The texts stay where postconf's output is, in struct secrets: smtp_sasl_password_maps
 * may be `static:USER:PASSWORD`. So values of that kind are never put into a finding.
 */
#ifndef MAILBEARER_POSTFIX_CONFIG_H
#define MAILBEARER_POSTFIX_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "../client/error.h"
#include "../client/secret.h"

#define POSTFIX_SERVICES_MAX 256
#define POSTFIX_SETTINGS_MAX 4096

/* NAME = VALUE. `service` ("office365/unix"), when it is a setting of that service alone
 * (-o in master.cf); else NULL. */
struct postfix_setting {
    const char *service;
    const char *name;
    const char *value; /* "" when empty */
};

/* A line of master.cf. */
struct postfix_service {
    const char *name, *type, *chroot, *max_processes, *command;
};

struct postfix_config {
    struct secret main_text, services_text, overrides_text; /* cut into strings */
    struct postfix_setting *settings;                       /* of both kinds */
    size_t setting_count;
    struct postfix_service *services;
    size_t service_count;
};

#define POSTFIX_CONFIG_INIT                                                              \
    {                                                                                    \
        SECRET_INIT, SECRET_INIT, SECRET_INIT, NULL, 0, NULL, 0                          \
    }

/* Takes over what `postconf -x`, `postconf -M` and `postconf -xP` printed (the three
 * secrets are empty afterwards). Lines of another form are skipped.
 * 0; ERR_NOMEM; ERR_PROTOCOL: a NUL in it, or more than the maxima above. On failure
 * *config is empty. */
int postfix_config_take(struct postfix_config *config, struct secret *main_text,
                        struct secret *services_text, struct secret *overrides_text,
                        struct err *err);

/* Wipes and frees. */
void postfix_config_clear(struct postfix_config *config);

/* The setting in force for that service ("smtp", a service of type unix; NULL: for none
 * in particular): its own by -o, else main.cf's, else "". Never NULL. */
const char *postfix_value(const struct postfix_config *config, const char *service,
                          const char *name);

/* True when the service has that setting by -o. */
bool postfix_is_override(const struct postfix_config *config, const char *service,
                         const char *name);

/* The service of that name and of type unix, or NULL. */
const struct postfix_service *postfix_service_find(const struct postfix_config *config,
                                                   const char *name);

/* Does it run in the queue directory? By its column; a "-" there means yes for a
 * compatibility_level below 1 only (master(5)). */
bool postfix_service_chrooted(const struct postfix_config *config,
                              const struct postfix_service *service);

/* "yes", in any case; everything else is no. */
bool postfix_is_yes(const char *value);

/* The value of an environment variable that import_environment sets (NAME=VALUE), copied;
 * false when it does not, or the value is longer than `size` allows. */
bool postfix_imported(const struct postfix_config *config, const char *name,
                      char *value_r, size_t size);

#endif
