/* sign_in_report.c - see sign_in.h: who signed in, for what, until when. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "../base/wallclock.h"
#include "sign_in.h"

/* What tells about the person, or asks for a refresh token, opens no mailbox. */
static bool
is_about_the_person(const char *word, size_t len)
{
    static const char *const words[] = {"openid", "profile", "email", "offline_access"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == len && memcmp(words[i], word, len) == 0)
            return true;
    return false;
}

/* A permission's own name, without the resource: a provider with several names for one
 * resource may answer with another than it was asked with. */
static const char *
last_part(const char *word, size_t *len)
{
    const char *slash = memrchr(word, '/', *len);

    if (slash == NULL || slash + 1 == word + *len)
        return word;
    *len -= (size_t)(slash + 1 - word);
    return slash + 1;
}

static bool
is_granted(const char *granted, const char *word, size_t len)
{
    const char *wanted = last_part(word, &len);

    if (len == 8 && memcmp(wanted, ".default", 8) == 0)
        return true; /* stands for whatever was consented to */
    while (*granted != '\0') {
        size_t n = strcspn(granted, " "), m = n;
        const char *part = last_part(granted, &m);

        if (m == len && strncasecmp(part, wanted, len) == 0)
            return true;
        granted += n;
        granted += strspn(granted, " ");
    }
    return false;
}

/* Prints the words of a list that are about mail; those alone that `granted` lacks when
 * it is given. */
static void
print_words(const char *title, const char *list, const char *granted)
{
    bool any = false;

    while (*list != '\0') {
        size_t n = strcspn(list, " ");

        if (n > 0 && !is_about_the_person(list, n) &&
            (granted == NULL || !is_granted(granted, list, n))) {
            printf("%s%.*s", any ? " " : title, (int)n, list);
            any = true;
        }
        list += n;
        list += strspn(list, " ");
    }
    if (any)
        putchar('\n');
}

void
sign_in_report(const struct sign_in *s)
{
    const struct account *a = s->account;
    const char *who = identity_name(&s->identity);
    char when[WALLCLOCK_TEXT_MAX];

    if (who != NULL)
        printf("%s: %s has signed in.\n", a->name, who);
    else
        printf("%s: signed in; the provider does not tell as whom.\n", a->name);
    if (s->record.scope != NULL) {
        print_words("  for          ", s->record.scope, NULL);
        print_words("  not granted  ", a->scope, s->record.scope);
    } else {
        print_words("  for          ", a->scope, NULL);
    }
    printf("  until        %s, renewed by itself from now on",
           wallclock_text(s->record.expires_at, when));
    if (a->provider.is_microsoft)
        printf(";\n               the sign-in ends after 90 days without use");
    printf("\n  stored in    %s\n", s->store->path);
}
