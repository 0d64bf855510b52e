/* fuzz_arc.c - Azure Arc's challenge, which names a file that is then read and sent. The
 * first byte chooses what is in that file. */
/* link: -Wl,--wrap=file_read_foreign */
#include "fuzz.h"

#include "base/file.h"
#include "oauth/managed_identity.h"

static const char key[] = "CANARY-key-of-the-arc-agent";
static uint8_t content;
static int reads;

int __wrap_file_read_foreign(const char *path, const char *what, size_t max,
                             struct secret *out, struct err *err);

int
__wrap_file_read_foreign(const char *path, const char *what, size_t max,
                         struct secret *out, struct err *err)
{
    size_t n = strlen(path), directory = strlen(ARC_KEY_DIRECTORY);

    (void)what;
    reads++;
    FUZZ_CHECK(max == ARC_KEY_MAX);
    FUZZ_CHECK(n > directory + 4 && memcmp(path, ARC_KEY_DIRECTORY, directory) == 0);
    FUZZ_CHECK(strchr(path + directory, '/') == NULL);
    FUZZ_CHECK(strcmp(path + n - 4, ".key") == 0);
    if (content % 3 == 1)
        return err_set(err, ERR_CONFIG, "cannot open Azure Arc key %s", path);
    fuzz_set(out, key, sizeof key - 1);
    if (content % 3 == 2)
        FUZZ_CHECK(secret_append_str(out, "\r\nX-Injected: yes\r\n") == 0);
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {401, 200, 403};
    struct http_reply reply = {.status = 401};

    content = fuzz_choice(&data, &size);
    if (size >= sizeof reply.www_authenticate)
        size = sizeof reply.www_authenticate - 1;
    memcpy(reply.www_authenticate, data, size);
    for (size_t i = 0; i < 3; i++) {
        struct secret proof = SECRET_INIT;
        struct err err = ERR_INIT;
        int r;

        reply.status = statuses[i];
        reads = 0;
        r = managed_identity_challenge(&reply, &proof, &err);
        FUZZ_CHECK(statuses[i] == 401 || r == ERR_PROTOCOL);
        if (r == ERR_PROTOCOL) { /* no challenge: not a word, and nothing was opened */
            FUZZ_CHECK(err.code == ERR_NONE && reads == 0 && proof.len == 0);
            continue;
        }
        fuzz_result(r, &err, MAY(ERR_CONFIG));
        FUZZ_CHECK(r != 0 || reads == 1);
        if (!fuzz_holds_piece((const char *)data, size, key, sizeof key - 1))
            fuzz_not_in(&err, key, sizeof key - 1);
        if (r == 0)
            FUZZ_CHECK(!secret_has_control(&proof));
        secret_clear(&proof);
    }
    return 0;
}
