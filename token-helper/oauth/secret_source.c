/* secret_source.c - see secret_source.h. */
#include "secret_source.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/file.h"
#include "../base/run_program.h"

/* `sh -c command`: no input, its output is the secret. */
static int
run_command(const char *command, struct secret *out, struct err *err)
{
    char sh[] = "/bin/sh", c[] = "-c", *copy = strdup(command);
    char *argv[] = {sh, c, copy, NULL};
    const struct program program = {.argv = argv,
                                    .name = "client_secret_command",
                                    .input = -1,
                                    .output = out,
                                    .deadline_ms = SECRET_COMMAND_MS};
    int r;

    if (copy == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    r = run_program(&program, err);
    free(copy);
    if (r != 0 && err != NULL && err->hint[0] == '\0')
        err_hint(err,
                 "run that command as the state directory's owner and see what it says");
    return r;
}

/* The first line, as for a secret file. */
static int
take_first_line(struct secret *printed, struct secret *secret_r, struct err *err)
{
    size_t n = 0;

    /* not strcspn(): a NUL in the line must be seen and refused */
    while (n < printed->len && printed->data[n] != '\r' && printed->data[n] != '\n')
        n++;
    if (n == 0) {
        err_set(err, ERR_CONFIG, "client_secret_command printed nothing");
        err_hint(err, "it must print the secret as its first line");
        return ERR_CONFIG;
    }
    if (secret_set(secret_r, printed->data, n) != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (secret_has_control(secret_r)) {
        secret_clear(secret_r);
        err_set(err, ERR_CONFIG, "client_secret_command printed a control character");
        err_hint(err, "it must print the secret as one line of plain text");
        return ERR_CONFIG;
    }
    return 0;
}

int
secret_source_read(const struct account *account, struct secret *secret_r,
                   struct err *err)
{
    struct secret printed = {.max = SECRET_COMMAND_MAX};
    int r;

    secret_clear(secret_r);
    if (account->client_secret_file != NULL) {
        r = file_read_secret_line(account->client_secret_file, "client secret", secret_r,
                                  err);
        if (r != 0 && err != NULL && err->hint[0] == '\0')
            err_hint(err, "put the secret there; uid %lu must be able to read it",
                     (unsigned long)geteuid());
        return r;
    }
    if (account->client_secret_command == NULL) {
        r = secret_set(secret_r, account->client_secret.data, account->client_secret.len);
        return r == 0 ? 0 : err_set(err, ERR_NOMEM, "out of memory");
    }
    r = run_command(account->client_secret_command, &printed, err);
    if (r == 0)
        r = take_first_line(&printed, secret_r, err);
    secret_clear(&printed);
    return r;
}
