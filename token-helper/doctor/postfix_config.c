/* postfix_config.c - see postfix_config.h. */
#include "postfix_config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "postfix_words.h"

#define BLANK " \t"

/* Cuts the next line off; NULL at the end. */
static char *
next_line(char **at)
{
    char *line = *at;
    size_t len = strcspn(line, "\n");

    if (line[0] == '\0')
        return NULL;
    *at = line[len] == '\n' ? line + len + 1 : line + len;
    line[len] = '\0';
    return line;
}

/* Cuts the next word off a line; NULL at the end. */
static char *
next_word(char **at)
{
    char *word = *at + strspn(*at, BLANK);
    size_t len = strcspn(word, BLANK);

    if (len == 0)
        return NULL;
    *at = word[len] != '\0' ? word + len + 1 : word + len;
    word[len] = '\0';
    return word;
}

/* "NAME = VALUE", cut in two. */
static bool
cut_setting(char *line, char **name_r, char **value_r)
{
    char *name = line, *equals = strchr(line, '=');
    size_t len;

    if (equals == NULL)
        return false;
    len = (size_t)(equals - line);
    while (len > 0 && strchr(BLANK, name[len - 1]) != NULL)
        len--;
    name[len] = '\0';
    *name_r = name;
    *value_r = equals + 1 + strspn(equals + 1, BLANK);
    return len > 0;
}

/* "SERVICE/TYPE/NAME": cut at the second slash. */
static char *
cut_service(char *name)
{
    char *slash = strchr(name, '/');

    slash = slash != NULL ? strchr(slash + 1, '/') : NULL;
    if (slash == NULL)
        return NULL;
    *slash = '\0';
    return slash + 1;
}

static int
take_settings(struct postfix_config *c, struct secret *text, bool of_services,
              struct err *err)
{
    char *at = text->data, *line, *name, *value;

    while (at != NULL && (line = next_line(&at)) != NULL) {
        struct postfix_setting s = {NULL, NULL, NULL};

        if (!cut_setting(line, &name, &value))
            continue;
        s.service = of_services ? name : NULL;
        s.name = of_services ? cut_service(name) : name;
        s.value = value;
        if (s.name == NULL)
            continue;
        if (c->setting_count == POSTFIX_SETTINGS_MAX)
            return err_set(err, ERR_PROTOCOL, "postconf printed more than %d settings",
                           POSTFIX_SETTINGS_MAX);
        c->settings[c->setting_count++] = s;
    }
    return 0;
}

/* name type private unprivileged chroot wakeup processes command... */
static int
take_services(struct postfix_config *c, struct err *err)
{
    char *at = c->services_text.data, *line;

    while (at != NULL && (line = next_line(&at)) != NULL) {
        char *word[7];
        size_t n = 0;

        while (n < 7 && (word[n] = next_word(&line)) != NULL)
            n++;
        if (n < 7)
            continue;
        if (c->service_count == POSTFIX_SERVICES_MAX)
            return err_set(err, ERR_PROTOCOL, "postconf printed more than %d services",
                           POSTFIX_SERVICES_MAX);
        c->services[c->service_count++] = (struct postfix_service){
            word[0], word[1], word[4], word[6], line + strspn(line, BLANK)};
    }
    return 0;
}

static bool
is_text(const struct secret *s)
{
    return s->len == 0 || memchr(s->data, '\0', s->len) == NULL;
}

int
postfix_config_take(struct postfix_config *c, struct secret *main_text,
                    struct secret *services_text, struct secret *overrides_text,
                    struct err *err)
{
    int r = 0;

    secret_move(&c->main_text, main_text);
    secret_move(&c->services_text, services_text);
    secret_move(&c->overrides_text, overrides_text);
    c->settings = calloc(POSTFIX_SETTINGS_MAX, sizeof *c->settings);
    c->services = calloc(POSTFIX_SERVICES_MAX, sizeof *c->services);
    if (c->settings == NULL || c->services == NULL)
        r = err_set(err, ERR_NOMEM, "out of memory");
    else if (!is_text(&c->main_text) || !is_text(&c->services_text) ||
             !is_text(&c->overrides_text))
        r = err_set(err, ERR_PROTOCOL, "postconf printed a NUL");
    if (r != 0 || (r = take_settings(c, &c->main_text, false, err)) != 0 ||
        (r = take_settings(c, &c->overrides_text, true, err)) != 0 ||
        (r = take_services(c, err)) != 0)
        postfix_config_clear(c);
    return r;
}

void
postfix_config_clear(struct postfix_config *c)
{
    free(c->settings);
    free(c->services);
    c->settings = NULL;
    c->services = NULL;
    c->setting_count = c->service_count = 0;
    secret_clear(&c->main_text);
    secret_clear(&c->services_text);
    secret_clear(&c->overrides_text);
}

/* The last one counts, as in main.cf. */
static const struct postfix_setting *
find(const struct postfix_config *c, const char *service, const char *name)
{
    size_t len = service != NULL ? strlen(service) : 0;

    for (size_t i = c->setting_count; i-- > 0;) {
        const struct postfix_setting *s = &c->settings[i];

        if (strcmp(s->name, name) != 0)
            continue;
        if (service == NULL
                ? s->service == NULL
                : s->service != NULL && strncmp(s->service, service, len) == 0 &&
                      strcmp(s->service + len, "/unix") == 0)
            return s;
    }
    return NULL;
}

const char *
postfix_value(const struct postfix_config *c, const char *service, const char *name)
{
    const struct postfix_setting *s = NULL;

    if (service != NULL)
        s = find(c, service, name);
    if (s == NULL)
        s = find(c, NULL, name);
    return s != NULL ? s->value : "";
}

bool
postfix_is_override(const struct postfix_config *c, const char *service, const char *name)
{
    return service != NULL && find(c, service, name) != NULL;
}

const struct postfix_service *
postfix_service_find(const struct postfix_config *c, const char *name)
{
    for (size_t i = 0; i < c->service_count; i++)
        if (strcmp(c->services[i].name, name) == 0 &&
            strcmp(c->services[i].type, "unix") == 0)
            return &c->services[i];
    return NULL;
}

bool
postfix_service_chrooted(const struct postfix_config *c, const struct postfix_service *s)
{
    if (s->chroot[0] == '-')
        return strtol(postfix_value(c, NULL, "compatibility_level"), NULL, 10) < 1;
    return s->chroot[0] == 'y';
}

bool
postfix_is_yes(const char *value)
{
    return strcasecmp(value, "yes") == 0;
}

bool
postfix_imported(const struct postfix_config *c, const char *name, char *value_r,
                 size_t size)
{
    const char *at = postfix_value(c, NULL, "import_environment"), *word;
    size_t len, name_len = strlen(name);

    while ((word = words_next(&at, &len)) != NULL) {
        if (len <= name_len || strncmp(word, name, name_len) != 0 ||
            word[name_len] != '=' || len - name_len > size)
            continue;
        memcpy(value_r, word + name_len + 1, len - name_len - 1);
        value_r[len - name_len - 1] = '\0';
        return true;
    }
    return false;
}
