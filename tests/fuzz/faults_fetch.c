/* faults_fetch.c - mailbearer-fetch's two ends while calls fail: the sign-in at a server
 * that says a script, and the mail program at the local end. */
#include <sys/socket.h>
#include <unistd.h>

#include "../../fetch-helper/local.h"
#include "base/json.h"
#include "faults.h"
#include "mail/sign_in.h"

#define TOKEN "eyJ0eXAiOiJKV1QiCANARYeyJ0eXAiOiJKV1Qi"

struct script {
    struct stream stream;
    const char *text;
    size_t at;
};

static enum stream_result
script_recv(struct stream *stream, char *buf, size_t size, size_t *n_r, struct err *err)
{
    struct script *s = (struct script *)stream;
    size_t left = strlen(s->text + s->at);

    (void)err;
    *n_r = left < size ? left : size;
    memcpy(buf, s->text + s->at, *n_r);
    s->at += *n_r;
    return *n_r > 0 ? STREAM_DONE : STREAM_END;
}

static enum stream_result
script_send(struct stream *stream, const char *buf, size_t len, size_t *n_r,
            struct err *err)
{
    (void)stream;
    (void)buf;
    (void)err;
    *n_r = len;
    return STREAM_DONE;
}

/* True when it signed in, or was refused where the script refuses. */
static bool
sign_in_with(enum wire wire, const char *offer, const char *text, int expect)
{
    struct script s = {{-1, script_recv, script_send}, text, 0};
    struct stream_wait wait = {.stream = &s.stream, .deadline = deadline_in(5000)};
    struct secret token = SECRET_INIT, held = SECRET_INIT;
    struct err err = ERR_INIT;
    struct lineio in;
    struct caps caps;
    const char *mechanism = NULL;
    bool refused = false;
    int r = ERR_NOMEM;

    caps_init(&caps, wire);
    lineio_init(&in, SIGN_IN_LINE_MAX, stream_more, &wait);
    if (wire == WIRE_SMTP)
        caps_line(&caps, "250-first", 9);
    caps_line(&caps, offer, strlen(offer));
    if (secret_append_str(&token, TOKEN) == 0) {
        r = sign_in(&(struct sign_in){.wait = &wait,
                                      .in = &in,
                                      .caps = &caps,
                                      .held = &held,
                                      .host = "mail.test",
                                      .account = "alice",
                                      .user = "alice@b.example",
                                      .secret = &token},
                    &mechanism, &refused, &err);
        fuzz_result(r, &err,
                    MAY(ERR_PERSON) | MAY(ERR_TEMP) | MAY(ERR_PROTOCOL) | MAY(ERR_NOMEM));
        fuzz_not_in(&err, TOKEN, sizeof TOKEN - 1);
        FUZZ_CHECK(!refused || expect == ERR_PERSON); /* no token is called a bad one */
    }
    lineio_clear(&in);
    caps_clear(&caps);
    secret_clear(&held);
    secret_clear(&token);
    return r == expect;
}

static bool
imap(void)
{
    return sign_in_with(WIRE_IMAP, "* CAPABILITY IMAP4rev1 AUTH=XOAUTH2",
                        "+ \r\n* OK [ALERT] soon\r\nM1 OK [CAPABILITY IMAP4rev1] in\r\n",
                        0);
}

static bool
smtp(void)
{
    return sign_in_with(WIRE_SMTP, "250 AUTH XOAUTH2",
                        "334 \r\n235 in\r\n250-mx\r\n250 SIZE 9\r\n", 0);
}

static bool
refused(void)
{
    return sign_in_with(WIRE_SMTP, "250 AUTH XOAUTH2",
                        "334 \r\n334 eyJzdGF0dXMiOiI0MDEifQ==\r\n"
                        "535 5.7.3 Authentication unsuccessful\r\n",
                        ERR_PERSON);
}

/* --- the local end: a client that has said everything already */

static int ends[2] = {-1, -1};

static void
begin_client(const char *text)
{
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    FUZZ_CHECK(write(ends[0], text, strlen(text)) == (ssize_t)strlen(text));
}

static void
begin_imap(void)
{
    begin_client("a CAPABILITY\r\nb LOGIN {2}\r\nme {3}\r\nabc\r\nc SELECT INBOX\r\n");
}

static void
begin_smtp(void)
{
    begin_client("EHLO me\r\nAUTH PLAIN AGEAYg==\r\nMAIL FROM:<>\r\n");
}

static bool
serve(enum wire wire, const char *cap)
{
    struct client client;
    struct secret held = SECRET_INIT;
    struct err err = ERR_INIT;
    struct local local;
    struct caps caps;
    int r;

    caps_init(&caps, wire);
    if (wire == WIRE_SMTP)
        caps_line(&caps, "250-first", 9);
    caps_line(&caps, cap, strlen(cap));
    client_open(&client, ends[1], ends[1]);
    local_init(&local, &client, &caps, &held);
    local.greeting = true;
    r = local_serve(&local, &err);
    if (r != LOCAL_LEFT)
        fuzz_result(r, &err,
                    MAY(ERR_TEMP) | MAY(ERR_PROTOCOL) | MAY(ERR_NOMEM) |
                        MAY(ERR_TIMEOUT));
    local_clear(&local);
    caps_clear(&caps);
    return r == 0;
}

static bool
serve_imap(void)
{
    return serve(WIRE_IMAP, "* CAPABILITY IMAP4rev1 IDLE");
}

static bool
serve_smtp(void)
{
    return serve(WIRE_SMTP, "250 SIZE 9");
}

static void
end_client(bool done)
{
    (void)done;
    close(ends[0]);
    close(ends[1]);
}

static void
nothing(void)
{
}

static void
works(bool done)
{
    (void)done;
    FUZZ_CHECK(imap() && refused());
}

void
fault_setup(const char *dir)
{
    (void)dir;
    json_setup();
}

void
fault_teardown(void)
{
}

const struct fault_scenario fault_scenarios[] = {
    {"sign-in at IMAP", nothing, imap, works},
    {"sign-in at SMTP", nothing, smtp, works},
    {"sign-in refused", nothing, refused, works},
    {"local IMAP", begin_imap, serve_imap, end_client},
    {"local SMTP", begin_smtp, serve_smtp, end_client},
};
const size_t fault_scenario_count = sizeof fault_scenarios / sizeof fault_scenarios[0];
