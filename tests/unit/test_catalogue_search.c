/* The text search of the catalogue: log lines, bounces, replies and error bodies as
 * people paste them, and near misses that must find nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "../../token-helper/catalogue/catalogue.h"

#define FOUND_MAX 1024
#define MEGABYTE ((size_t)1024 * 1024)

/* Writes the codes found in `text`, in order, each once, parted by "; ". */
static void
codes_in(const char *text, size_t len, char found[FOUND_MAX])
{
    char *copy = malloc(len ? len : 1); /* exactly its length, for ASan */
    const struct catalogue_entry *entry;
    size_t at = 0;
    size_t from = 0;

    assert_non_null(copy);
    memcpy(copy, text, len);
    found[0] = '\0';
    while ((entry = catalogue_search(copy, len, from, &at)) != NULL) {
        assert_in_range(at, from, len - 1);
        from = at + 1;
        if (strstr(found, entry->code))
            continue;
        assert_in_range(strlen(found) + strlen(entry->code) + 3, 0, FOUND_MAX);
        if (found[0])
            strcat(found, "; ");
        strcat(found, entry->code);
    }
    free(copy);
}

#define assert_finds(text, codes) assert_finds_bytes(text, strlen(text), codes)
#define assert_finds_bytes(text, len, codes)                                             \
    do {                                                                                 \
        char found_[FOUND_MAX];                                                          \
        codes_in(text, len, found_);                                                     \
        assert_string_equal(found_, codes);                                              \
    } while (0)

static void
test_plain_codes(void **state)
{
    (void)state;
    assert_finds("AADSTS7000222", "AADSTS7000222");
    assert_finds("aadsts7000222", "AADSTS7000222");
    assert_finds("7000222", "AADSTS7000222");
    assert_finds(" \t7000222\r\n", "AADSTS7000222");
    assert_finds("535 5.7.3", "535 5.7.3");
    assert_finds("5.7.3", "535 5.7.3");
    assert_finds("5.7.139", "535 5.7.139");
    assert_finds("#5.7.60", "550 5.7.60");
    assert_finds("invalid_grant", "error=invalid_grant");
    assert_finds("HTTP 429", "HTTP 429");
}

static void
test_error_bodies_of_entra(void **state)
{
    (void)state;
    assert_finds(
        "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000222: The "
        "provided client secret keys are expired.\\r\\nTrace ID: 4f\",\"error_codes\":"
        "[7000222],\"error_uri\":"
        "\"https://login.microsoftonline.com/error?code=7000222\"}",
        "error=invalid_client; AADSTS7000222");
    assert_finds(
        "{\"error\" : \"invalid_grant\", \"suberror\": \"consent_required\"}",
        "error=invalid_grant; error=consent_required / suberror=consent_required");
    assert_finds("\"error_codes\": [50076]", "AADSTS50076");
    assert_finds("https://login.microsoftonline.com/error?code=65001", "AADSTS65001");
    assert_finds("\"error_description\":\"\\nAADSTS50057\"", "AADSTS50057");
    assert_finds("?error=access_denied&error_description=see%20AADSTS65004%3a+no",
                 "error=access_denied; AADSTS65004");
}

static void
test_postfix_log_lines(void **state)
{
    (void)state;
    assert_finds(
        "Nov 21 10:00:00 mx postfix/smtp[4711]: 4BDcq12: to=<bob@example.com>, "
        "relay=smtp.office365.com[192.0.2.4]:587, delay=5.7, delays=0/0/5.7/0, "
        "dsn=4.7.3, status=deferred (SASL authentication failed; server "
        "smtp.office365.com[192.0.2.4] said: 535 5.7.3 Authentication unsuccessful "
        "[AM0PR01CA0123.prod.outlook.com 2026-11-21T10:00:00.123Z 08DE12345678])",
        "535 5.7.3");
    assert_finds(
        "dsn=5.2.252, status=bounced (host smtp.office365.com[192.0.2.4] said: 550 "
        "5.2.252 Sender throttled due to continuous send as denied errors. (in reply "
        "to end of DATA command))",
        "550 5.2.252");
    assert_finds(
        "status=deferred (SASL authentication failed; cannot authenticate to server "
        "smtp.office365.com[192.0.2.4]: no mechanism available)",
        "No worthy mechs found");
}

