/* fuzz_claims.c - the claims of an access token, as `doctor` reads them: as a whole
 * token, and as the payload of one. */
#include "fuzz_conf.h"

#include "base/json.h"
#include "doctor/claims.h"
#include "oauth/crypto.h"

static struct accounts *accounts;
static char *said;
static size_t said_len;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_setup();
    accounts = fuzz_accounts(
        "account \"a@b.example\" { client_id = 1 tenant = t }\n"
        "account \"r@b.example\" { grant = client_credentials client_id = 1 tenant = t\n"
        "client_secret = \"CANARY-secret\" }\n");
    return 0;
}

static void
judge(const struct account *account, const struct json *json)
{
    struct claims_question q = {.account = account,
                                .user = "a@b.example",
                                .json = json,
                                .now = INT64_C(1700000000),
                                .asked = {true, false, false},
                                .wanted = {true, true, true}};
    struct report report;
    FILE *out = open_memstream(&said, &said_len);

    FUZZ_CHECK(out != NULL);
    report_begin(&report, out, REPORT_TEXT);
    report_check(&report, "token");
    claims_judge(&q, &report);
    report_end(&report);
    fclose(out);
    for (size_t i = 0; i < said_len; i++) /* a report's lines, and nothing that acts */
        FUZZ_CHECK((unsigned char)said[i] >= 0x20 || said[i] == '\n');
    free(said);
}

static void
look(const struct secret *token)
{
    struct json *json = NULL;
    enum claims_kind kind = claims_read(token, &json);

    FUZZ_CHECK((kind == CLAIMS_READ) == (json != NULL));
    if (json != NULL) {
        (void)claims_are_microsofts(json);
        judge(&accounts->account[0], json);
        judge(&accounts->account[1], json);
        judge(NULL, json);
    }
    json_free(&json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct secret token = SECRET_INIT;

    fuzz_set(&token, data, size);
    look(&token);
    secret_reset(&token);
    FUZZ_CHECK(secret_append_str(&token, "e30.") == 0);
    FUZZ_CHECK(crypto_base64url(data, size, &token) == 0);
    FUZZ_CHECK(secret_append_str(&token, ".c2ln") == 0);
    look(&token);
    secret_clear(&token);
    return 0;
}
