/* What stands in a token, against the account. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/claims.h"
#include "oauth/crypto.h"

#define NOW INT64_C(1800000000)
#define TENANT "c0ffee00-1111-4222-8333-444455556666"

static char mailbox[] = "relay@contoso.com";
static char client[] = "11111111-2222-3333-4444-555555555555";
static char provider[] = "microsoft", hve[] = "microsoft-hve";
static char app_scope[] = "https://outlook.office365.com/.default";
static char send_scope[] = "https://outlook.office.com/SMTP.Send offline_access";

static struct account
relay(void)
{
    return (struct account){.name = mailbox,
                            .user = mailbox,
                            .login_hint = mailbox,
                            .provider = {.name = provider, .is_microsoft = true},
                            .client_id = client,
                            .grant = GRANT_CLIENT_CREDENTIALS,
                            .scope = app_scope};
}

/* --- what is judged
 * ---------------------------------------------------------------------
 */

struct judged {
    char *text; /* the report */
    size_t len;
    int status;
    size_t warnings, failures;
    bool wanted[PROTOCOL_COUNT];
};

/* Judges claims for an account; `asked` lists letters of the protocols asked for: s i p.
 */
static struct judged
judge(const struct account *account, const char *claims, const char *asked)
{
    struct claims_question q = {.account = account,
                                .user = account != NULL ? account->user : mailbox,
                                .now = NOW,
                                .wanted = {true, true, true}};
    struct judged j = {.text = NULL};
    struct report report;
    struct json *json = NULL;
    FILE *out = open_memstream(&j.text, &j.len);

    assert_non_null(out);
    assert_int_equal(json_parse(claims, strlen(claims), &json, NULL), 0);
    q.json = json;
    q.asked[PROTOCOL_SMTP] = strchr(asked, 's') != NULL;
    q.asked[PROTOCOL_IMAP] = strchr(asked, 'i') != NULL;
    q.asked[PROTOCOL_POP3] = strchr(asked, 'p') != NULL;
    report_begin(&report, out, REPORT_TEXT);
    report.utf8 = false;
    report_check(&report, "token");
    claims_judge(&q, &report);
    j.warnings = report.count[REPORT_WARNING];
    j.failures = report.count[REPORT_FAILURE];
    j.status = report_end(&report);
    fclose(out);
    memcpy(j.wanted, q.wanted, sizeof j.wanted);
    json_free(&json);
    return j;
}

static void
says(const struct judged *j, const char *text)
{
    if (strstr(j->text, text) == NULL)
        fail_msg("not there: %s\nin: %s", text, j->text);
}

static void
says_not(const struct judged *j, const char *text)
{
    if (strstr(j->text, text) != NULL)
        fail_msg("there: %s\nin: %s", text, j->text);
}

#define BASE "\"tid\": \"" TENANT "\", \"exp\": 1800003600, \"nbf\": 1799999000"
#define EXCHANGE "\"aud\": \"https://outlook.office365.com\", " BASE
#define ROLES "\"roles\": [\"SMTP.SendAsApp\", \"IMAP.AccessAsApp\", \"POP.AccessAsApp\"]"
#define APP "\"appid\": \"11111111-2222-3333-4444-555555555555\""
#define PERMISSIONS "\"scp\": \"IMAP.AccessAsUser.All POP.AccessAsUser.All SMTP.Send\""

static void
an_application_with_all_its_roles(void **state)
{
    const struct account a = relay();
    struct judged j = judge(&a, "{" EXCHANGE ", " APP ", " ROLES "}", "");

    (void)state;
    assert_int_equal(j.status, 0);
    assert_int_equal(j.warnings + j.failures, 0);
    says(&j, "ok   it is for Exchange: aud https://outlook.office365.com\n");
    says(&j, "ok   it ends in 60 min\n");
    says(&j, "ok   it is of the directory " TENANT " (tid)\n");
    says(&j, "ok   it has the role SMTP.SendAsApp\n");
    says(&j, "ok   it has the role IMAP.AccessAsApp\n");
    says(&j, "ok   it has the role POP.AccessAsApp\n");
    assert_true(j.wanted[PROTOCOL_SMTP] && j.wanted[PROTOCOL_IMAP]);
    free(j.text);
}

