/* postfix_gather.c - see postfix_gather.h. */
#include "postfix_gather.h"

#include <dirent.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../accounts/host_owner.h"
#include "../base/run_program.h"
#include "../client/agent_client.h"

#define POSTCONF_MS 10000
#define ASK_MS 8000 /* for one token */

/* DIRECTORY/postconf, when it may be run. */
static bool
is_here(const char *dir, size_t len, char path_r[POSTFIX_PATH_MAX])
{
    if (len == 0 || len > POSTFIX_PATH_MAX - sizeof "/postconf")
        return false;
    snprintf(path_r, POSTFIX_PATH_MAX, "%.*s/postconf", (int)len, dir);
    return path_r[0] == '/' && access(path_r, X_OK) == 0;
}

bool
postconf_find(char path_r[POSTFIX_PATH_MAX])
{
    static const char usual[] = "/usr/sbin:/usr/local/sbin:/usr/bin:/opt/postfix/sbin";
    const char *lists[] = {getenv("PATH"), usual};

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (const char *at = lists[i]; at != NULL && *at != '\0';) {
            size_t len = strcspn(at, ":");

            if (is_here(at, len, path_r))
                return true;
            at += len + (at[len] == ':' ? 1 : 0);
        }
    return false;
}

static int
run_postconf(const struct postfix_facts *facts, const char *postconf, const char *option,
             bool silent, struct secret *out, struct err *err)
{
    char path[POSTFIX_PATH_MAX], dir[POSTFIX_PATH_MAX] = "", words[2][8] = {"-c", ""};
    char *argv[5];
    struct program program = {.argv = argv,
                              .name = "postconf",
                              .input = -1,
                              .output = out,
                              .deadline_ms = POSTCONF_MS,
                              .silent = silent};
    int n = 0;

    snprintf(path, sizeof path, "%s", postconf);
    snprintf(words[1], sizeof words[1], "%s", option);
    argv[n++] = path;
    if (facts->config_dir != NULL) {
        snprintf(dir, sizeof dir, "%s", facts->config_dir);
        argv[n++] = words[0];
        argv[n++] = dir;
    }
    argv[n++] = words[1];
    argv[n] = NULL;
    out->max = TABLE_OUTPUT_MAX;
    return run_program(&program, err);
}

int
postfix_gather_config(struct postfix_facts *facts, const char *postconf, struct err *err)
{
    struct secret types = SECRET_INIT, text[3] = {SECRET_INIT, SECRET_INIT, SECRET_INIT};
    int r;

    /* Only the first may speak: what it warns of (an unused parameter is often a typing
     * error) would be said by each. */
    if ((r = run_postconf(facts, postconf, "-x", false, &text[0], err)) == 0 &&
        (r = run_postconf(facts, postconf, "-M", true, &text[1], err)) == 0 &&
        (r = run_postconf(facts, postconf, "-xP", true, &text[2], err)) == 0 &&
        (r = run_postconf(facts, postconf, "-A", true, &types, err)) == 0)
        r = postfix_config_take(&facts->config, &text[0], &text[1], &text[2], err);
    if (r == 0)
        facts->has_cyrus = words_have(secret_str(&types), "cyrus");
    secret_clear(&types);
    for (size_t i = 0; i < 3; i++)
        secret_clear(&text[i]);
    return r;
}

int
postfix_ask_ms(const struct postfix_facts *facts)
{
    int left = deadline_left(&facts->deadline);

    return left < ASK_MS ? left : ASK_MS;
}

/* --- whose token -------------------------------------------------------------------- */

static bool
has_account(const struct accounts *accounts, const char *host)
{
    for (size_t i = 0; accounts != NULL && i < accounts->count; i++) {
        const struct server *s = &accounts->account[i].server[PROTOCOL_SMTP];

        if (s->host != NULL && strcasecmp(s->host, host) == 0)
            return true;
    }
    return false;
}

void
postfix_choose_ours(struct postfix_facts *facts)
{
    for (size_t i = 0; i < facts->relay_count; i++) {
        struct postfix_relay *r = &facts->relays[i];
        enum entry_kind kind = r->entry.kind;

        r->ours = kind == ENTRY_AGENT || kind == ENTRY_FILE || kind == ENTRY_TABLE ||
                  host_is_exchange(r->hop.host) ||
                  has_account(facts->accounts, r->hop.host);
    }
    if (facts->relay_count == 1)
        facts->relays[0].ours = true;
}

