/* cmd_upstream.c - `mailbearer upstream`: the account's server settings as JSON. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../accounts/context.h"
#include "../accounts/upstream.h"
#include "../base/complain.h"
#include "../base/file.h"
#include "front.h"

static const char help_text[] =
    "usage: mailbearer upstream imap|pop3|smtp ACCOUNT\n"
    "\n"
    "Prints, as one line of JSON, where that server is and how to sign in: user,\n"
    "host, port, security (tls or starttls), auth; and proxy, ca_file and allow_users\n"
    "where they are set. No secret.\n";

static int
ask(int where, const char *protocol, const char *account, struct secret *out,
    struct err *err)
{
    char key[1100];
    struct agent_query query = {
        .map = "upstream", .key = key, .where = where, .deadline_ms = FRONT_DEADLINE_MS};

    if ((size_t)snprintf(key, sizeof key, "%s %s", protocol, account) >= sizeof key)
        return err_set(err, ERR_NOACCOUNT, "no such account");
    return agent_client_ask(&query, out, err);
}

/* From the accounts file that this user may read. */
static int
look_up(const struct front *front, enum protocol protocol, const char *name,
        struct secret *out, struct err *err)
{
    struct context context = CONTEXT_INIT;
    const struct account *account;
    int r;

    context.config = front->config;
    if ((r = context_accounts(&context, err)) == 0 &&
        (r = context_account(&context, name, &account, err)) == 0)
        r = upstream_json(account, protocol, out, err);
    context_close(&context);
    return r;
}

static bool
is_elsewhere(int r)
{
    return r == ERR_NOAGENT || r == ERR_NOACCOUNT;
}

int
front_find_upstream(const struct front *front, enum protocol protocol,
                    const char *account, struct secret *out, struct err *err)
{
    int where = front_agents(front->config);
    struct err other = ERR_INIT;
    int r = ask(where, protocol_name(protocol), account, out, err);

    if (is_elsewhere(r) && front_has_config(front->config))
        r = look_up(front, protocol, account, out, err);
    if (is_elsewhere(r) && where == AGENT_USER &&
        !is_elsewhere(ask(AGENT_SYSTEM, protocol_name(protocol), account, out, &other))) {
        r = other.code;
        *err = other;
    }
    return r;
}

int
front_upstream(const struct front *front, int argc, char **argv)
{
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;
    enum protocol protocol;
    int r;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help_text, stdout);
        return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
    }
    if (argc != 3 || (protocol = protocol_from_name(argv[1])) == PROTOCOL_COUNT) {
        fputs(help_text, stderr);
        return EX_USAGE;
    }
    r = front_find_upstream(front, protocol, argv[2], &out, &err);
    if (r == 0 && secret_append_char(&out, '\n') == 0)
        r = file_write_fd(STDOUT_FILENO, "standard output", out.data, out.len, &err);
    secret_clear(&out);
    return r == 0 ? EX_OK : complain(argv[2], &err);
}
