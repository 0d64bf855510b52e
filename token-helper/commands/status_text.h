/* status_text.h - an account's status (accounts/status_report.h) for people.
 *
 * Used by:  cmd_status.c
 */
#ifndef MAILBEARER_STATUS_TEXT_H
#define MAILBEARER_STATUS_TEXT_H

#include <stdint.h>

#include "../base/json.h"

/* Prints the account and its state, and indented below it what is known. */
void status_print(const struct json *json, int64_t now);

#endif
