#include "providers.h"

#include <string.h>

/* Scopes and endpoints of one Microsoft cloud are the same text around two host names. */
#define ENTRA_TOKEN(login) "https://" login "/{tenant}/oauth2/v2.0/token"
#define DELEGATED(outlook)                                                               \
    "https://" outlook "/SMTP.Send https://" outlook "/IMAP.AccessAsUser.All "           \
    "https://" outlook "/POP.AccessAsUser.All offline_access"
#define APP_ONLY(outlook) "https://" outlook "/.default"

/* Where each fact comes from:
 *   login hosts        Entra documentation, "National clouds"
 * (authentication-national-cloud). path, {tenant}     Entra documentation,
 * v2-oauth2-auth-code-flow, v2-oauth2-client-creds. scopes, global     Exchange
 * documentation, "Authenticate an IMAP, POP or SMTP connection using OAuth": delegated on
 * outlook.office.com, client credentials exactly https://outlook.office365.com/.default.
 *   mail hosts         Microsoft 365 endpoint lists (worldwide, GCC High, DoD, 21Vianet);
 *                      smtp-mail.outlook.com from "POP, IMAP, and SMTP settings for
 *                      Outlook.com".
 *   scopes elsewhere   the cloud's own Outlook host in the global pattern, as programs in
 * the field use it; Microsoft documents none of them. */
static const struct provider_preset presets[] = {
    {
        .name = "microsoft", /* also GCC, which lives in the global cloud */
        .is_microsoft = true,
        .token_endpoint = ENTRA_TOKEN("login.microsoftonline.com"),
        .scope_user = DELEGATED("outlook.office.com"),
        .scope_app = APP_ONLY("outlook.office365.com"),
        .tenant = "organizations",
        .server = {"smtp.office365.com:587 starttls", "outlook.office365.com:993 tls",
                   "outlook.office365.com:995 tls"},
        .min_remaining = PROVIDER_MIN_REMAINING,
    },
    {
        .name = "microsoft-personal", /* outlook.com, hotmail.com, live.com */
        .is_microsoft = true,
        .is_personal = true,
        .token_endpoint = ENTRA_TOKEN("login.microsoftonline.com"),
        .scope_user = DELEGATED("outlook.office.com"),
        .scope_app =
            NULL, /* nobody administers these mailboxes: no application permission */
        .tenant = "consumers",
        .server = {"smtp-mail.outlook.com:587 starttls", "outlook.office365.com:993 tls",
                   "outlook.office365.com:995 tls"},
        .min_remaining = PROVIDER_MIN_REMAINING,
    },
    {
        .name = "microsoft-gcc-high",
        .is_microsoft = true,
        .token_endpoint = ENTRA_TOKEN("login.microsoftonline.us"),
        .scope_user = DELEGATED("outlook.office365.us"),
        .scope_app = APP_ONLY("outlook.office365.us"),
        .tenant = "organizations",
        /* The endpoint list has outlook.office365.us for submission as well; the name
         * smtp.office365.us is met in the field and can be set with `smtp`. */
        .server = {"outlook.office365.us:587 starttls", "outlook.office365.us:993 tls",
                   "outlook.office365.us:995 tls"},
        .min_remaining = PROVIDER_MIN_REMAINING,
    },
    {
        .name = "microsoft-dod",
        .is_microsoft = true,
        .token_endpoint = ENTRA_TOKEN("login.microsoftonline.us"),
        .scope_user = DELEGATED("outlook-dod.office365.us"),
        .scope_app = APP_ONLY("outlook-dod.office365.us"),
        .tenant = "organizations",
        .server = {"outlook-dod.office365.us:587 starttls",
                   "outlook-dod.office365.us:993 tls",
                   "outlook-dod.office365.us:995 tls"},
        .min_remaining = PROVIDER_MIN_REMAINING,
    },
    {
        .name = "microsoft-china", /* operated by 21Vianet */
        .is_microsoft = true,
        .token_endpoint = ENTRA_TOKEN("login.partner.microsoftonline.cn"),
        .scope_user = DELEGATED("partner.outlook.cn"),
        .scope_app = APP_ONLY("partner.outlook.cn"),
        .tenant = "organizations",
        /* The endpoint list has only *.partner.outlook.cn for submission. */
        .server = {"smtp.partner.outlook.cn:587 starttls", "partner.outlook.cn:993 tls",
                   "partner.outlook.cn:995 tls"},
        .min_remaining = PROVIDER_MIN_REMAINING,
    },
    {
        /* High Volume Email: submission only. It refuses tokens that end soon (5.7.142;
         * 8.5 minutes were too few), hence the longer rest. Scope as seen in the field.
         */
        .name = "microsoft-hve",
        .is_microsoft = true,
        .token_endpoint = ENTRA_TOKEN("login.microsoftonline.com"),
        .scope_user = "https://outlook.office.com/.default offline_access",
        .scope_app = APP_ONLY("outlook.office.com"),
        .tenant = "organizations",
        .server = {"smtp.hve.mx.microsoft:587 starttls", NULL, NULL},
        .min_remaining = 660,
    },
    {
        /* Google's identity protocol pages; the scope is the only one for IMAP, POP,
         * SMTP. Service accounts use an assertion of their own, not client_credentials.
         */
        .name = "google",
        .token_endpoint = "https://oauth2.googleapis.com/token",
        .scope_user = "https://mail.google.com/",
        .server = {"smtp.gmail.com:587 starttls", "imap.gmail.com:993 tls",
                   "pop.gmail.com:995 tls"},
        .min_remaining = PROVIDER_MIN_REMAINING,
    },
    {
        /* fastmail.com/developer/oauth; refresh requests have an endpoint of their own.
         */
        .name = "fastmail",
        .token_endpoint = "https://api.fastmail.com/oauth/refresh",
        .scope_user = "https://www.fastmail.com/dev/protocol-imap "
                      "https://www.fastmail.com/dev/protocol-pop "
                      "https://www.fastmail.com/dev/protocol-smtp",
        .server = {"smtp.fastmail.com:465 tls", "imap.fastmail.com:993 tls",
                   "pop.fastmail.com:995 tls"},
        .min_remaining = PROVIDER_MIN_REMAINING,
    },
    {
        /* Endpoint and scope as mail programs in the field have them; hosts as Yahoo's
         * help pages give them. */
        .name = "yahoo",
        .token_endpoint = "https://api.login.yahoo.com/oauth2/get_token",
        .scope_user = "mail-w",
        .server = {"smtp.mail.yahoo.com:465 tls", "imap.mail.yahoo.com:993 tls",
                   "pop.mail.yahoo.com:995 tls"},
        .min_remaining = PROVIDER_MIN_REMAINING,
    },
};

const struct provider_preset *
provider_presets(size_t *count_r)
{
    *count_r = sizeof(presets) / sizeof(*presets);
    return presets;
}

const struct provider_preset *
provider_preset_find(const char *name)
{
    for (size_t i = 0; i < sizeof(presets) / sizeof(*presets); i++)
        if (strcmp(presets[i].name, name) == 0)
            return &presets[i];
    return NULL;
}