/* Bounces are folded after about 70 characters, with or without a margin, and quoted. */
static void
test_folded_bounces(void **state)
{
    (void)state;
    assert_finds(
        "<bob@example.com>: host smtp.office365.com[192.0.2.4] said: 535\n    5.7.139 "
        "Authentication unsuccessful, SmtpClientAuthentication is disabled\n    for the "
        "Tenant. Visit https://aka.ms/smtp_auth_disabled",
        "535 5.7.139 SmtpClientAuthentication is disabled for the Tenant");
    assert_finds(
        "said: 550 5.7.60 SMTP; Client does not have\r\n\tpermissions to send as this "
        "sender",
        "550 5.7.60");
    assert_finds(
        "> 535 5.7.139 Authentication unsuccessful, basic\n>  authentication is\n> > "
        "disabled.",
        "535 5.7.139 ... basic authentication is disabled");
    assert_finds(
        "Diagnostic-Code: smtp; 554 5.2.252\n SendAsDenied; a@example.com not allowed",
        "554 5.2.252 SendAsDenied");
    assert_finds("* BAD User is\nauthenticated but\nnot connected.",
                 "BAD User is authenticated but not connected.");
}

static void
test_replies_of_several_lines(void **state)
{
    (void)state;
    assert_finds(
        "535-5.7.8 Username and Password not accepted. For more information, go to\r\n"
        "535 5.7.8  https://support.google.com/mail/?p=BadCredentials",
        "535 5.7.8");
    assert_finds("{\"reply\":\"\\n535 5.7.3 Authentication unsuccessful\"}", "535 5.7.3");
}

static void
test_the_most_specific_row_wins(void **state)
{
    (void)state;
    assert_finds("535 5.7.139 Authentication unsuccessful, account locked.",
                 "535 5.7.139 ... account locked");
    assert_finds("535 5.7.139 Authentication unsuccessful, new words", "535 5.7.139");
    assert_finds("451 5.7.3 STARTTLS is required to send mail",
                 "451 5.7.3 STARTTLS is required to send mail");
    assert_finds("550 5.2.252 Sender throttled", "550 5.2.252");
    assert_finds("554 5.2.252 SendAsDenied", "554 5.2.252 SendAsDenied");
    assert_finds("+ eyJzdGF0dXMiOiI0MDEifQ==\r\nA1 NO failed", "+ <base64 JSON>");
    assert_finds("+ eyJzdGF0dXMiOiI0MDEifQ==\r\n-ERR failed", "+ <base64 JSON> ... -ERR");
}

/* The words behind one code are not taken for another's. */
static void
test_words_belong_to_the_code_before_them(void **state)
{
    char far[600];

    (void)state;
    assert_finds(
        "535 5.7.139 one thing\n535 5.7.139 Authentication unsuccessful, account locked.",
        "535 5.7.139; 535 5.7.139 ... account locked");
    snprintf(far, sizeof(far), "535 5.7.139 %380s account locked", "x");
    assert_finds(far, "535 5.7.139 ... account locked");
    snprintf(far, sizeof(far), "535 5.7.139 %500s account locked", "x");
    assert_finds(far, "535 5.7.139");
    assert_finds("535 5.7.139 unaccount locked", "535 5.7.139");
    snprintf(far, sizeof(far), "A1 NO AUTHENTICATE%200s failed.", "");
    assert_finds(far, "NO AUTHENTICATE failed.");
    snprintf(far, sizeof(far), "A1 NO AUTHENTICATE%300s failed.", "");
    assert_finds(far, "");
}

static void
test_several_errors_in_order_of_the_text(void **state)
{
    (void)state;
    assert_finds("AADSTS700082 then 535 5.7.3, again AADSTS700082, then A1 NO "
                 "AUTHENTICATE failed.",
                 "AADSTS700082; 535 5.7.3; NO AUTHENTICATE failed.");
}

static void
test_near_misses_find_nothing(void **state)
{
    static const char *const nothing[] = {
        "",
        "hello, all is well",
        "AADSTS",
        "AADSTS999999999999999999999999",
        "AADSTS4295017296", /* 50000 in its low 32 bits */
        "AADSTS7000223",    /* no such number */
        "AADSTS70000820",   /* 70008 and 700082 are known */
        "AADSTS700082x",
        "xAADSTS700082",
        "my_AADSTS700082",
        "AADSTS 700082",
        "7000222 and more", /* a number is a code only when alone */
        "code 7000222",
        "27000222",
        "535 5.7.31", /* 5.7.3 and 5.7.30 are known */
        "535 5.7.3000",
        "535 15.7.3",
        "535 5.7.3.1",
        "[1.5.7.3]",
        "[5.7.3.4]",
        "1535 4.7.3",
        "5.7.605 and 5.7.650", /* the block list is 5.7.606 to 5.7.649 */
        "5.7.6061",
        "5.7.99999999999606",
        "550 5.2.256",
        "4.7.499 4.7.700",
        "postfix/5.1.8",
        "linux-5.7.8",
        "linux 5.7.8-amd64",
        "250 2.0.0 Ok: queued as 12345",
        "235 2.7.0 Authentication successful",
        "invalid_grants",
        "my_invalid_grant",
        "invalid grant",
        "this_identifier_is_much_longer_than_any_name_of_an_error_invalid_grant",
        "HTTP 404",
        "HTTP 42999",
        "HTTP/1.1 4290",
        "HTTP 5000",
        "AUTHENTICATE failedly",
        "REAUTHENTICATE failed",
        "5.2.252", /* 550 and 554 mean different things */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
        char found[FOUND_MAX];

        codes_in(nothing[i], strlen(nothing[i]), found);
        if (found[0])
            fail_msg("\"%s\" finds %s", nothing[i], found);
    }
}

