/* test_git_credential.c - git's requests, as git writes them and as it never would. */
#include "base/git_credential.h"
#include "oauth_kit.h"

static void
reads(const char *text, size_t len, const char *protocol, const char *host,
      const char *username, const char *password)
{
    struct git_credential r = {SECRET_INIT, SECRET_INIT, SECRET_INIT, SECRET_INIT};
    struct err err = ERR_INIT;

    if (git_credential_parse(text, len, &r, &err) != 0)
        fail_msg("%s", err.text);
    kit_assert_secret(&r.protocol, protocol);
    kit_assert_secret(&r.host, host);
    kit_assert_secret(&r.username, username);
    kit_assert_secret(&r.password, password);
    git_credential_clear(&r);
    assert_int_equal(r.password.len, 0);
}

#define READS(text, ...) reads(text, sizeof(text) - 1, __VA_ARGS__)

static void
requests(void **state)
{
    (void)state;
    READS("protocol=smtp\nhost=smtp.office365.com:587\nusername=alice@contoso.com\n\n",
          "smtp", "smtp.office365.com:587", "alice@contoso.com", "");
    READS("capability[]=authtype\ncapability[]=state\nprotocol=smtp\nhost=h\n"
          "wwwauth[]=Basic realm=\"x\"\nusername=a=b\npassword=CANARY==\n",
          "smtp", "h", "a=b", "CANARY==");
    READS("", "", "", "", "");
    READS("\nusername=after the end\n", "", "", "", "");
    READS("username=no end", "", "", "no end", "");
    READS("username=one\nusername=two\n", "", "", "two", "");
    READS("username=one\nusername=\n", "", "", "", "");
    READS("user=x\nUsername=y\nusernam=z\nusername2=w\n=v\n", "", "", "", "");
    READS("username=with space \n", "", "", "with space ", "");
}

static void
refuses(const char *text, size_t len)
{
    struct git_credential r = {SECRET_INIT, SECRET_INIT, SECRET_INIT, SECRET_INIT};
    struct err err = ERR_INIT;

    kit_set(&r.username, "before");
    assert_int_equal(git_credential_parse(text, len, &r, &err), ERR_USAGE);
    assert_null(strstr(err.text, "CANARY"));
    kit_assert_secret(&r.username, "before");
    git_credential_clear(&r);
}

static void
no_requests(void **state)
{
    static const char nul[] = "password=CANARY\0x\nusername=a\n";

    (void)state;
    refuses("password=CANARY\nnonsense\n", 25);
    refuses(nul, sizeof nul - 1);
}

static const char *
mail(const char *protocol)
{
    struct git_credential r = {SECRET_INIT, SECRET_INIT, SECRET_INIT, SECRET_INIT};
    const char *name;

    kit_set(&r.protocol, protocol);
    name = git_credential_mail(&r);
    git_credential_clear(&r);
    return name;
}

static void
protocols(void **state)
{
    (void)state;
    assert_string_equal(mail("smtp"), "smtp");
    assert_string_equal(mail("smtps"), "smtp");
    assert_string_equal(mail("imap"), "imap");
    assert_string_equal(mail("imaps"), "imap");
    assert_string_equal(mail("pop3"), "pop3");
    assert_string_equal(mail("pop3s"), "pop3");
    assert_string_equal(mail("SMTP"), "smtp");
    assert_string_equal(mail(""), "");
    assert_null(mail("https"));
    assert_null(mail("http"));
    assert_null(mail("cert"));
    assert_null(mail("smt"));
}

static bool
is_host(const char *given, const char *host)
{
    struct git_credential r = {SECRET_INIT, SECRET_INIT, SECRET_INIT, SECRET_INIT};
    bool is;

    kit_set(&r.host, given);
    is = git_credential_is_host(&r, host);
    git_credential_clear(&r);
    return is;
}

static void
hosts(void **state)
{
    (void)state;
    assert_true(is_host("", "smtp.office365.com"));
    assert_true(is_host("smtp.office365.com", "smtp.office365.com"));
    assert_true(is_host("SMTP.Office365.com:587", "smtp.office365.com"));
    assert_true(is_host("[::1]:587", "::1"));
    assert_true(is_host("[::1]", "::1"));
    assert_true(is_host("::1", "::1"));
    assert_false(is_host("smtp.office365.com.evil.example", "smtp.office365.com"));
    assert_false(is_host("evil.example:587", "smtp.office365.com"));
    assert_false(is_host("office365.com", "smtp.office365.com"));
    assert_false(is_host("smtp.office365.co", "smtp.office365.com"));
    assert_false(is_host(":587", "smtp.office365.com"));
    assert_false(is_host("smtp.office365.com:587:evil", "smtp.office365.com"));
    assert_false(is_host("[::2]:587", "::1"));
    assert_false(is_host("[smtp.office365.com].evil", "::1"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(no_requests),
        cmocka_unit_test(protocols),
        cmocka_unit_test(hosts),
    };

    return cmocka_run_group_tests_name("git_credential", tests, NULL, NULL);
}
