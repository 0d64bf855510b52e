/* status_prometheus.h - accounts' states (accounts/status_report.h) for Prometheus.
 *
 * Used by:  cmd_status.c
 * Includes: accounts/status_report.h, base/json.h. No I/O; the time is a parameter.
 *
 * The text exposition format, version 0.0.4: for each metric its HELP and TYPE, then its
 * samples together. That is why the accounts are collected first. What is unknown has no
 * sample; a metric without samples is left out. The metrics are listed in mailbearer(1).
 */
#ifndef MAILBEARER_STATUS_PROMETHEUS_H
#define MAILBEARER_STATUS_PROMETHEUS_H

#include <stdint.h>

#include "../base/json.h"

struct status_prometheus;

/* NULL when out of memory. */
struct status_prometheus *status_prometheus_new(void);
void status_prometheus_free(struct status_prometheus **prometheus); /* sets NULL */

/* Adds an account: the JSON of status_json(). 0 or ERR_NOMEM. */
int status_prometheus_add(struct status_prometheus *prometheus, const struct json *json,
                          int64_t now);

/* Appends all of it. 0 or ERR_NOMEM. */
int status_prometheus_write(const struct status_prometheus *prometheus,
                            struct secret *out);

#endif
