/* local_sasl.c - the client's SASL exchanges, taken whatever they hold. See local.h. */
#include <string.h>
#include <strings.h>

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
local_mechanism(const char *args, const char **initial_r, int *messages_r)
{
    static const char *const one[] = {"PLAIN", "XOAUTH2", "OAUTHBEARER"};

    *messages_r = 1;
    for (size_t i = 0; i < sizeof one / sizeof one[0]; i++)
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

int
local_exchange(struct local *local, const char *prompt, const char *initial, int messages,
               bool *taken_r, struct err *err)
{
    const char *line = NULL;
    int r = 0;

    *taken_r = true;
    for (int sent = initial[0] != '\0' ? 1 : 0; sent < messages && *taken_r; sent++) {
        if ((r = local_sayf(local, err, "%s%s\r\n", prompt, question(messages, sent))) !=
                0 ||
            (r = lineio_line(&local->in, &line, err)) != 0)
            return r;
        *taken_r = strcmp(line, "*") != 0;
    }
    return 0;
}
