/* command.c - see command.h. */
#include "command.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "../client/oauth_message.h"

#define TAG "M2"
#define LINES_MAX 1000 /* of one reply */

/* A line of the reply; `last_r` when nothing follows. False: it does not belong to it. */
static bool
is_reply(enum wire wire, const char **line, bool *last_r, bool *yes_r)
{
    const char *text = *line;

    *last_r = true;
    switch (wire) {
    case WIRE_IMAP:
        if (strncmp(text, TAG " ", strlen(TAG " ")) == 0) {
            *line = text + strlen(TAG " ");
            *yes_r = strncasecmp(*line, "OK", 2) == 0;
            return true;
        }
        *yes_r = false; /* it hangs up */
        return strncasecmp(text, "* BYE", 5) == 0;
    case WIRE_POP3:
        *yes_r = text[0] == '+';
        return text[0] == '+' || text[0] == '-';
    case WIRE_SMTP:
        break;
    }
    if (!isdigit((unsigned char)text[0]) || !isdigit((unsigned char)text[1]) ||
        !isdigit((unsigned char)text[2]))
        return false;
    *last_r = text[3] != '-';
    *yes_r = text[0] == '2' || text[0] == '3';
    return true;
}

static void
add_said(const struct command *c, const char *line, char said[COMMAND_SAID_MAX])
{
    char text[OAUTH_REFUSAL_MAX];
    size_t len = strlen(said), n;

    oauth_refusal_text(line, strlen(line), c->secret, text);
    n = strlen(text);
    if (len + n + 2 > COMMAND_SAID_MAX)
        return;
    if (len > 0)
        said[len++] = ' ';
    memcpy(said + len, text, n + 1);
}

static int
read_reply(const struct command *c, bool *yes_r, char said_r[COMMAND_SAID_MAX],
           struct err *err)
{
    const char *line = NULL;
    bool last = false;
    int r;

    for (int i = 0; i < LINES_MAX; i++) {
        r = lineio_line(c->in, &line, err);
        if (r == LINEIO_END)
            return err_set(err, ERR_TEMP, "%s closed the connection", c->host);
        if (r != 0)
            return r;
        if (!is_reply(c->wire, &line, &last, yes_r)) {
            if (c->wire == WIRE_IMAP)
                continue; /* untagged: not the answer */
            return err_set(err, ERR_PROTOCOL, "%s does not answer in %s", c->host,
                           wire_name(c->wire));
        }
        add_said(c, line, said_r);
        if (last)
            return 0;
    }
    return err_set(err, ERR_PROTOCOL, "%s answers without end", c->host);
}

int
command_do(const struct command *c, const char *line, bool *yes_r,
           char said_r[COMMAND_SAID_MAX], struct err *err)
{
    struct secret text = SECRET_INIT;
    int r = ERR_NOMEM;

    said_r[0] = '\0';
    if ((c->wire == WIRE_IMAP && secret_append_str(&text, TAG " ") != 0) ||
        secret_append_str(&text, line) != 0 || secret_append_str(&text, "\r\n") != 0)
        err_set(err, ERR_NOMEM, "out of memory");
    else if ((r = stream_send_all(c->wait, text.data, text.len, err)) == 0)
        r = read_reply(c, yes_r, said_r, err);
    secret_clear(&text);
    return r;
}
