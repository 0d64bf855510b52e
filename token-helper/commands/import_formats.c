/* import_formats.c - see import_formats.h. */
#include "import_formats.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/json.h"

static const struct format {
    const char *name;
    const char *user_key; /* of a JSON object; NULL: the file is one line */
} formats[] = {[IMPORT_SASL_XOAUTH2] = {"sasl-xoauth2", "user"},
               [IMPORT_MUTT_OAUTH2] = {"mutt_oauth2", "email"},
               [IMPORT_REFRESH_TOKEN] = {"refresh-token", NULL}};

enum import_format
import_format_from_name(const char *name)
{
    for (size_t i = 0; i < IMPORT_FORMAT_COUNT; i++)
        if (strcmp(formats[i].name, name) == 0)
            return (enum import_format)i;
    return IMPORT_FORMAT_COUNT;
}

void
imported_clear(struct imported *imported)
{
    secret_clear(&imported->refresh_token);
    free(imported->user);
    free(imported->client_id);
    imported->user = imported->client_id = NULL;
}

static int
parse_line(const struct secret *text, const char *name, struct imported *imported,
           struct err *err)
{
    size_t n = 0;

    /* not strcspn(): a NUL in the line must be seen and refused */
    while (n < text->len && text->data[n] != '\r' && text->data[n] != '\n')
        n++;
    if (n == 0) {
        err_set(err, ERR_CONFIG, "%s holds no refresh token", name);
        err_hint(err, "give the refresh token alone, on one line");
        return ERR_CONFIG;
    }
    return secret_set(&imported->refresh_token, text->data, n) == 0
               ? 0
               : err_set(err, ERR_NOMEM, "out of memory");
}

/* OpenPGP, armoured or binary (RFC 9580 4.2: a packet's first byte has the high bit set),
 * and age, in both its forms: what mutt_oauth2's users encrypt with. No JSON text begins
 * so. */
static bool
looks_encrypted(const struct secret *text)
{
    static const char *const beginnings[] = {"-----BEGIN PGP MESSAGE-----",
                                             "-----BEGIN AGE ENCRYPTED FILE-----",
                                             "age-encryption.org/", "Salted__"};

    if (text->len > 0 && ((unsigned char)text->data[0] & 0x80) != 0)
        return true;
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
        if (strncmp(secret_str(text), beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

static int
copy(const struct json *json, const char *key, char **copy_r)
{
    const char *text = json_get_string(json, key);

    if (text == NULL || text[0] == '\0')
        return 0;
    return (*copy_r = strdup(text)) != NULL ? 0 : ERR_NOMEM;
}

static int
parse_json(const struct format *format, const struct secret *text, const char *name,
           struct imported *imported, struct err *err)
{
    struct json *json = NULL;
    struct err why = ERR_INIT;
    const char *token;
    int r = json_parse(secret_str(text), text->len, &json, &why);

    if (r == ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (r != 0 && looks_encrypted(text)) {
        err_set(err, ERR_CONFIG, "%s is encrypted", name);
        err_hint(err,
                 "name the program that decrypts it: mailbearer import --decrypt 'gpg "
                 "--decrypt' ...");
        return ERR_CONFIG;
    }
    if (r != 0) {
        err_set(err, ERR_CONFIG, "%s is not a token file of %s: %s", name, format->name,
                why.text);
        err_hint(err, "see which format it has: mailbearer import --help");
        return ERR_CONFIG;
    }
    token = json_get_string(json, "refresh_token");
    if (token == NULL || token[0] == '\0') {
        r = err_set(err, ERR_CONFIG, "%s holds no refresh token", name);
        err_hint(err, "sign in with %s first, or with mailbearer itself", format->name);
    } else if (secret_set(&imported->refresh_token, token, strlen(token)) != 0 ||
               copy(json, format->user_key, &imported->user) != 0 ||
               copy(json, "client_id", &imported->client_id) != 0) {
        r = err_set(err, ERR_NOMEM, "out of memory");
    }
    json_free(&json);
    return r;
}

int
import_parse(enum import_format format, const struct secret *text, const char *name,
             struct imported *imported_r, struct err *err)
{
    struct imported imported = IMPORTED_INIT;
    int r = formats[format].user_key == NULL
                ? parse_line(text, name, &imported, err)
                : parse_json(&formats[format], text, name, &imported, err);

    if (r == 0 && secret_has_control(&imported.refresh_token)) {
        r = err_set(err, ERR_CONFIG, "the refresh token holds a control character");
        err_hint(err, "see whether %s is what it should be", name);
    }
    if (r != 0) {
        imported_clear(&imported);
        return r;
    }
    imported_clear(imported_r);
    *imported_r = imported;
    return 0;
}

int
import_check(const struct imported *imported, const struct account *account,
             struct err *err)
{
    if (imported->client_id != NULL && account->client_id != NULL &&
        strcasecmp(imported->client_id, account->client_id) != 0) {
        err_set(err, ERR_CONFIG,
                "%s:%d: the refresh token belongs to client_id %s, the account has %s",
                account->file, account->line, imported->client_id, account->client_id);
        err_hint(err, "set client_id = \"%s\" in the account's section, or sign in anew",
                 imported->client_id);
        return ERR_CONFIG;
    }
    if (imported->user != NULL && strcasecmp(imported->user, account->user) != 0 &&
        strcasecmp(imported->user, account->login_hint) != 0) {
        err_set(err, ERR_CONFIG,
                "%s:%d: the refresh token is for %s, and the account is for %s",
                account->file, account->line, imported->user, account->user);
        err_hint(err, "import it into that account, or set login_hint = \"%s\" here",
                 imported->user);
        return ERR_CONFIG;
    }
    return 0;
}
