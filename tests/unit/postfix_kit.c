/* postfix_kit.c - see postfix_kit.h. */
#include "postfix_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char good_main[] =
    "mail_version = 3.7.11\n"
    "mail_owner = postfix\n"
    "config_directory = /etc/postfix\n"
    "queue_directory = /var/spool/postfix\n"
    "compatibility_level = 3.6\n"
    "relayhost = [smtp.office365.com]:587\n"
    "default_process_limit = 100\n"
    "default_destination_concurrency_limit = 20\n"
    "smtp_destination_concurrency_limit = 2\n"
    "smtp_sasl_auth_enable = yes\n"
    "smtp_sasl_auth_cache_name =\n"
    "smtp_sasl_auth_soft_bounce = yes\n"
    "smtp_sasl_mechanism_filter = xoauth2\n"
    "smtp_sasl_password_maps = texthash:/etc/postfix/sasl_passwd\n"
    "smtp_sasl_path =\n"
    "smtp_sasl_security_options = noplaintext, noanonymous\n"
    "smtp_sasl_tls_security_options = noanonymous\n"
    "smtp_sasl_tls_verified_security_options = noanonymous\n"
    "smtp_sasl_type = cyrus\n"
    "smtp_sender_dependent_authentication = no\n"
    "smtp_tls_CApath = /etc/ssl/certs\n"
    "smtp_tls_CAfile =\n"
    "smtp_tls_security_level = secure\n"
    "smtp_tls_wrappermode = no\n"
    "tls_append_default_CA = no\n";

static const char good_services[] =
    "smtp       unix  -       -       y       -       -       smtp\n"
    "relay      unix  -       -       y       -       -       smtp -o a=b\n"
    "other      unix  -       -       n       -       1       smtp\n"
    "local      unix  -       n       n       -       -       local\n";

static void
put(struct secret *to, const char *one, const char *two)
{
    assert_int_equal(secret_append_str(to, one), 0);
    if (two != NULL)
        assert_int_equal(secret_append_str(to, two), 0);
}

struct postfix_relay *
kit_relay(struct postfix_facts *facts, const char *hop, const char *service,
          enum entry_kind kind)
{
    struct postfix_relay *r = &facts->relays[facts->relay_count++];

    memset(r, 0, sizeof *r);
    r->origin = "relayhost";
    assert_true(nexthop_parse(hop, strlen(hop), &r->hop));
    snprintf(r->service, sizeof r->service, "%s", service);
    snprintf(r->key, sizeof r->key, "%s", hop);
    snprintf(r->table, sizeof r->table, "texthash:/etc/postfix/sasl_passwd");
    r->entry.kind = kind;
    return r;
}

static void
set_plugin(struct plugin_facts *p)
{
    snprintf(p->dirs[0], sizeof p->dirs[0], "/usr/lib/sasl2");
    p->dir_count = p->plugin_count = 1;
    p->plugins[0] = (struct plugin_fact){.path = "/usr/lib/sasl2/libmailbearer.so",
                                         .ours = true,
                                         .readable = true,
                                         .elf = true,
                                         .has_symbol = true,
                                         .mode = 0100644};
}

struct postfix_facts *
kit_begin(const char *main_lines, const char *overrides)
{
    struct secret text[3] = {SECRET_INIT, SECRET_INIT, SECRET_INIT};
    struct postfix_facts *facts = calloc(1, sizeof *facts);
    struct postfix_relay *r;
    struct err err = ERR_INIT;

    assert_non_null(facts);
    put(&text[0], good_main, main_lines);
    put(&text[1], good_services, NULL);
    put(&text[2], "", overrides);
    assert_int_equal(
        postfix_config_take(&facts->config, &text[0], &text[1], &text[2], &err), 0);
    set_plugin(&facts->plugin);
    facts->has_cyrus = facts->owner_known = facts->is_root = true;
    facts->owner_uid = 103;
    snprintf(facts->agent_socket, sizeof facts->agent_socket,
             "/run/mailbearer/agent.sock");
    r = kit_relay(facts, "[smtp.office365.com]:587", "smtp", ENTRY_AGENT);
    r->ours = r->asked = r->chrooted = r->ca_dir_in_jail = true;
    snprintf(r->entry.user, sizeof r->entry.user, "relay@contoso.com");
    snprintf(r->entry.where, sizeof r->entry.where, "relay@contoso.com");
    return facts;
}

void
kit_end(struct postfix_facts **facts)
{
    postfix_config_clear(&(*facts)->config);
    free(*facts);
    *facts = NULL;
}

/* "  ok   text" and the like, in the form the tests write. */
static void
shorten(const char *from, char *to, size_t size)
{
    static const char *const marks[][2] = {{"  ok   ", "+ "},
                                           {"  note ", "~ "},
                                           {"  warn ", "! "},
                                           {"  FAIL ", "X "},
                                           {"      to mend it: ", "-> "}};
    size_t out = 0;

    from = strchr(from, '\n'); /* the check's name */
    for (from = from != NULL ? from + 1 : ""; *from != '\0';) {
        size_t len = strcspn(from, "\n") + 1, skip = 0;
        const char *mark = "";

        for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
            if (strncmp(from, marks[i][0], strlen(marks[i][0])) == 0) {
                mark = marks[i][1];
                skip = strlen(marks[i][0]);
            }
        out += (size_t)snprintf(to + out, size - out, "%s%.*s", mark, (int)(len - skip),
                                from + skip);
        assert_true(out < size);
        from += len;
    }
    to[out] = '\0';
}

void
kit_expect(void (*check)(const struct postfix_facts *, struct report *),
           const struct postfix_facts *facts, int status, const char *text)
{
    char *page = NULL, said[8192];
    size_t len = 0;
    FILE *file = open_memstream(&page, &len);
    struct report report;

    assert_non_null(file);
    report_begin(&report, file, REPORT_TEXT);
    report.utf8 = false;
    check(facts, &report);
    fflush(file);
    shorten(len > 0 ? page : "", said, sizeof said);
    assert_string_equal(said, text);
    assert_int_equal(report_end(&report), status);
    fclose(file);
    free(page);
}
