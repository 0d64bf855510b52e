/* cmd_login.c - `mailbearer login`: a person signs in, and the account works from then
 * on.
 */
#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "../accounts/context.h"
#include "../base/complain.h"
#include "../oauth/browser.h"
#include "../oauth/loopback_socket.h"
#include "../oauth/store_key.h"
#include "commands.h"
#include "sign_in.h"

static const char help_text[] =
    "usage: mailbearer [-c FILE] login ACCOUNT\n"
    "                  [--browser [--listen ADDRESS:PORT] | --device | --paste]\n"
    "\n"
    "A person signs in for ACCOUNT, once. Without an option the way is chosen by\n"
    "the place: a browser where there is a screen, else a code for another device,\n"
    "else pasting.\n"
    "\n"
    "  --browser  open the sign-in in a browser, which comes back to a port here; the\n"
    "             address is printed as well, and as root only printed\n"
    "  --listen ADDRESS:PORT\n"
    "             wait there instead: for a redirect_uri that a proxy passes on\n"
    "  --device   print a short code to type in on another device\n"
    "  --paste    print the address, and read the one that the browser ends at\n"
    "\n"
    "Nothing is stored unless the person named by the account (login_hint) signs in.\n";

enum way { WAY_BY_PLACE, WAY_BROWSER, WAY_DEVICE, WAY_PASTE };

struct login {
    const char *account;
    enum way way;
    char address[64];
    struct sign_in_listen listen;
};

static int
usage(const char *why)
{
    if (why != NULL)
        fprintf(stderr, "mailbearer: login: %s\n", why);
    fputs(help_text, stderr);
    return EX_USAGE;
}

static int
choose_way(struct login *login, enum way way)
{
    if (login->way != WAY_BY_PLACE && login->way != way)
        return usage("give one of --browser, --device, --paste");
    login->way = way;
    return -1;
}

/* -1, or the exit status. */
static int
parse(int argc, char **argv, struct login *login)
{
    static const struct option options[] = {
        {"browser", no_argument, NULL, 'b'}, {"listen", required_argument, NULL, 'l'},
        {"device", no_argument, NULL, 'd'},  {"paste", no_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},    {NULL, 0, NULL, 0}};
    struct err err = ERR_INIT;
    int c, status = -1;

    opterr = 0;
    while (status == -1 && (c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'b') {
            status = choose_way(login, WAY_BROWSER);
        } else if (c == 'd') {
            status = choose_way(login, WAY_DEVICE);
        } else if (c == 'p') {
            status = choose_way(login, WAY_PASTE);
        } else if (c == 'l') {
            if (loopback_address_parse(optarg, login->address, sizeof login->address,
                                       &login->listen.port, &err) != 0)
                return complain("login", &err);
            login->listen.address = login->address;
        } else if (c == 'h') {
            fputs(help_text, stdout);
            return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
        } else {
            return usage(NULL);
        }
    }
    if (status != -1)
        return status;
    if (argc - optind != 1)
        return usage(NULL);
    if (login->listen.address != NULL && choose_way(login, WAY_BROWSER) != -1)
        return EX_USAGE;
    login->account = argv[optind];
    return -1;
}

/* The ways that suit the place, best first; returns how many. */
static size_t
ways_by_place(const struct sign_in *s, const struct login *login, bool screen,
              enum way ways[3])
{
    bool listen =
        s->endpoints.authorization != NULL && sign_in_can_listen(s, &login->listen);
    size_t n = 0;

    if (login->way != WAY_BY_PLACE) {
        ways[n++] = login->way;
        return n;
    }
    if (listen && screen)
        ways[n++] = WAY_BROWSER;
    if (s->endpoints.device_authorization != NULL)
        ways[n++] = WAY_DEVICE;
    if (s->endpoints.authorization != NULL && (s->terminal || n == 0))
        ways[n++] = !s->terminal && listen ? WAY_BROWSER : WAY_PASTE;
    if (n == 0)
        ways[n++] = WAY_BROWSER; /* says which endpoint is missing */
    return n;
}

static int
sign_in(struct sign_in *s, const struct login *login, enum way way, struct err *err)
{
    s->other_way = false;
    if (way == WAY_DEVICE)
        return sign_in_device(s, err);
    return way == WAY_PASTE ? sign_in_paste(s, err)
                            : sign_in_browser(s, &login->listen, err);
}

static int
run(struct sign_in *s, const struct login *login, bool screen, struct err *err)
{
    enum way ways[3];
    size_t count = ways_by_place(s, login, screen, ways);
    int r = 0;

    for (size_t i = 0; i < count; i++) {
        if ((r = sign_in(s, login, ways[i], err)) == 0 || !s->other_way || i + 1 == count)
            break;
        complain(s->account->name, err);
        sign_in_tell(s, "another way is tried");
    }
    return r;
}

static int
check_grant(const struct account *account, struct err *err)
{
    if (account->grant == GRANT_AUTHORIZATION_CODE)
        return 0;
    err_set(err, ERR_CONFIG, "%s:%d: nobody signs in for this account: its grant is %s",
            account->file, account->line, grant_name(account->grant));
    err_hint(err,
             "try it: mailbearer token %s; or set grant = authorization_code if a "
             "person's sign-in is meant",
             account->name);
    return ERR_CONFIG;
}

int
cmd_login(const char *config, int argc, char **argv)
{
    struct login login = {.way = WAY_BY_PLACE};
    struct context context = CONTEXT_INIT;
    struct store_key *key = NULL;
    const struct account *account = NULL;
    struct sign_in s = {.may_start_browser = false};
    struct err err = ERR_INIT;
    int r, status = parse(argc, argv, &login);

    if (status >= 0)
        return status;
    /* Before context_store(): root becomes the store's owner there, who has no screen. */
    s.may_start_browser = browser_possible();
    context.config = config;
    if ((r = context_accounts(&context, &err)) == 0 &&
        (r = context_account(&context, login.account, &account, &err)) == 0 &&
        (r = check_grant(account, &err)) == 0 &&
        (r = context_store(&context, &err)) == 0 &&
        (r = store_key_use(context.accounts, &context.store, &key, &err)) == 0 &&
        (r = sign_in_begin(&s, account, &context.store, &err)) == 0 &&
        (r = run(&s, &login, browser_has_screen(), &err)) == 0)
        sign_in_report(&s);
    status = r == 0 ? EX_OK : complain(login.account, &err);
    sign_in_clear(&s);
    store_key_free(&key);
    context_close(&context);
    return fflush(stdout) == 0 ? status : EX_IOERR;
}
