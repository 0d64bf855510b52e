/* log.h - one line to the administrator.
 *
 * Used by:  mailbearer-oauth (commands and agent), mailbearer-fetch. Never by client/ or
 *           the plugin, which run in other people's processes.
 *
 * Goes to stderr, each line in one write; with the journal behind it (JOURNAL_STREAM)
 * each line begins with its level as "<N>". After log_to_syslog() it goes to syslog,
 * facility mail, instead. Control characters become '?'. A line is never given a secret.
 */
#ifndef MAILBEARER_LOG_H
#define MAILBEARER_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Most detailed level that is written; at first LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/* Sends further lines to syslog under this program name (borrowed for good). */
void log_to_syslog(const char *program);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
