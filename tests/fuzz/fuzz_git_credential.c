/* fuzz_git_credential.c - what git asks its credential helper. */
#include "fuzz.h"

#include "base/git_credential.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct git_credential request = {SECRET_INIT, SECRET_INIT, SECRET_INIT, SECRET_INIT};
    struct err err = ERR_INIT;
    char *text = fuzz_copy(data, size);
    int r = git_credential_parse(text, size, &request, &err);
    const char *mail;

    fuzz_result(r, &err, MAY(ERR_USAGE));
    if (r == 0) {
        const struct secret *fields[] = {&request.protocol, &request.host,
                                         &request.username, &request.password};

        for (size_t i = 0; i < 4; i++)
            FUZZ_CHECK(fields[i]->len == 0 ||
                       (memchr(fields[i]->data, '\n', fields[i]->len) == NULL &&
                        strlen(fields[i]->data) == fields[i]->len));
        mail = git_credential_mail(&request);
        FUZZ_CHECK(mail == NULL || strlen(mail) <= 4);
        /* a request for a host is for that one */
        if (strcmp(secret_str(&request.host), "mx.b.example:25") == 0)
            FUZZ_CHECK(git_credential_is_host(&request, "mx.b.example"));
        git_credential_is_host(&request, "mx.b.example");
        git_credential_is_host(&request, "::1");
    } else {
        FUZZ_CHECK(request.host.len == 0 && request.password.len == 0);
    }
    git_credential_clear(&request);
    free(text);
    return 0;
}