#define OID "\"oid\": \"9a2eb150-b93f-575a-b8c6-0d2acee404e0\""

/* The id that Exchange wants, and no other: a person's token has its own. */
static void
the_object_id_of_an_applications_own_token(void **state)
{
    const struct account a = relay();
    struct judged j = judge(&a, "{" EXCHANGE ", " APP ", " OID ", " ROLES "}", "");

    (void)state;
    says(&j,
         "ok   it is of the application 11111111-2222-3333-4444-555555555555; Exchange "
         "knows that by the object id of its enterprise application, "
         "9a2eb150-b93f-575a-b8c6-0d2acee404e0\n");
    free(j.text);
    j = judge(&a,
              "{" EXCHANGE ", " APP ", " OID
              ", \"upn\": \"relay@contoso.com\", " PERMISSIONS "}",
              "");
    assert_null(strstr(j.text, "9a2eb150"));
    free(j.text);
    j = judge(&a, "{" EXCHANGE ", " APP ", \"oid\": \"$(reboot)\", " ROLES "}", "");
    assert_null(strstr(j.text, "reboot"));
    free(j.text);
}

static void
a_person_with_all_permissions(void **state)
{
    struct account a = relay();
    struct judged j;

    (void)state;
    a.grant = GRANT_AUTHORIZATION_CODE;
    j = judge(&a, "{" EXCHANGE ", \"upn\": \"Relay@Contoso.com\", " PERMISSIONS "}",
              "sip");
    assert_int_equal(j.status, 0);
    assert_int_equal(j.warnings, 0);
    says(&j, "ok   it is Relay@Contoso.com's own\n");
    says(&j, "ok   it has the permission SMTP.Send\n");
    says(&j, "ok   it has the permission POP.AccessAsUser.All\n");
    free(j.text);
}

static void
graph_is_named_as_the_usual_mistake(void **state)
{
    static const char *const names[] = {"https://graph.microsoft.com",
                                        "https://graph.microsoft.com/",
                                        "00000003-0000-0000-c000-000000000000"};
    struct account a = relay();

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char claims[400];
        struct judged j;

        snprintf(claims, sizeof claims, "{\"aud\": \"%s\", " BASE ", " ROLES "}",
                 names[i]);
        a.grant = GRANT_CLIENT_CREDENTIALS;
        j = judge(&a, claims, "");
        assert_int_equal(j.status, 78);
        says(&j, "FAIL it is for Microsoft Graph (aud ");
        says(&j, "This is the usual mistake");
        says(&j, "set scope = \"https://outlook.office365.com/.default\"");
        free(j.text);
        a.grant = GRANT_AUTHORIZATION_CODE;
        j = judge(&a, claims, "");
        says(&j, "https://outlook.office.com/SMTP.Send; then: mailbearer login "
                 "relay@contoso.com");
        free(j.text);
    }
}

static void
other_audiences(void **state)
{
    static const char *const good[] = {
        "https://outlook.office.com",   "https://outlook.office.com/",
        "https://outlook.office365.us", "https://outlook-dod.office365.us",
        "https://partner.outlook.cn",   "00000002-0000-0ff1-ce00-000000000000"};
    const struct account a = relay();
    struct judged j;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char claims[400];

        snprintf(claims, sizeof claims, "{\"aud\": \"%s\", " BASE ", " ROLES "}",
                 good[i]);
        j = judge(&a, claims, "");
        assert_int_equal(j.status, 0);
        says(&j, "it is for Exchange");
        free(j.text);
    }
    j = judge(
        &a, "{\"aud\": \"https://outlook.office.com.example\", " BASE ", " ROLES "}", "");
    assert_int_equal(j.status, 0);
    assert_int_equal(j.warnings, 1);
    says(&j, "which is no name of Exchange's that is known here");
    free(j.text);
    j = judge(&a, "{" BASE ", " ROLES "}", "");
    says(&j, "nobody in particular (no aud)");
    free(j.text);
    j = judge(&a, "{\"aud\": [\"https://outlook.office.com\"], " BASE ", " ROLES "}", "");
    says(&j, "it is for Exchange");
    free(j.text);
}

