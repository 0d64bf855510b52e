/* wire.c - see wire.h. */
#include "wire.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {
    [WIRE_IMAP] = "imap", [WIRE_POP3] = "pop3", [WIRE_SMTP] = "smtp"};

const char *
wire_name(enum wire wire)
{
    return names[wire];
}

bool
wire_from_name(const char *name, enum wire *wire_r)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0) {
            *wire_r = (enum wire)i;
            return true;
        }
    return false;
}
