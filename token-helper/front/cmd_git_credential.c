/* cmd_git_credential.c - `mailbearer git-credential`: a token where git wants a password.
 *
 * `git send-email` asks for the password of an SMTP server so. Git asks every helper that
 * is configured for every server: the token is given for mail protocols alone, and only
 * to the account's own server, so that a URL with the right user name in it cannot
 * fetch it for somebody else's.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "../accounts/context.h"
#include "../base/complain.h"
#include "../base/file.h"
#include "../base/git_credential.h"
#include "../base/json.h"
#include "get_token.h"

static const char help_text[] =
    "usage: mailbearer git-credential get|store|erase\n"
    "\n"
    "Git's credential helper: reads git's request on standard input. get answers\n"
    "with the account that `username` names (without one: with the only account\n"
    "there is) and a fresh access token as password, for protocol smtp, imap or\n"
    "pop3 and the account's own server; erase tells the agent that the server\n"
    "refused this token; store does nothing.\n"
    "\n"
    "    git config credential.smtp://smtp.office365.com:587.helper \\\n"
    "        '!mailbearer git-credential'\n"
    "    git config sendemail.smtpAuth XOAUTH2\n";

static int
read_request(struct git_credential *request, struct err *err)
{
    struct secret text = {.max = GIT_REQUEST_MAX};
    int r = file_read_fd(STDIN_FILENO, "standard input", GIT_REQUEST_MAX, &text, err);

    if (r == 0)
        r = git_credential_parse(secret_str(&text), text.len, request, err);
    if (r == ERR_CONFIG) /* too large */
        r = err->code = ERR_USAGE;
    if (r == ERR_USAGE)
        err_hint(err,
                 "this command is run by git; see: mailbearer git-credential --help");
    secret_clear(&text);
    return r;
}

/* The only account of the accounts file. */
static int
only_account(const struct front *front, struct secret *name, struct err *err)
{
    struct context context = CONTEXT_INIT;
    const char *only;
    int r;

    context.config = front->config;
    if ((r = context_accounts(&context, err)) != 0)
        goto out;
    if (context.accounts->count != 1) {
        r = err_set(err, ERR_USAGE, "git gave no user name, and there are %zu accounts",
                    context.accounts->count);
        err_hint(err, "say which: git config sendemail.smtpUser ACCOUNT");
        goto out;
    }
    only = context.accounts->account[0].name;
    if (secret_set(name, only, strlen(only)) != 0)
        r = err_set(err, ERR_NOMEM, "out of memory");
out:
    context_close(&context);
    return r;
}

/* 0: the token may go there. An account without such a server is not checked: there is
 * nothing to compare with. */
static int
check_host(const struct front *front, const struct git_credential *request,
           const char *mail, const char *account, struct err *err)
{
    struct secret text = SECRET_INIT;
    struct json *json = NULL;
    const char *host;
    int r;

    if (mail[0] == '\0' || request->host.len == 0)
        return 0;
    r = front_find_upstream(front, protocol_from_name(mail), account, &text, err);
    if (r == ERR_CONFIG || r == ERR_PERSON || r == ERR_NOACCOUNT || r == ERR_NOAGENT)
        return 0; /* no such server; or get_token() will say the same */
    if (r != 0 || (r = json_parse(secret_str(&text), text.len, &json, err)) != 0)
        goto out;
    host = json_get_string(json, "host");
    if (host == NULL || !git_credential_is_host(request, host)) {
        r = err_set(err, ERR_DENIED, "%s is not this account's %s server, which is %s",
                    secret_str(&request->host), mail, host != NULL ? host : "?");
        err_hint(err,
                 "no token for another server; if it is right, set %s in the "
                 "account's section",
                 mail);
    }
out:
    json_free(&json);
    secret_clear(&text);
    return r;
}

static int
get(const struct front *front, struct git_credential *request)
{
    const char *mail = git_credential_mail(request);
    struct wanted wanted = {.format = TOKEN_GIT};
    struct err err = ERR_INIT;

    if (mail == NULL)
        return EX_OK; /* not ours: another helper's, or git asks the user */
    if (request->username.len == 0 && only_account(front, &request->username, &err) != 0)
        return complain(NULL, &err);
    wanted.account = secret_str(&request->username);
    if (check_host(front, request, mail, wanted.account, &err) != 0)
        return complain(wanted.account, &err);
    return get_token(front, &wanted);
}

/* The account whose mailbox that is: what we answered git with as user name. */
static int
account_of_user(const struct front *front, struct secret *name, struct err *err)
{
    struct context context = CONTEXT_INIT;
    const struct account *found = NULL;
    size_t count = 0;
    int r;

    context.config = front->config;
    if ((r = context_accounts(&context, err)) == 0) {
        for (size_t i = 0; i < context.accounts->count; i++)
            if (strcmp(context.accounts->account[i].user, secret_str(name)) == 0) {
                found = &context.accounts->account[i];
                count++;
            }
        if (count != 1)
            r = err_set(err, ERR_NOACCOUNT, "no account has this user alone");
        else if (secret_set(name, found->name, strlen(found->name)) != 0)
            r = err_set(err, ERR_NOMEM, "out of memory");
    }
    context_close(&context);
    return r;
}

static int
reject(const struct front *front, const struct git_credential *request, struct err *err)
{
    struct secret key = SECRET_INIT, nothing = SECRET_INIT;
    struct agent_query query = {.map = "rejected",
                                .where = front->config != NULL ? AGENT_NAMED : AGENT_ANY,
                                .deadline_ms = FRONT_DEADLINE_MS};
    int r = ERR_NOMEM;

    if (secret_append(&key, request->password.data, request->password.len) != 0 ||
        secret_append_char(&key, ' ') != 0 ||
        secret_append_str(&key, secret_str(&request->username)) != 0) {
        err_set(err, ERR_NOMEM, "out of memory");
    } else {
        query.key = secret_str(&key);
        r = agent_client_ask(&query, &nothing, err);
    }
    secret_clear(&key);
    secret_clear(&nothing);
    return r;
}

/* Whoever has no agent fetches another token when this one ends. A token in git's hands
 * is one word: anything else is not ours. */
static int
erase(const struct front *front, struct git_credential *request)
{
    struct err err = ERR_INIT;
    int r;

    if (git_credential_mail(request) == NULL || request->password.len == 0 ||
        request->username.len == 0 || secret_has_control(&request->password) ||
        strchr(secret_str(&request->password), ' ') != NULL)
        return EX_OK;
    r = reject(front, request, &err);
    if (r == ERR_NOACCOUNT && front_has_config(front->config) &&
        account_of_user(front, &request->username, &err) == 0)
        r = reject(front, request, &err);
    if (r == 0 || r == ERR_NOACCOUNT || r == ERR_NOAGENT)
        return EX_OK;
    return complain(secret_str(&request->username), &err);
}

int
front_git_credential(const struct front *front, int argc, char **argv)
{
    struct git_credential request = {SECRET_INIT, SECRET_INIT, SECRET_INIT, SECRET_INIT};
    struct err err = ERR_INIT;
    int status = EX_OK;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help_text, stdout);
        return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
    }
    if (argc != 2) {
        fputs(help_text, stderr);
        return EX_USAGE;
    }
    if (read_request(&request, &err) != 0)
        status = complain("git-credential", &err);
    else if (strcmp(argv[1], "get") == 0)
        status = get(front, &request);
    else if (strcmp(argv[1], "erase") == 0)
        status = erase(front, &request);
    /* git: what a helper does not know it ignores */
    git_credential_clear(&request);
    return status;
}