static void
somebody_else_signed_in(void **state)
{
    struct account a = relay();
    struct judged j;

    (void)state;
    a.grant = GRANT_AUTHORIZATION_CODE;
    j = judge(&a, "{" EXCHANGE ", \"upn\": \"bob@contoso.com\", " PERMISSIONS "}", "");
    assert_int_equal(j.status, 0);
    assert_int_equal(j.warnings, 1);
    says(&j, "warn bob@contoso.com signed in, and the mailbox is relay@contoso.com\n");
    says(&j,
         "sign in as relay@contoso.com: mailbearer login relay@contoso.com; or, if it "
         "is the same person, or may open that mailbox: login_hint = bob@contoso.com");
    free(j.text);
    j = judge(&a, "{" EXCHANGE ", \"unique_name\": \"bob@contoso.com\", " PERMISSIONS "}",
              "");
    assert_int_equal(j.warnings, 1);
    free(j.text);
}

static void
a_delegate_may_read_but_not_send(void **state)
{
    static char bob[] = "bob@contoso.com";
    struct account a = relay();
    struct judged j;

    (void)state;
    a.grant = GRANT_AUTHORIZATION_CODE;
    a.login_hint = bob;
    j = judge(&a, "{" EXCHANGE ", \"upn\": \"bob@contoso.com\", " PERMISSIONS "}", "");
    assert_int_equal(j.status, 0);
    assert_int_equal(j.warnings, 1);
    says(&j, "warn bob@contoso.com signed in, for the mailbox relay@contoso.com: SMTP "
             "refuses that\n");
    free(j.text);
}

static void
tenant_and_application(void **state)
{
    static char other[] = "00000000-1111-4222-8333-444455556666", own[] = TENANT;
    static char domain[] = "contoso.onmicrosoft.com", consumers[] = "consumers";
    struct account a = relay();
    struct judged j;

    (void)state;
    a.tenant = other;
    j = judge(&a, "{" EXCHANGE ", " ROLES "}", "");
    assert_int_equal(j.status, 78);
    says(&j, "FAIL it is of the directory " TENANT
             ", the account's tenant is 00000000-1111-4222-8333-444455556666\n");
    free(j.text);
    a.tenant = own;
    j = judge(&a, "{" EXCHANGE ", " ROLES "}", "");
    assert_int_equal(j.status, 0);
    says(&j, "ok   it is of the account's tenant");
    free(j.text);
    a.tenant = domain; /* which directory that is, is not known here */
    j = judge(&a, "{" EXCHANGE ", " ROLES "}", "");
    assert_int_equal(j.status, 0);
    free(j.text);
    a.tenant = consumers;
    j = judge(&a, "{" EXCHANGE ", " ROLES "}", "");
    assert_int_equal(j.status, 78);
    free(j.text);
    a.tenant = NULL;
    j = judge(&a, "{" EXCHANGE ", \"appid\": \"another\", " ROLES "}", "");
    assert_int_equal(j.status, 0);
    says(&j, "warn it was made for the application another, client_id is 11111111-");
    free(j.text);
}

static void
time_is_up_or_not_yet(void **state)
{
    const struct account a = relay();
    struct judged j = judge(&a,
                            "{\"aud\": \"https://outlook.office.com\", \"tid\": \"t\", "
                            "\"exp\": 1799999940, " ROLES "}",
                            "");

    (void)state;
    assert_int_equal(j.status, 75);
    says(&j, "FAIL it ended 60 s ago by this machine's clock\n");
    free(j.text);
    j = judge(&a,
              "{\"aud\": \"https://outlook.office.com\", \"tid\": \"t\", "
              "\"exp\": 1800007200, \"nbf\": 1800003600, " ROLES "}",
              "");
    assert_int_equal(j.status, 75);
    says(&j, "it begins in 60 min only");
    free(j.text);
}

