/* fuzz_refusal.c - a server's refusal of XOAUTH2 and OAUTHBEARER, and the message that
 * was refused. The input: the token, a newline, the challenge. */
#include "fuzz.h"

#include "client/oauth_message.h"

static void
refusal(const char *challenge, size_t len, const struct secret *token)
{
    static const char instead[] = "(not shown: it repeats the token)";
    char text[OAUTH_REFUSAL_MAX + 1];

    text[OAUTH_REFUSAL_MAX] = 'x';
    FUZZ_CHECK(oauth_refusal_text(challenge, len, token, text) == text);
    FUZZ_CHECK(text[OAUTH_REFUSAL_MAX] == 'x');
    fuzz_plain(text, OAUTH_REFUSAL_MAX);
    if (strcmp(text, instead) != 0)
        FUZZ_CHECK(!fuzz_holds_piece(text, strlen(text), token->data, token->len));
    if (oauth_refusal_is(challenge, len))
        FUZZ_CHECK(memchr(challenge, '{', len) != NULL);
}

/* Three separators, nothing else that ends a field or a line, and the token behind its
 * name. */
static void
build(enum oauth_mech mech, const char *user, const struct secret *token)
{
    struct secret out = SECRET_INIT;
    struct err err = ERR_INIT;
    size_t separators = 0;
    int r = oauth_message_build(mech, user, token, &out, &err);

    fuzz_result(r, &err, MAY(ERR_USAGE));
    fuzz_not_in(&err, secret_str(token), token->len);
    FUZZ_CHECK((r == 0) == (out.len > 0));
    for (size_t i = 0; i < out.len; i++) {
        separators += out.data[i] == '\1';
        FUZZ_CHECK((unsigned char)out.data[i] >= 0x20 || out.data[i] == '\1');
    }
    if (r == 0) {
        FUZZ_CHECK(separators == 3 && out.len > token->len + 16);
        FUZZ_CHECK(memcmp(out.data + out.len - 2, "\1\1", 2) == 0);
        FUZZ_CHECK(memcmp(out.data + out.len - 2 - token->len, token->data, token->len) ==
                   0);
        FUZZ_CHECK(memcmp(out.data, mech == OAUTH_XOAUTH2 ? "user=" : "n,a=",
                          mech == OAUTH_XOAUTH2 ? 5 : 4) == 0);
    }
    secret_clear(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t n = end != NULL ? (size_t)(end - data) : size;
    size_t rest = end != NULL ? size - n - 1 : 0;
    char *challenge = fuzz_copy(end != NULL ? end + 1 : data, rest);
    char *user = fuzz_string((const uint8_t *)challenge, rest);
    struct secret token = SECRET_INIT;

    fuzz_set(&token, data, n);
    if (n > 0)
        refusal(challenge, rest, &token);
    build(OAUTH_XOAUTH2, user, &token);
    build(OAUTH_OAUTHBEARER, user, &token);
    secret_clear(&token);
    free(challenge);
    free(user);
    return 0;
}
