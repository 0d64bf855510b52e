/* log.c - one line to the administrator. */
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "../client/error.h"

#define LINE_MAX_BYTES 4096

static enum log_level max_level = LOG_LEVEL_INFO;
static const char *syslog_program; /* NULL: lines go to stderr */

static const int priority[] = {
    [LOG_LEVEL_ERROR] = LOG_ERR,
    [LOG_LEVEL_WARNING] = LOG_WARNING,
    [LOG_LEVEL_INFO] = LOG_INFO,
    [LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

void
log_set_level(enum log_level level)
{
    max_level = level;
}

void
log_to_syslog(const char *program)
{
    openlog(program, LOG_PID | LOG_NDELAY, LOG_MAIL);
    syslog_program = program;
}

/* The variable is inherited by children whose stderr goes elsewhere, so what it says is
 * compared with the stream itself (systemd.exec(5)). */
static bool
stderr_is_journal(void)
{
    const char *stream = secure_getenv("JOURNAL_STREAM");
    char ours[64];
    struct stat st;

    if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
        return false;
    snprintf(ours, sizeof ours, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(stream, ours) == 0;
}

static void
write_stderr(const char *line, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, line, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* nowhere to say it */
        line += n;
        len -= (size_t)n;
    }
}

static void log_line(enum log_level level, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void
log_line(enum log_level level, const char *format, va_list args)
{
    char line[LINE_MAX_BYTES];
    int saved_errno = errno;
    size_t start = 0;
    size_t len;
    int n;

    if (level > max_level)
        return;
    if (syslog_program == NULL && stderr_is_journal())
        start = (size_t)snprintf(line, sizeof line, "<%d>", priority[level]);
    n = vsnprintf(line + start, sizeof line - start, format, args);
    if (n < 0)
        n = snprintf(line + start, sizeof line - start, "%s", format);
    len = (size_t)n;
    if (len > sizeof line - start - 2) /* room for the end of line and the NUL */
        len = sizeof line - start - 2;
    len = start + err_clean(line + start, len);
    line[len] = '\0';
    if (syslog_program != NULL) {
        syslog(LOG_MAIL | priority[level], "%s", line);
    } else {
        line[len] = '\n';
        write_stderr(line, len + 1);
    }
    errno = saved_errno;
}

void
log_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_line(LOG_LEVEL_ERROR, format, args);
    va_end(args);
}

void
log_warning(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_line(LOG_LEVEL_WARNING, format, args);
    va_end(args);
}

void
log_info(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_line(LOG_LEVEL_INFO, format, args);
    va_end(args);
}

void
log_debug(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_line(LOG_LEVEL_DEBUG, format, args);
    va_end(args);
}