static void
test_any_bytes(void **state)
{
    (void)state;
    assert_finds_bytes("\0\0AADSTS7000222\0\0", 17, "AADSTS7000222");
    assert_finds_bytes("535\0 5.7.3", 10, "535 5.7.3");
    assert_finds_bytes("AADSTS\0"
                       "7000222",
                       14, "");
    assert_finds_bytes("535 5.7\0.3", 10, "");
    assert_finds_bytes("\xff\xfe"
                       "535 5.7.3\xc2\xa0",
                       13, "535 5.7.3");
    assert_finds_bytes("invalid_grant\0x", 15, "error=invalid_grant");
    assert_finds_bytes("7000222\0", 8, "");
}

static void
test_where_it_was_found_and_where_to_begin(void **state)
{
    static const char text[] = "x AADSTS50000 y 535 5.7.3 z";
    size_t at = 99;

    (void)state;
    assert_string_equal(catalogue_search(text, strlen(text), 0, &at)->code,
                        "AADSTS50000");
    assert_int_equal(at, 2);
    assert_string_equal(catalogue_search(text, strlen(text), 2, &at)->code,
                        "AADSTS50000");
    assert_int_equal(at, 2);
    assert_string_equal(catalogue_search(text, strlen(text), 3, &at)->code, "535 5.7.3");
    assert_int_equal(at, 16);
    /* Behind the reply code its status code does not count a second time. */
    at = 99;
    assert_null(catalogue_search(text, strlen(text), 17, &at));
    assert_null(catalogue_search(text, strlen(text), 20, &at));
    assert_null(catalogue_search(text, strlen(text), strlen(text), &at));
    assert_null(catalogue_search(text, strlen(text), strlen(text) + 5, &at));
    assert_int_equal(at, 99);
}

/* CPU seconds to find everything in `len` bytes of `piece` over and over. */
static double
cpu_seconds(const char *piece, size_t len)
{
    char *text = malloc(len);
    size_t step = strlen(piece);
    struct timespec a, b;
    size_t at = 0;

    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        text[i] = piece[i % step];
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    for (size_t from = 0; catalogue_search(text, len, from, &at); from = at + 1)
        ;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    free(text);
    return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

/* Eight times the text takes about eight times as long; 64 times would be the square. The
 * bar is relative, so that it holds under sanitizers and valgrind too. */
static void
test_time_grows_with_the_length_only(void **state)
{
    static const char *const pieces[] = {
        "AADSTS70008 ",
        "+ eyj",
        "535 5.7.139 ",
        "5.7.139. x",
        "5 ",
        "1",
        " ",
        "[",
        "_",
        "535    ",
        "5.7.139 ",
        "a_a ",
        "-ERR ",
        "554 5.2.0 x",
        "\\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        double small = cpu_seconds(pieces[i], MEGABYTE / 32);
        double large = cpu_seconds(pieces[i], MEGABYTE / 4);

        if (large > 24 * small + 0.2)
            fail_msg("\"%s\": %.3f s, then %.3f s", pieces[i], small, large);
    }
}

/* Bytes drawn from an alphabet that makes codes likely. With ASan this finds reads beyond
 * the text; without it, that `at` stays inside and every search ends. */
static void
test_noise(void **state)
{
    static const char alphabet[] = "5.73 24190-#AaDdSsTt_[]+eyJ\n\\>\"\0\xff";
    uint32_t x = 2463534242u;
    char text[300];
    char found[FOUND_MAX];

    (void)state;
    for (int round = 0; round < 3000; round++) {
        size_t len = 0;

        for (len = 0; len < sizeof(text) && (len < 5 || x % 257 != 0); len++) {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            text[len] = alphabet[x % (sizeof(alphabet) - 1)];
        }
        codes_in(text, len, found);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_codes),
        cmocka_unit_test(test_error_bodies_of_entra),
        cmocka_unit_test(test_postfix_log_lines),
        cmocka_unit_test(test_folded_bounces),
        cmocka_unit_test(test_replies_of_several_lines),
        cmocka_unit_test(test_the_most_specific_row_wins),
        cmocka_unit_test(test_words_belong_to_the_code_before_them),
        cmocka_unit_test(test_several_errors_in_order_of_the_text),
        cmocka_unit_test(test_near_misses_find_nothing),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_where_it_was_found_and_where_to_begin),
        cmocka_unit_test(test_time_grows_with_the_length_only),
        cmocka_unit_test(test_noise),
    };

    return cmocka_run_group_tests_name("catalogue_search", tests, NULL, NULL);
}
