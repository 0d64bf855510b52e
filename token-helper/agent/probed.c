/* probed.c - see probed.h. */
#include "probed.h"

#include <stdlib.h>
#include <string.h>

void
probed_free(struct probed *e)
{
    if (e == NULL)
        return;
    free(e->name);
    free(e->user);
    free(e->host);
    free(e->proxy);
    free(e->ca_file);
    free(e);
}

/* 0 or ERR_NOMEM; a NULL text stays one. */
static int
copy(const char *text, char **copy_r)
{
    return text == NULL || (*copy_r = strdup(text)) != NULL ? 0 : ERR_NOMEM;
}

bool
probed_server(const struct account *a, enum protocol *protocol_r)
{
    static const enum protocol order[] = {PROTOCOL_SMTP, PROTOCOL_IMAP, PROTOCOL_POP3};

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (a->server[order[i]].host != NULL) {
            *protocol_r = order[i];
            return true;
        }
    return false;
}

struct probed *
probed_new(const struct account *a, enum protocol protocol)
{
    static const enum wire wires[] = {[PROTOCOL_SMTP] = WIRE_SMTP,
                                      [PROTOCOL_IMAP] = WIRE_IMAP,
                                      [PROTOCOL_POP3] = WIRE_POP3};
    const struct server *s = &a->server[protocol];
    struct probed *e = calloc(1, sizeof *e);

    if (e == NULL || copy(a->name, &e->name) != 0 || copy(a->user, &e->user) != 0 ||
        copy(s->host, &e->host) != 0 || copy(a->proxy, &e->proxy) != 0 ||
        copy(a->ca_file, &e->ca_file) != 0) {
        probed_free(e);
        return NULL;
    }
    e->wire = wires[protocol];
    e->server = (struct mail_server){.user = e->user,
                                     .host = e->host,
                                     .port = s->port,
                                     .proxy = e->proxy,
                                     .ca_file = e->ca_file,
                                     .starttls = s->security == SECURITY_STARTTLS,
                                     .password = a->grant == GRANT_APP_PASSWORD};
    return e;
}

/* FNV-1a: spreads names evenly, which is all it is for. */
unsigned
probed_slot(const char *name)
{
    unsigned hash = 2166136261u;

    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash % 1000u;
}
