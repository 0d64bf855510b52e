/* test_network_fault.c - what a look at a server found, in words, with what to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/wallclock.h"
#include "doctor/network_fault.h"

static const struct mail_server server = {.user = "relay@contoso.com",
                                          .host = "mail.test"};
static const struct network_place smtp = {.service = "smtp",
                                          .host = "mail.test",
                                          .port = 587,
                                          .account = "relay",
                                          .mail = &server};

static struct err
fault(struct look look)
{
    struct err err = ERR_INIT;

    network_fault(&smtp, &look, &err);
    return err;
}

static void
expect(struct err err, int code, const char *text, const char *hint)
{
    assert_int_equal(err.code, code);
    assert_string_equal(err.text, text);
    assert_string_equal(err.hint, hint);
}

static void
a_certificate_and_the_clock(void **state)
{
    const int64_t now = wallclock_now();
    struct err err;

    (void)state;
    err = fault((struct look){.result = LOOK_UNTRUSTED,
                              .why = "certificate is not yet valid",
                              .begins = INT64_C(4102444800), /* 2100 */
                              .expires = INT64_C(4133980800)});
    assert_non_null(strstr(err.hint, "it begins at 2100-01-01T00:00:00Z only, and this "
                                     "machine's clock shows 20"));
    assert_non_null(strstr(err.hint, "set the clock"));
    err = fault((struct look){.result = LOOK_UNTRUSTED,
                              .why = "certificate has expired",
                              .begins = now - 100,
                              .expires = now - 10});
    expect(err, ERR_TEMP,
           "smtp: the certificate of mail.test is not trusted: certificate has expired",
           "check this machine's clock; else whoever runs mail.test must renew it");
    err = fault((struct look){.result = LOOK_UNTRUSTED,
                              .why = "self-signed certificate",
                              .begins = now - 100,
                              .expires = now + 100});
    assert_non_null(strstr(err.hint, "if that issuer is your own"));
}

static void
a_proxy_is_named(void **state)
{
    (void)state;
    expect(
        fault((struct look){.result = LOOK_PROXY,
                            .proxy = "http://proxy.test:3128",
                            .why = "CONNECT tunnel failed, response 407"}),
        ERR_TEMP,
        "smtp: the proxy does not connect to mail.test port 587 (CONNECT tunnel failed, "
        "response 407)",
        "have the proxy http://proxy.test:3128 let CONNECT to that port pass, without a "
        "sign-in; else correct `proxy`");
    expect(fault((struct look){.result = LOOK_NO_NAME,
                               .proxy = "http://proxy.test:3128",
                               .why = "Could not resolve proxy: proxy.test"}),
           ERR_TEMP, "smtp: name not found (Could not resolve proxy: proxy.test)",
           "check `proxy`, /etc/resolv.conf and the name server");
    expect(fault((struct look){.result = LOOK_NO_NAME, .why = "x"}), ERR_TEMP,
           "smtp: name not found (x)",
           "check the name, /etc/resolv.conf and the name server");
}

/* The reply is the server's: it is no part of a command that people are told to paste. */
static void
a_reply_is_looked_up(void **state)
{
    struct err err;

    (void)state;
    err = fault((struct look){.result = LOOK_REFUSED,
                              .said = "421 4.3.2 Service not active '; reboot; '"});
    assert_int_equal(err.code, ERR_TEMP);
    assert_string_equal(err.text,
                        "smtp: mail.test takes no session: 421 4.3.2 Service not "
                        "active '; reboot; '");
    assert_null(strstr(err.hint, "reboot"));
    assert_non_null(strstr(err.hint, "Nothing to do"));
    err = fault((struct look){.result = LOOK_REFUSED, .said = "554 no"});
    assert_int_equal(err.code, ERR_PERSON);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_and_the_clock),
        cmocka_unit_test(a_proxy_is_named),
        cmocka_unit_test(a_reply_is_looked_up),
    };

    return cmocka_run_group_tests_name("network_fault", tests, NULL, NULL);
}
