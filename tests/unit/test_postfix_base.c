/* test_postfix_base.c - doctor --postfix: Postfix itself, and the plugin's file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "postfix_kit.h"
#include "scratch.h"

#define PLUGIN "/usr/lib/sasl2/libmailbearer.so"

static struct postfix_facts *facts;

static int
setup(void **state)
{
    (void)state;
    facts = kit_begin(NULL, NULL);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    kit_end(&facts);
    return 0;
}

static void
base(const struct postfix_facts *f, struct report *report)
{
    postfix_check_base(f, report);
}

static void
postfix_itself(void **state)
{
    (void)state;
    kit_expect(base, facts, EX_OK,
               "+ Postfix 3.7.11, configured in /etc/postfix\n"
               "+ it was built with Cyrus SASL\n");
    facts->has_cyrus = facts->is_root = false;
    kit_expect(base, facts, EX_CONFIG,
               "+ Postfix 3.7.11, configured in /etc/postfix\n"
               "X this Postfix was built without Cyrus SASL\n"
               "-> install one that `postconf -A` says cyrus for\n"
               "~ not run as root: what Postfix may ask of the agent is not looked at\n");
    facts->has_cyrus = facts->is_root = true;
    facts->owner_known = false;
    kit_expect(base, facts, EX_CONFIG,
               "+ Postfix 3.7.11, configured in /etc/postfix\n"
               "+ it was built with Cyrus SASL\n"
               "X there is no user postfix, whom mail_owner names\n"
               "-> make that user, or correct mail_owner\n");
}

static void
too_old(void **state)
{
    (void)state;
    kit_end(&facts);
    facts = kit_begin("mail_version = 2.11.3\n", NULL);
    kit_expect(base, facts, EX_CONFIG,
               "X Postfix 2.11.3 is older than 3.0\n-> upgrade Postfix\n");
}

static void
the_plugin_is_there(void **state)
{
    (void)state;
    kit_expect(postfix_check_plugin, facts, EX_OK, "+ " PLUGIN "\n");
}

static void
the_plugin_is_not_there(void **state)
{
    (void)state;
    facts->plugin.plugin_count = 0;
    kit_expect(postfix_check_plugin, facts, EX_CONFIG,
               "X libmailbearer.so is not where libsasl2 looks: /usr/lib/sasl2\n"
               "-> make install SASL_PLUGIN_DIR=/usr/lib/sasl2\n");
    facts->plugin.dir_count = 0;
    kit_expect(postfix_check_plugin, facts, EX_CONFIG,
               "X no libsasl2 and no directory of its plugins is found\n"
               "-> install libsasl2 (Debian: libsasl2-modules), then the plugin\n");
}

static void
a_plugin_that_cannot_be_loaded(void **state)
{
    struct plugin_fact *p = &facts->plugin.plugins[0];
    const char *remedy =
        "-> install it again, built on this kind of machine: make install\n";
    char text[300];

    (void)state;
    p->has_symbol = false;
    snprintf(text, sizeof text,
             "X %s has no sasl_client_plug_init: it is no SASL plugin\n%s", PLUGIN,
             remedy);
    kit_expect(postfix_check_plugin, facts, EX_CONFIG, text);
    p->elf = false;
    snprintf(text, sizeof text, "X %s is no shared object for this kind of machine\n%s",
             PLUGIN, remedy);
    kit_expect(postfix_check_plugin, facts, EX_CONFIG, text);
    p->readable = false;
    snprintf(text, sizeof text, "X %s cannot be read\n%s", PLUGIN, remedy);
    kit_expect(postfix_check_plugin, facts, EX_CONFIG, text);
}

static void
who_may_write_and_read_it(void **state)
{
    struct plugin_fact *p = &facts->plugin.plugins[0];
    const char *open = "X " PLUGIN " may be changed by others than root, and Postfix "
                       "loads it as root\n"
                       "-> chown root:root " PLUGIN "; chmod 644 " PLUGIN "\n";

    (void)state;
    p->mode = 0100664;
    kit_expect(postfix_check_plugin, facts, EX_CONFIG, open);
    p->mode = 0100644;
    p->owner = 1000;
    kit_expect(postfix_check_plugin, facts, EX_CONFIG, open);
    p->owner = 0;
    p->mode = 0100600;
    kit_expect(postfix_check_plugin, facts, EX_OK,
               "! " PLUGIN " can be read by root alone\n-> chmod 644 " PLUGIN "\n");
}

static void
two_of_them(void **state)
{
    struct plugin_fact *other = &facts->plugin.plugins[1];

    (void)state;
    *other = facts->plugin.plugins[0];
    facts->plugin.plugin_count = 2;
    kit_expect(postfix_check_plugin, facts, EX_OK,
               "+ " PLUGIN "\n+ " PLUGIN "\n"
               "! libsasl2 finds libmailbearer.so 2 times\n-> remove the older one\n");
    other->ours = false;
    snprintf(other->path, sizeof other->path, "/usr/lib/sasl2/libother.so");
    kit_expect(postfix_check_plugin, facts, EX_CONFIG,
               "+ " PLUGIN "\n"
               "X /usr/lib/sasl2/libother.so offers XOAUTH2 as well, and libsasl2 takes "
               "one of them\n"
               "-> remove it, or the package it is part of\n");
}

/* --- the files -----------------------------------------------------------------------
 */