static void
no_roles_is_a_warning(void **state)
{
    const struct account a = relay();
    struct judged j = judge(&a, "{" EXCHANGE "}", "");

    (void)state;
    assert_int_equal(j.status, 0);
    assert_int_equal(j.warnings, 1);
    says(&j, "warn it has no roles: right for Exchange RBAC for applications");
    says(&j, "> SMTP.SendAsApp > Grant admin consent; then: mailbearer token "
             "relay@contoso.com --refresh");
    says(&j, "imap is not tried: the token has no IMAP.AccessAsApp (to insist: --imap)");
    assert_true(j.wanted[PROTOCOL_SMTP]);
    assert_false(j.wanted[PROTOCOL_IMAP]);
    assert_false(j.wanted[PROTOCOL_POP3]);
    free(j.text);
    j = judge(&a, "{" EXCHANGE "}", "i");
    assert_true(j.wanted[PROTOCOL_IMAP]);
    free(j.text);
}

static void
one_role_of_three(void **state)
{
    struct account a = relay();
    struct judged j = judge(&a, "{" EXCHANGE ", \"roles\": [\"SMTP.SendAsApp\"]}", "");

    (void)state;
    assert_int_equal(j.status, 0);
    assert_int_equal(j.warnings, 0);
    assert_false(j.wanted[PROTOCOL_IMAP]);
    free(j.text);
    j = judge(&a, "{" EXCHANGE ", \"roles\": [\"SMTP.SendAsApp\"]}", "i");
    assert_int_equal(j.status, 77);
    says(&j, "FAIL it has no role IMAP.AccessAsApp\n");
    says(&j, "Application permissions > IMAP.AccessAsApp > Grant admin consent");
    assert_true(j.wanted[PROTOCOL_IMAP]);
    free(j.text);
    j = judge(&a, "{" EXCHANGE ", \"roles\": [\"IMAP.AccessAsApp\"]}", "s");
    assert_int_equal(j.status, 0); /* RBAC may be what sends */
    says(&j, "warn it has no role SMTP.SendAsApp\n");
    free(j.text);
    a.provider.name = hve;
    j = judge(&a, "{" EXCHANGE ", \"roles\": [\"SMTP.SendAsApp\"]}", "s");
    assert_int_equal(j.status, 77);
    says(&j, "FAIL it has no role Mail.Send\n");
    free(j.text);
}

static void
permissions_that_are_missing(void **state)
{
    struct account a = relay();
    struct judged j;

    (void)state;
    a.grant = GRANT_AUTHORIZATION_CODE;
    a.scope = send_scope;
    j = judge(
        &a, "{" EXCHANGE ", \"upn\": \"relay@contoso.com\", \"scp\": \"SMTP.Send\"}", "");
    assert_int_equal(j.status, 0);
    says(&j,
         "imap is not tried: the token has no IMAP.AccessAsUser.All (to insist: --imap)");
    assert_false(j.wanted[PROTOCOL_IMAP]);
    free(j.text);
    j = judge(&a,
              "{" EXCHANGE ", \"upn\": \"relay@contoso.com\", \"scp\": \"SMTP.Send\"}",
              "i");
    assert_int_equal(j.status, 77);
    says(&j, "FAIL it has no permission IMAP.AccessAsUser.All; it has: SMTP.Send\n");
    says(&j, "Delegated permissions > IMAP.AccessAsUser.All; have it in `scope`; then: "
             "mailbearer login relay@contoso.com");
    free(j.text);
    /* asked for in the accounts file, and not there: a part of the word is none */
    j = judge(&a,
              "{" EXCHANGE ", \"upn\": \"relay@contoso.com\", \"scp\": \"SMTP.Sender\"}",
              "");
    assert_int_equal(j.status, 77);
    says(&j, "FAIL it has no permission SMTP.Send; it has: SMTP.Sender\n");
    free(j.text);
}

