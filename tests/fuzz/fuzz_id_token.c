/* fuzz_id_token.c - who signed in: as a whole token, and as the claims of one. */
#include "fuzz.h"

#include "base/json.h"
#include "oauth/crypto.h"
#include "oauth/id_token.h"

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_setup();
    return 0;
}

static void
check_claim(const char *claim)
{
    if (claim != NULL) {
        FUZZ_CHECK(claim[0] != '\0');
        fuzz_plain(claim, strlen(claim) + 1);
    }
}

static void
read_token(const char *token)
{
    struct identity identity = IDENTITY_INIT;
    struct err err = ERR_INIT;
    int r = id_token_read(token, "c-1", &identity, &err);

    fuzz_result(r, &err, MAY(ERR_PROTOCOL));
    fuzz_not_in(&err, token, strlen(token));
    FUZZ_CHECK((r == 0) == (identity_name(&identity) != NULL));
    check_claim(identity.preferred_username);
    check_claim(identity.upn);
    check_claim(identity.email);
    check_claim(identity.sub);
    if (r == 0)
        FUZZ_CHECK(identity_is(&identity, identity_name(&identity)));
    FUZZ_CHECK(!identity_is(&identity, ""));
    identity_clear(&identity);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct secret whole = SECRET_INIT;
    char *token = fuzz_string(data, size);

    read_token(token);
    FUZZ_CHECK(secret_append_str(&whole, "e30.") == 0);
    FUZZ_CHECK(crypto_base64url(data, size, &whole) == 0);
    FUZZ_CHECK(secret_append_str(&whole, ".c2ln") == 0);
    read_token(secret_str(&whole));
    secret_clear(&whole);
    free(token);
    return 0;
}
