/* fuzz_base64.c - base64, and base64url with its own rules, both ways. */
#include "fuzz.h"

#include "base/base64.h"
#include "oauth/crypto.h"

static void
plain(const char *bytes, size_t size)
{
    struct secret text = SECRET_INIT, back = SECRET_INIT;
    int r;

    FUZZ_CHECK(base64_encode(bytes, size, &text) == 0);
    FUZZ_CHECK(text.len == (size + 2) / 3 * 4);
    FUZZ_CHECK(base64_decode(secret_str(&text), text.len, &back) == 0);
    FUZZ_CHECK(back.len == size && (size == 0 || memcmp(back.data, bytes, size) == 0));
    secret_reset(&text);
    secret_reset(&back);
    r = base64_decode(bytes, size, &text);
    FUZZ_CHECK(r == 0 || (r == ERR_PROTOCOL && text.len == 0));
    FUZZ_CHECK(text.len <= size / 4 * 3);
    secret_clear(&text);
    secret_clear(&back);
}

static void
url(const char *bytes, size_t size)
{
    struct secret text = SECRET_INIT, back = SECRET_INIT;

    FUZZ_CHECK(crypto_base64url(bytes, size, &text) == 0);
    FUZZ_CHECK(crypto_base64url_decode(secret_str(&text), text.len, &back) == 0);
    FUZZ_CHECK(back.len == size && (size == 0 || memcmp(back.data, bytes, size) == 0));
    FUZZ_CHECK(strpbrk(secret_str(&text), "+/=") == NULL);
    secret_reset(&back);
    (void)crypto_base64url_decode(bytes, size, &back);
    FUZZ_CHECK(back.len <= size);
    secret_clear(&text);
    secret_clear(&back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);

    plain(bytes, size);
    url(bytes, size);
    free(bytes);
    return 0;
}