static void
the_compiled_in_path(void **state)
{
    static const char object[] = "\177ELF\0/etc/sasl2:/etc/sasl\0/usr/lib/x/sasl2\0"
                                 "/usr/lib/x/sasl2:/usr/lib/sasl2\0/dev/sasldb2\0";
    static const char none[] = "/etc/sasldb2\0libsasl2.so.2\0sasl2\0";
    const char *found;
    size_t len;

    (void)state;
    found = plugin_compiled_path(object, sizeof object, &len);
    assert_non_null(found);
    assert_int_equal(len, strlen("/usr/lib/x/sasl2:/usr/lib/sasl2"));
    assert_memory_equal(found, "/usr/lib/x/sasl2:/usr/lib/sasl2", len);
    assert_null(plugin_compiled_path(none, sizeof none, &len));
}

static void
directories_are_kept_once(void **state)
{
    static struct plugin_facts f;
    const char *list = "/a::/b:/a:/c";

    (void)state;
    memset(&f, 0, sizeof f);
    plugin_add_dirs(&f, list, strlen(list));
    assert_int_equal(f.dir_count, 3);
    assert_string_equal(f.dirs[0], "/a");
    assert_string_equal(f.dirs[1], "/b");
    assert_string_equal(f.dirs[2], "/c");
}

static void
of_this_kind_of_machine(void **state)
{
    char self[64] = "\177ELF\002\001\001", object[64], other[64];

    (void)state;
    self[16] = 3;
    self[18] = 62;
    memcpy(object, self, sizeof object);
    assert_true(plugin_is_elf(object, sizeof object, self, sizeof self));
    assert_false(plugin_is_elf(object, 63, self, sizeof self));
    memcpy(other, self, sizeof other);
    other[18] = (char)183; /* another processor */
    assert_false(plugin_is_elf(other, sizeof other, self, sizeof self));
    memcpy(other, self, sizeof other);
    other[4] = 1; /* 32 bits */
    assert_false(plugin_is_elf(other, sizeof other, self, sizeof self));
    memcpy(other, self, sizeof other);
    other[16] = 1; /* an object file */
    assert_false(plugin_is_elf(other, sizeof other, self, sizeof self));
    memcpy(other, "#!/bin/sh\n", 10);
    assert_false(plugin_is_elf(other, sizeof other, self, sizeof self));
}

static void
what_is_in_the_directories(void **state)
{
    static const char script[] = "#!/bin/sh\n";
    static struct plugin_facts f;
    char dir[SCRATCH_PATH_MAX], path[SCRATCH_PATH_MAX], object[128] = "\177ELF";
    const char *text = "sasl_client_plug_init\0XOAUTH2";

    (void)state;
    memcpy(object + 64, text, strlen("sasl_client_plug_init") + sizeof "XOAUTH2");
    scratch_make(dir);
    scratch_write(scratch_path(path, dir, "libother.so"), object, sizeof object, 0644);
    scratch_write(scratch_path(path, dir, "libother.so.2"), object, sizeof object, 0644);
    scratch_write(scratch_path(path, dir, "libplain.so"), script, sizeof script, 0644);
    scratch_write(scratch_path(path, dir, "libmailbearer.so"), script, sizeof script,
                  0640);
    plugin_look(dir, &f);
    assert_int_equal(f.dir_count, 1);
    assert_int_equal(f.plugin_count, 2);
    for (size_t i = 0; i < f.plugin_count; i++) {
        const struct plugin_fact *p = &f.plugins[i];

        assert_true(p->readable);
        assert_int_equal(p->owner, geteuid());
        if (p->ours) {
            assert_string_equal(p->path, path);
            assert_false(p->elf);
            assert_false(p->has_symbol);
            assert_int_equal(p->mode & 07777, 0640);
        } else {
            assert_non_null(strstr(p->path, "/libother.so"));
            assert_true(p->has_symbol);
        }
    }
    scratch_remove(dir);
    plugin_look(dir, &f); /* it is gone */
    assert_int_equal(f.plugin_count, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(postfix_itself),
        CASE(too_old),
        CASE(the_plugin_is_there),
        CASE(the_plugin_is_not_there),
        CASE(a_plugin_that_cannot_be_loaded),
        CASE(who_may_write_and_read_it),
        CASE(two_of_them),
        cmocka_unit_test(the_compiled_in_path),
        cmocka_unit_test(directories_are_kept_once),
        cmocka_unit_test(of_this_kind_of_machine),
        cmocka_unit_test(what_is_in_the_directories),
    };

    return cmocka_run_group_tests_name("postfix_base", tests, NULL, NULL);
}
