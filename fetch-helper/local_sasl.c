/* local_sasl.c - the client's SASL exchanges: taken whatever they hold, or at a gate
 * decoded. See local.h. */
#include <string.h>
#include <strings.h>

#include "../token-helper/base/base64.h"
#include "local.h"

bool
local_word(const char *line, const char *word, const char **rest_r)
{
    size_t n = strlen(word);

    if (strncasecmp(line, word, n) != 0 || (line[n] != '\0' && line[n] != ' '))
        return false;
    *rest_r = line + n + strspn(line + n, " ");
    return true;
}

bool
local_mechanism(const struct local *local, const char *args, const char **initial_r,
                int *messages_r)
{
    static const char *const one[] = {"PLAIN", "XOAUTH2", "OAUTHBEARER"};
    size_t known = local->gate != NULL ? 1 : sizeof one / sizeof one[0];

    *messages_r = 1;
    for (size_t i = 0; i < known; i++)
        if (local_word(args, one[i], initial_r))
            return true;
    *messages_r = 2;
    return local_word(args, "LOGIN", initial_r);
}

/* LOGIN's questions; some clients look at them. */
static const char *
question(int messages, int sent)
{
    if (messages < 2)
        return "";
    return sent == 0 ? "VXNlcm5hbWU6" : "UGFzc3dvcmQ6";
}

void
credentials_clear(struct credentials *c)
{
    secret_clear(&c->name);
    secret_clear(&c->password);
}

/* PLAIN's message: for whom, who, password, with NULs between them (RFC 4616). To act for
 * somebody else is not a thing of a local port. */
static int
split_plain(const struct secret *message, struct credentials *given_r)
{
    const char *for_whom = secret_str(message), *end = for_whom + message->len;
    const char *who = memchr(for_whom, '\0', message->len);
    const char *password = NULL;
    size_t n;
    int r;

    if (who != NULL) {
        who++;
        password = memchr(who, '\0', (size_t)(end - who));
    }
    if (password == NULL)
        return ERR_PROTOCOL;
    n = (size_t)(password - who);
    password++;
    if (for_whom[0] != '\0' && strcmp(for_whom, who) != 0)
        return ERR_PROTOCOL;
    if ((r = secret_set(&given_r->name, who, n)) != 0)
        return r;
    return secret_set(&given_r->password, password, (size_t)(end - password));
}

/* Message number `sent` of the mechanism with so many; "=" is an empty one (RFC 4954).
 * ERR_PROTOCOL: it is none. */
static int
take_message(const char *text, int messages, int sent, struct credentials *given_r)
{
    struct secret bytes = SECRET_INIT;
    int r = base64_decode(text, strcmp(text, "=") == 0 ? 0 : strlen(text), &bytes);

    if (r == 0 && messages == 1)
        r = split_plain(&bytes, given_r);
    else if (r == 0)
        secret_move(sent == 0 ? &given_r->name : &given_r->password, &bytes);
    secret_clear(&bytes);
    return r;
}

int
local_exchange(struct local *local, const char *prompt, const char *initial, int messages,
               struct credentials *given_r, bool *taken_r, struct err *err)
{
    const char *line = initial;
    int r = 0;

    *taken_r = true;
    for (int sent = 0; sent < messages && *taken_r; sent++) {
        if (sent > 0 || initial[0] == '\0') {
            if ((r = local_sayf(local, err, "%s%s\r\n", prompt,
                                question(messages, sent))) != 0 ||
                (r = lineio_line(&local->in, &line, err)) != 0)
                return r;
            *taken_r = strcmp(line, "*") != 0;
        }
        if (!*taken_r || local->gate == NULL)
            continue;
        r = take_message(line, messages, sent, given_r);
        if (r == ERR_NOMEM)
            return err_set(err, r, "out of memory");
        *taken_r = r == 0;
    }
    return 0;
}
