/* fuzz_sign_in.c - the sign-in at a server that says the input, whatever it is asked. The
 * first byte chooses protocol and secret, the second how large the pieces are. */
#include "fuzz.h"

#include <unistd.h>

#include "mail/sign_in.h"

#define TOKEN "eyJ0eXAiOiJKV1QiCANARYeyJ0eXAiOiJKV1Qi"
#define PASSWORD "CANARYabcdefghijklmnop"

/* The server. */
struct script {
    struct stream stream;
    const char *bytes;
    size_t len, at, piece;
    size_t sent; /* bytes it was sent */
    bool line_ended;
};

static enum stream_result
script_recv(struct stream *stream, char *buf, size_t size, size_t *n_r, struct err *err)
{
    struct script *s = (struct script *)stream;
    size_t n = s->len - s->at < s->piece ? s->len - s->at : s->piece;

    (void)err;
    n = n < size ? n : size;
    if (n == 0)
        return STREAM_END;
    memcpy(buf, s->bytes + s->at, n);
    s->at += n;
    *n_r = n;
    return STREAM_DONE;
}

static enum stream_result
script_send(struct stream *stream, const char *buf, size_t len, size_t *n_r,
            struct err *err)
{
    struct script *s = (struct script *)stream;

    (void)err;
    FUZZ_CHECK(len > 0);
    s->sent += len;
    s->line_ended = buf[len - 1] == '\n';
    *n_r = len;
    return STREAM_DONE;
}

static void
offer(struct caps *caps, enum wire wire, bool password)
{
    static const char *const tokens[] = {"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2",
                                         "SASL OAUTHBEARER", "250 AUTH XOAUTH2"};
    static const char *const passwords[] = {"* CAPABILITY AUTH=LOGIN", "SASL PLAIN LOGIN",
                                            "250 AUTH LOGIN"};
    const char *line = password ? passwords[wire] : tokens[wire];

    caps_init(caps, wire);
    if (wire == WIRE_POP3)
        caps_line(caps, "+OK", 3);
    if (wire == WIRE_SMTP)
        caps_line(caps, "250-first", 9);
    caps_line(caps, line, strlen(line));
}

/* What came from the server and goes on to the client, whole lines. */
static void
check_held(const struct secret *held)
{
    FUZZ_CHECK(held->len <= 65536);
    FUZZ_CHECK(held->len == 0 || (held->len >= 4 && memcmp(held->data, "* ", 2) == 0 &&
                                  memcmp(held->data + held->len - 2, "\r\n", 2) == 0));
}

static void
check_end(int r, const struct err *err, const struct script *s, const struct lineio *in,
          bool refused, const struct secret *secret)
{
    size_t len = 0;
    const char *rest = lineio_rest(in, &len);

    fuzz_result(r, err, MAY(ERR_PERSON) | MAY(ERR_TEMP) | MAY(ERR_PROTOCOL));
    fuzz_not_in(err, secret->data, secret->len);
    FUZZ_CHECK(s->line_ended && s->sent < 2000);
    FUZZ_CHECK(!refused || r == ERR_PERSON);
    /* nothing that came is lost, and nothing comes twice */
    FUZZ_CHECK(len <= s->at &&
               (len == 0 || memcmp(rest, s->bytes + s->at - len, len) == 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t choice = fuzz_choice(&data, &size);
    struct script s = {.stream = {-1, script_recv, script_send}};
    struct stream_wait wait = {.stream = &s.stream, .deadline = deadline_in(5000)};
    struct secret secret = SECRET_INIT, held = SECRET_INIT;
    struct err err = ERR_INIT;
    struct lineio in;
    struct caps caps;
    const char *mechanism = NULL;
    bool refused = false, password = (choice / 3) % 2 == 1;
    int r;

    s.piece = (size_t)fuzz_choice(&data, &size) + 1;
    s.bytes = (const char *)data;
    s.len = size;
    fuzz_set(&secret, password ? PASSWORD : TOKEN,
             password ? sizeof PASSWORD - 1 : sizeof TOKEN - 1);
    offer(&caps, (enum wire)(choice % 3), password);
    lineio_init(&in, SIGN_IN_LINE_MAX, stream_more, &wait);
    r = sign_in(&(struct sign_in){.wait = &wait,
                                  .in = &in,
                                  .caps = &caps,
                                  .held = &held,
                                  .host = "mail.test",
                                  .account = "alice",
                                  .user = "alice@b.example",
                                  .secret = &secret,
                                  .password = password},
                &mechanism, &refused, &err);
    check_end(r, &err, &s, &in, refused, &secret);
    FUZZ_CHECK((r == 0) == (mechanism != NULL));
    check_held(&held);
    lineio_clear(&in);
    caps_clear(&caps);
    secret_clear(&secret);
    secret_clear(&held);
    return 0;
}
