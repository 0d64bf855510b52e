/* token_source.c - see token_source.h. */
#include "token_source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../token-helper/client/agent_client.h"

#define AGENT_PREFIX "agent:"
#define FILE_PREFIX "file:"
#define RESTART_MS 3000
#define REJECTED_MS 2000
#define READ_SIZE 4096u

struct token_source
token_source_parse(const char *password, const char *user)
{
    struct token_source source = {TOKEN_LITERAL, password};

    if (strncmp(password, AGENT_PREFIX, strlen(AGENT_PREFIX)) == 0) {
        source.kind = TOKEN_AGENT;
        source.value = password + strlen(AGENT_PREFIX);
        if (source.value[0] == '\0')
            source.value = user;
    } else if (strncmp(password, FILE_PREFIX, strlen(FILE_PREFIX)) == 0) {
        source.kind = TOKEN_FILE;
        source.value = password + strlen(FILE_PREFIX);
    }
    return source;
}

const char *
token_source_name(enum token_kind kind)
{
    switch (kind) {
    case TOKEN_AGENT:
        return "agent";
    case TOKEN_FILE:
        return "file";
    default:
        return "literal";
    }
}

static int
from_agent(const char *account, int deadline_ms, struct secret *token_r, struct err *err)
{
    struct agent_query query = {"token",     account,    AGENT_ANY,
                                deadline_ms, RESTART_MS, NULL};

    if (account[0] == '\0')
        return err_set(err, ERR_USAGE, "the password names no account: agent:ACCOUNT");
    return agent_client_ask(&query, token_r, err);
}

/* Opens a regular file. O_NONBLOCK: opening a FIFO would wait for its writer, and this
 * happens before fstat() can tell what it is. */
static int
open_regular(const char *path, int *fd_r, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (fd == -1) {
        bool mine =
            errno != EMFILE && errno != ENFILE && errno != ENOMEM && errno != EINTR;

        err_set(err, mine ? ERR_CONFIG : ERR_TEMP, "cannot open the token file %s: %m",
                path);
        if (mine)
            err_hint(err,
                     "look at what writes this file, and at the path inside the jail");
        return mine ? ERR_CONFIG : ERR_TEMP;
    }
    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(err, ERR_CONFIG, "the token file %s is not a regular file", path);
    }
    *fd_r = fd;
    return 0;
}

/* Reads until a line end, the end of the file, or more than a token can be. */
static int
read_line(int fd, const char *path, struct secret *line, struct err *err)
{
    char *end = NULL;

    while (end == NULL) {
        ssize_t n;
        int r = secret_reserve(line, READ_SIZE);

        if (r != 0)
            return err_set(err, r == ERR_NOMEM ? r : ERR_CONFIG,
                           "no room for the first line of the token file %s", path);
        n = read(fd, line->data + line->len, READ_SIZE);
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return err_set(err, ERR_TEMP, "cannot read the token file %s: %m", path);
        if (n == 0)
            return 0;
        end = memchr(line->data + line->len, '\n', (size_t)n);
        line->len += (size_t)n;
        line->data[line->len] = '\0';
    }
    if (end > line->data && end[-1] == '\r')
        end--;
    explicit_bzero(end, (size_t)(line->data + line->len - end));
    line->len = (size_t)(end - line->data);
    return 0;
}

static int
from_file(const char *path, struct secret *token_r, struct err *err)
{
    struct secret line = SECRET_INIT;
    int fd = -1;
    int r;

    if (path[0] == '\0')
        return err_set(err, ERR_USAGE, "the password names no file: file:PATH");
    line.max = TOKEN_FILE_MAX + READ_SIZE;
    if ((r = open_regular(path, &fd, err)) != 0 ||
        (r = read_line(fd, path, &line, err)) != 0)
        goto out;
    if (line.len == 0)
        r = err_set(err, ERR_TEMP, "the token file %s is empty", path);
    else if (line.len > TOKEN_FILE_MAX)
        r = err_set(err, ERR_CONFIG, "the first line of the token file %s is too long",
                    path);
    else
        secret_move(token_r, &line);
out:
    secret_clear(&line);
    if (fd != -1)
        close(fd);
    return r;
}

static int
from_password(const char *password, struct secret *token_r, struct err *err)
{
    struct secret token = SECRET_INIT;
    int r;

    if (password[0] == '\0')
        return err_set(err, ERR_USAGE,
                       "the password is empty: it is agent:ACCOUNT, "
                       "file:PATH or an access token");
    if ((r = secret_append_str(&token, password)) != 0)
        return err_set(err, r, "no room for a token of %zu bytes", strlen(password));
    secret_move(token_r, &token);
    return 0;
}

int
token_source_fetch(const struct token_source *source, int deadline_ms,
                   struct secret *token_r, struct err *err)
{
    switch (source->kind) {
    case TOKEN_AGENT:
        return from_agent(source->value, deadline_ms, token_r, err);
    case TOKEN_FILE:
        return from_file(source->value, token_r, err);
    default:
        return from_password(source->value, token_r, err);
    }
}

void
token_source_rejected(const char *account, const struct secret *token)
{
    struct agent_query query = {"rejected", NULL, AGENT_ANY, REJECTED_MS, 0, NULL};
    struct secret key = SECRET_INIT;
    struct secret reply = SECRET_INIT;

    if (secret_append(&key, token->data, token->len) == 0 &&
        secret_append_char(&key, ' ') == 0 && secret_append_str(&key, account) == 0) {
        query.key = secret_str(&key);
        agent_client_ask(&query, &reply, NULL);
    }
    secret_clear(&reply);
    secret_clear(&key);
}