static void
somebody_elses_token_is_not_judged(void **state)
{
    const struct account a = relay();
    struct judged j = judge(&a, "{\"aud\": \"mail\", \"exp\": 1800003600}", "s");

    (void)state;
    assert_int_equal(j.status, 0);
    assert_int_equal(j.warnings, 0);
    says(&j, "note it is not Entra's: what else is in it is not judged");
    says_not(&j, "aud");
    free(j.text);
    j = judge(NULL, "{" EXCHANGE ", \"upn\": \"relay@contoso.com\", " PERMISSIONS "}",
              "");
    assert_int_equal(j.status, 0); /* an account that only the agent knows */
    free(j.text);
}

static void
nothing_foreign_reaches_the_terminal(void **state)
{
    const struct account a = relay();
    struct judged j = judge(
        &a, "{" EXCHANGE ", \"upn\": \"a\\u001b[2Jb@x\", \"scp\": \"\\n\\u0007\"}", "s");

    (void)state;
    says(&j, "a?[2Jb@x signed in");
    says_not(&j, "\033");
    says_not(&j, "\007");
    free(j.text);
}

/* --- reading ---------------------------------------------------------------------------
 */

static enum claims_kind
kind_of(const char *text)
{
    struct secret token = SECRET_INIT;
    struct json *json = NULL;
    enum claims_kind kind;

    assert_int_equal(secret_append_str(&token, text), 0);
    kind = claims_read(&token, &json);
    assert_int_equal(json != NULL, kind == CLAIMS_READ);
    json_free(&json);
    secret_clear(&token);
    return kind;
}

static void
kinds_of_token(void **state)
{
    (void)state;
    /* {"aud":"a"} */
    assert_int_equal(kind_of("e30.eyJhdWQiOiJhIn0.sig"), CLAIMS_READ);
    assert_int_equal(kind_of("EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA"), CLAIMS_COMPACT);
    assert_int_equal(kind_of("EwA4A+pvBAAU"), CLAIMS_COMPACT);
    assert_int_equal(kind_of("ya29.a0Af"), CLAIMS_GOOGLE);
    assert_int_equal(kind_of("abcdef"), CLAIMS_OPAQUE);
    assert_int_equal(kind_of(""), CLAIMS_OPAQUE);
    assert_int_equal(kind_of("a.b"), CLAIMS_OPAQUE);
    assert_int_equal(kind_of("a..c"), CLAIMS_OPAQUE);
    assert_int_equal(kind_of("a.!!.c"), CLAIMS_OPAQUE);
    assert_int_equal(kind_of("a.bm90IGpzb24.c"), CLAIMS_OPAQUE); /* not json */
    assert_int_equal(kind_of("a.WzFd.c"), CLAIMS_OPAQUE);        /* [1] */
}

static void
a_token_without_end_is_not_looked_into(void **state)
{
    struct secret token = {.max = 400000};
    struct json *json = NULL;

    (void)state;
    assert_int_equal(secret_append_str(&token, "a.eyJhdWQiOiJhIn0."), 0);
    while (token.len <= CLAIMS_MAX)
        assert_int_equal(secret_append_str(&token, "0123456789"), 0);
    assert_int_equal(claims_read(&token, &json), CLAIMS_OPAQUE);
    assert_null(json);
    secret_clear(&token);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_application_with_all_its_roles),
        cmocka_unit_test(the_object_id_of_an_applications_own_token),
        cmocka_unit_test(a_person_with_all_permissions),
        cmocka_unit_test(graph_is_named_as_the_usual_mistake),
        cmocka_unit_test(other_audiences),
        cmocka_unit_test(somebody_else_signed_in),
        cmocka_unit_test(a_delegate_may_read_but_not_send),
        cmocka_unit_test(tenant_and_application),
        cmocka_unit_test(time_is_up_or_not_yet),
        cmocka_unit_test(no_roles_is_a_warning),
        cmocka_unit_test(one_role_of_three),
        cmocka_unit_test(permissions_that_are_missing),
        cmocka_unit_test(somebody_elses_token_is_not_judged),
        cmocka_unit_test(nothing_foreign_reaches_the_terminal),
        cmocka_unit_test(kinds_of_token),
        cmocka_unit_test(a_token_without_end_is_not_looked_into),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
