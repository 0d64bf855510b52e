/* cmd_setup.c - `mailbearer setup`: the configuration of a mail program, ready to use. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "../accounts/context.h"
#include "../accounts/words.h"
#include "../base/complain.h"
#include "../base/file.h"
#include "../setup/render.h"
#include "front.h"

static const char help_text[] =
    "usage: mailbearer setup [CLIENT ACCOUNT]\n"
    "\n"
    "Prints the configuration of that mail program for the account: the settings,\n"
    "the file each belongs to (behind `# --- FILE:`), commands to run once (behind\n"
    "`# --- COMMANDS`) and, as comments, what the accounts file needs and what to\n"
    "know. Changes nothing, prints no secret. Alone it lists the clients.\n";

static int
list_clients(void)
{
    for (size_t i = 0; i < setup_template_count; i++)
        printf("  %-20s %s\n", setup_templates[i].name, setup_templates[i].title);
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static int
unknown_client(const char *name)
{
    const char **names = calloc(setup_template_count, sizeof *names);
    const char *nearest = NULL;
    struct err err = ERR_INIT;

    for (size_t i = 0; names != NULL && i < setup_template_count; i++)
        names[i] = setup_templates[i].name;
    if (names != NULL)
        nearest = word_nearest(names, setup_template_count, name);
    if (nearest != NULL)
        err_set(&err, ERR_USAGE, "unknown client; did you mean `%s`?", nearest);
    else
        err_set(&err, ERR_USAGE, "unknown client");
    err_hint(&err, "see which there are: mailbearer setup");
    free(names);
    return complain(name, &err);
}

/* Who signs in for a shared mailbox, and the account that sends as that person. */
static void
find_delegate(const struct accounts *accounts, const struct account *shared,
              struct setup_account *account)
{
    const struct account *own;

    if (shared->grant != GRANT_AUTHORIZATION_CODE ||
        strcasecmp(shared->user, shared->login_hint) == 0)
        return;
    account->delegate = shared->login_hint;
    own = accounts_find(accounts, shared->login_hint); /* rather than any other */
    if (own != NULL && strcasecmp(own->user, shared->login_hint) == 0)
        account->sender = own->name;
    for (size_t i = 0; account->sender == NULL && i < accounts->count; i++)
        if (strcasecmp(accounts->account[i].user, shared->login_hint) == 0)
            account->sender = accounts->account[i].name;
}

/* Where the account stands: in the accounts file of this user, else in the system's. The
 * texts are the context's. */
static void
locate(const struct front *front, struct setup_account *account, struct context *context)
{
    static const char system_file[] = MAILBEARER_SYSCONFDIR "/mailbearer/mailbearer.conf";
    struct err err = ERR_INIT; /* told when the servers are looked up */
    const struct account *found;

    context->config = front->config;
    account->system = true;
    account->file = system_file;
    if (!front_has_config(front->config) || context_accounts(context, &err) != 0 ||
        (found = accounts_find(context->accounts, account->name)) == NULL)
        return;
    find_delegate(context->accounts, found, account);
    account->system = context->place.system;
    account->file = context->place.config;
}

/* The settings of all three servers. An account need not have each: 0 when there is one
 * at least. lacking[] tells why one is not there. */
static int
find_servers(const struct front *front, const char *account, struct setup_values *values,
             struct err lacking[PROTOCOL_COUNT], struct err *err)
{
    int found = 0;
    int r = 0;

    for (int p = 0; r == 0 && p < PROTOCOL_COUNT; p++) {
        struct secret json = SECRET_INIT;

        r = front_find_upstream(front, (enum protocol)p, account, &json, err);
        if (r == 0) {
            found++;
            r = setup_values_server(values, (enum protocol)p, json.data, json.len, err);
        } else if (r == ERR_CONFIG || r == ERR_PERSON) {
            lacking[p] = *err;
            lacking[p].code = ERR_CONFIG; /* an agent says PERM */
            r = 0;
        }
        secret_clear(&json);
    }
    if (r != 0 || found > 0)
        return r;
    *err = lacking[0];
    return err->code;
}

static int
check_needs(const struct setup_template *template, const struct setup_values *values,
            const struct err lacking[PROTOCOL_COUNT], struct err *err)
{
    for (int p = 0; p < PROTOCOL_COUNT; p++)
        if ((template->needs & 1u << p) != 0 && lacking[p].code != 0) {
            *err = lacking[p];
            return err->code;
        }
    if ((template->needs & SETUP_NEEDS_TOKEN) == 0 ||
        values->value[SETUP_APP_PASSWORD].len == 0)
        return 0;
    err_set(err, ERR_CONFIG, "%s is for a token, and this account has an app password",
            template->name);
    err_hint(err, "give the program the password itself, or take a client of "
                  "`mailbearer setup` that uses mailbearer-fetch");
    return ERR_CONFIG;
}

static int
make_text(const struct front *front, const struct setup_template *template,
          const char *name, struct secret *out, struct err *err)
{
    struct setup_account account = {.name = name, .config = front->config};
    struct err lacking[PROTOCOL_COUNT] = {ERR_INIT};
    struct setup_values values = {0};
    struct context context = CONTEXT_INIT;
    int r;

    locate(front, &account, &context);
    if ((r = setup_values_account(&values, &account, err)) == 0 &&
        (r = find_servers(front, name, &values, lacking, err)) == 0 &&
        (r = check_needs(template, &values, lacking, err)) == 0)
        r = render(template, &values, out, err);
    setup_values_clear(&values);
    context_close(&context);
    return r;
}

int
front_setup(const struct front *front, int argc, char **argv)
{
    const struct setup_template *template;
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;
    int r;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help_text, stdout);
        return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
    }
    if (argc == 1)
        return list_clients();
    if ((template = render_find(argv[1])) == NULL && argv[1][0] != '-')
        return unknown_client(argv[1]);
    /* A name like an option would be one in the printed commands. */
    if (argc != 3 || template == NULL || argv[2][0] == '-') {
        fputs(help_text, stderr);
        return EX_USAGE;
    }
    r = make_text(front, template, argv[2], &out, &err);
    if (r == 0)
        r = file_write_fd(STDOUT_FILENO, "standard output", out.data, out.len, &err);
    secret_clear(&out);
    return r == 0 ? EX_OK : complain(argv[2], &err);
}