/* --- the machine ---------------------------------------------------------------------
 */

static void
find_owner(struct postfix_facts *facts)
{
    const struct passwd *pw = getpwnam(postfix_value(&facts->config, NULL, "mail_owner"));

    facts->owner_known = pw != NULL;
    if (pw != NULL) {
        facts->owner_uid = pw->pw_uid;
        facts->owner_gid = pw->pw_gid;
    }
}

static bool
has_files(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    bool found = false;

    while (dir != NULL && !found && (e = readdir(dir)) != NULL)
        found = e->d_name[0] != '.';
    if (dir != NULL)
        closedir(dir);
    return found;
}

static void
look_at_authorities(const struct postfix_config *c, struct postfix_relay *relay)
{
    const char *file = postfix_value(c, relay->service, "smtp_tls_CAfile");
    const char *dir = postfix_value(c, relay->service, "smtp_tls_CApath");
    char path[2 * POSTFIX_PATH_MAX];
    struct stat st;

    relay->ca_file_read = file[0] != '\0' && access(file, R_OK) == 0 &&
                          stat(file, &st) == 0 && st.st_size > 0;
    snprintf(path, sizeof path, "%s%s", postfix_value(c, NULL, "queue_directory"), dir);
    relay->ca_dir_in_jail = dir[0] != '\0' && has_files(path);
}

/* As smtp(8) would. The socket's path is the one it has in its environment. */
static void
ask_for(struct postfix_facts *facts, struct postfix_relay *relay, const char *socket)
{
    struct postfix_as as = {.change = true,
                            .uid = facts->owner_uid,
                            .gid = facts->owner_gid,
                            .socket = socket,
                            .deadline_ms = postfix_ask_ms(facts)};

    if (!facts->is_root || !facts->owner_known)
        return;
    if (relay->chrooted)
        as.root = postfix_value(&facts->config, NULL, "queue_directory");
    relay->asked = true;
    if (relay->entry.kind == ENTRY_AGENT)
        relay->answer.code =
            postfix_as_ask(&as, "token", relay->entry.where, NULL, &relay->answer);
    else if (relay->entry.kind == ENTRY_FILE)
        relay->answer.code = postfix_as_read(&as, relay->entry.where, &relay->answer);
    else
        relay->asked = false;
}

/* The same question is asked once: another relay may have the answer already. */
static const struct postfix_relay *
asked_before(const struct postfix_facts *facts, size_t n)
{
    const struct postfix_relay *r = &facts->relays[n];

    for (size_t i = 0; i < n; i++) {
        const struct postfix_relay *other = &facts->relays[i];

        if (other->asked && other->entry.kind == r->entry.kind &&
            other->chrooted == r->chrooted &&
            strcmp(other->entry.where, r->entry.where) == 0)
            return other;
    }
    return NULL;
}

void
postfix_gather_machine(struct postfix_facts *facts)
{
    const struct postfix_config *c = &facts->config;
    char sasl_path[PLUGIN_PATH_MAX], socket[POSTFIX_PATH_MAX];
    bool named = postfix_imported(c, AGENT_SOCKET_ENV, socket, sizeof socket);

    if (!named)
        snprintf(socket, sizeof socket, "%s", AGENT_SOCKET_SYSTEM);
    memcpy(facts->agent_socket, socket, sizeof facts->agent_socket);
    plugin_look(postfix_imported(c, "SASL_PATH", sasl_path, sizeof sasl_path) ? sasl_path
                                                                              : NULL,
                &facts->plugin);
    for (size_t i = 0; i < facts->relay_count; i++) {
        const struct postfix_relay *before = asked_before(facts, i);

        look_at_authorities(c, &facts->relays[i]);
        if (before != NULL) {
            facts->relays[i].asked = true;
            facts->relays[i].answer = before->answer;
        } else if (facts->relays[i].ours) {
            ask_for(facts, &facts->relays[i], named ? socket : NULL);
        }
    }
}

void
postfix_gather_user(struct postfix_facts *facts)
{
    facts->is_root = geteuid() == 0;
    find_owner(facts);
}
