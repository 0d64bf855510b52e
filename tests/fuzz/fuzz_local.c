/* fuzz_local.c - the mail program at the tunnel's local end, which says the input. The
 * first byte chooses the protocol, whether IMAP greets with a sign-in, and what a gate
 * says. */
#include "fuzz.h"

#include <unistd.h>
#include <sys/mman.h>

#include "../../fetch-helper/failure.h"
#include "../../fetch-helper/local.h"

static const char alert[] = "* OK [ALERT] soon\r\n";
static int out = -1; /* what the client is told; a file in memory never blocks */

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    out = memfd_create("client", MFD_CLOEXEC);
    FUZZ_CHECK(out >= 0);
    return 0;
}

struct talk {
    const char *bytes;
    size_t len, at;
};

static int
more(void *arg, char *buf, size_t size, size_t *n_r, struct err *err)
{
    struct talk *t = arg;
    size_t n = t->len - t->at < size ? t->len - t->at : size;

    (void)err;
    if (n > 7)
        n = 7; /* in pieces */
    if (n > 0)
        memcpy(buf, t->bytes + t->at, n);
    t->at += n;
    *n_r = n;
    return 0;
}

/* What the client was told: whole lines of the protocol. */
static void
check_said(enum wire wire)
{
    char said[65536], *line = said, *end;
    ssize_t n = pread(out, said, sizeof said - 1, 0);

    FUZZ_CHECK(n > 0 && (size_t)n < sizeof said - 1);
    said[n] = '\0';
    FUZZ_CHECK(strlen(said) == (size_t)n);
    for (; *line != '\0'; line = end + 2) {
        end = strstr(line, "\r\n");
        FUZZ_CHECK(end != NULL && end - line < 1000);
        if (wire == WIRE_SMTP)
            FUZZ_CHECK(line[0] >= '2' && line[0] <= '5' &&
                       (line[3] == ' ' || line[3] == '-'));
    }
}

static void
caps_of(struct caps *caps, enum wire wire)
{
    static const char *const lines[][3] = {
        {"* CAPABILITY IMAP4rev1 IDLE AUTH=XOAUTH2", "", ""},
        {"+OK", "UIDL", "SASL XOAUTH2"},
        {"250-first", "250-SIZE 100", "250 AUTH XOAUTH2"}};

    caps_init(caps, wire);
    for (size_t i = 0; i < 3 && lines[wire][i][0] != '\0'; i++)
        caps_line(caps, lines[wire][i], strlen(lines[wire][i]));
}

/* --- a gate: nobody is in without what it says */

static struct gate {
    struct local_gate gate;
    enum gate_answer answer;
    int asked;
    bool in;
} gate;

static enum gate_answer
enter(struct local_gate *unused, const struct secret *name, const struct secret *password,
      struct err *err)
{
    (void)unused;
    FUZZ_CHECK(!gate.gate.needs_tls && !gate.in);
    FUZZ_CHECK(strlen(secret_str(name)) == name->len);
    FUZZ_CHECK(strlen(secret_str(password)) == password->len);
    gate.asked++;
    if (gate.answer == GATE_FAILED)
        err_set(err, ERR_TEMP, "no answer from the server");
    gate.in = gate.answer == GATE_IN;
    return gate.answer;
}

static int
start_tls(struct local_gate *unused, struct err *err)
{
    (void)unused;
    (void)err;
    FUZZ_CHECK(gate.gate.needs_tls);
    gate.gate.needs_tls = false;
    return 0;
}

static void
begin_gate(uint8_t choice)
{
    static const enum gate_answer answers[] = {GATE_IN, GATE_WRONG, GATE_LAST,
                                               GATE_FAILED, GATE_GONE};

    gate = (struct gate){.gate = {.enter = enter, .start_tls = start_tls},
                         .answer = answers[choice % 5]};
    gate.gate.needs_tls = (choice / 5) % 2 == 1;
}

static void
serve(enum wire wire, bool greeting, bool gated, const char *bytes, size_t size)
{
    struct client client = {.in = -1, .out = out};
    struct talk talk = {bytes, size, 0};
    struct secret held = SECRET_INIT;
    struct err err = ERR_INIT;
    struct local local;
    struct caps caps;
    const char *rest;
    size_t len = 0;
    int r;

    FUZZ_CHECK(ftruncate(out, 0) == 0 && lseek(out, 0, SEEK_SET) == 0);
    caps_of(&caps, wire);
    if (wire == WIRE_IMAP)
        fuzz_set(&held, alert, sizeof alert - 1);
    local_init(&local, &client, &caps, &held);
    local.greeting = greeting;
    local.gate = gated ? &gate.gate : NULL;
    local.in.more = more;
    local.in.arg = &talk;
    r = local_serve(&local, &err);
    if (r != LOCAL_LEFT)
        fuzz_result(r, &err, MAY(ERR_PROTOCOL) | (gated ? MAY(ERR_TEMP) : 0));
    FUZZ_CHECK(r != 0 || !gated || gate.in);
    if (size < 2000) /* or there is more said than is looked at */
        check_said(wire);
    rest = lineio_rest(&local.in, &len);
    if (r == 0) /* what is carried on is what the client sent, from a line's beginning */
        FUZZ_CHECK(len <= talk.at && memcmp(rest, bytes + talk.at - len, len) == 0 &&
                   (talk.at == len || bytes[talk.at - len - 1] == '\n'));
    local_clear(&local);
    caps_clear(&caps);
    secret_clear(&held);
}

/* A failure as a greeting: one line of the protocol, not too long for it. */
static void
refuse(enum wire wire, const uint8_t *data, size_t size, int code)
{
    struct err err = ERR_INIT;
    char *text = fuzz_string(data, size), line[FAILURE_MAX];
    size_t n;

    err_from_line(&err, code, text, strlen(text));
    FUZZ_CHECK(failure_line(wire, &err, line) == line);
    n = strlen(line);
    FUZZ_CHECK(n >= 2 && n < FAILURE_MAX && (wire == WIRE_IMAP || n <= 512));
    FUZZ_CHECK(strcmp(line + n - 2, "\r\n") == 0 && strcspn(line, "\r\n") == n - 2);
    for (size_t i = 0; i < n; i++)
        FUZZ_CHECK((unsigned char)line[i] < 0x80);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t choice = fuzz_choice(&data, &size);
    enum wire wire = (enum wire)(choice % 3);
    char *bytes = fuzz_copy(data, size);

    begin_gate(choice / 12);
    serve(wire, (choice / 3) % 2 == 0, (choice / 6) % 2 == 1, bytes, size);
    refuse(wire, data, size, ERR_USAGE + choice % ERR_CONFIG);
    free(bytes);
    return 0;
}
