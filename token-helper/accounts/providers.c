#include "providers.h"

#include <string.h>

/* Scopes and endpoints of one Microsoft cloud are the same text around two host names. */
#define ENTRA(login)                                                                     \
    .is_microsoft = true,                                                                \
    .authorization_endpoint = "https://" login "/{tenant}/oauth2/v2.0/authorize",        \
    .token_endpoint = "https://" login "/{tenant}/oauth2/v2.0/token",                    \
    .device_authorization_endpoint =                                                     \
        "https://" login "/{tenant}/oauth2/v2.0/devicecode",                             \
    .authorize_extra = "prompt=select_account"
#define DELEGATED(outlook)                                                               \
    "https://" outlook "/SMTP.Send https://" outlook "/IMAP.AccessAsUser.All "           \
    "https://" outlook "/POP.AccessAsUser.All offline_access"
#define APP_ONLY(outlook) "https://" outlook "/.default"

/* Where each fact comes from.
 * Login hosts: Entra documentation, authentication-national-cloud.
 * Paths, {tenant}: Entra documentation, v2-oauth2-auth-code-flow, v2-oauth2-device-code,
 * v2-oauth2-client-creds. There is no revocation endpoint.
 * Global scopes: Exchange documentation, "Authenticate an IMAP, POP or SMTP connection
 * using OAuth": delegated on outlook.office.com, client credentials exactly
 * https://outlook.office365.com/.default.
 * Scopes elsewhere: the cloud's own Outlook host in the global pattern, as programs in
 * the field use it; Microsoft documents none of them. Mail hosts: Microsoft 365 endpoint
 * lists (worldwide, GCC High, DoD, 21Vianet); smtp-mail.outlook.com from "POP, IMAP, and
 * SMTP settings for Outlook.com". */
static const struct provider_preset presets[] = {
    {
        .name = "microsoft", /* also GCC, which lives in the global cloud */
        ENTRA("login.microsoftonline.com"),
        .scope_user = DELEGATED("outlook.office.com"),
        .scope_app = APP_ONLY("outlook.office365.com"),
        .tenant = "organizations",
        .server = {"smtp.office365.com:587 starttls", "outlook.office365.com:993 tls",
                   "outlook.office365.com:995 tls"},
        .min_remaining = PROVIDER_MIN_REMAINING,
    },
    {
        .name = "microsoft-personal", /* outlook.com, hotmail.com, live.com */
        ENTRA("login.microsoftonline.com"),
        .is_personal = true,
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
        ENTRA("login.microsoftonline.us"),
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
        ENTRA("login.microsoftonline.us"),
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
        ENTRA("login.partner.microsoftonline.cn"),
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
        ENTRA("login.microsoftonline.com"),
        .scope_user = "https://outlook.office.com/.default offline_access",
        .scope_app = APP_ONLY("outlook.office.com"),
        .tenant = "organizations",
        .server = {"smtp.hve.mx.microsoft:587 starttls", NULL, NULL},
        .min_remaining = 660,
    },
    {
        /* Google's identity protocol pages; the scope is the only one for IMAP, POP,
         * SMTP, and the device flow refuses it. Without access_type=offline there is no
         * refresh token, without prompt=consent only the first sign-in brings one.
         * Service accounts use an assertion of their own, not client_credentials. */
        .name = "google",
        .authorization_endpoint = "https://accounts.google.com/o/oauth2/v2/auth",
        .token_endpoint = "https://oauth2.googleapis.com/token",
        .device_authorization_endpoint = "https://oauth2.googleapis.com/device/code",
        .revocation_endpoint = "https://oauth2.googleapis.com/revoke",
        .authorize_extra = "access_type=offline&prompt=consent",
        .scope_user = "https://mail.google.com/",
        .server = {"smtp.gmail.com:587 starttls", "imap.gmail.com:993 tls",
                   "pop.gmail.com:995 tls"},
        .min_remaining = PROVIDER_MIN_REMAINING,
    },
    {
        /* fastmail.com/developer/oauth; codes are exchanged where tokens are refreshed.
         */
        .name = "fastmail",
        .authorization_endpoint = "https://api.fastmail.com/oauth/authorize",
        .token_endpoint = "https://api.fastmail.com/oauth/refresh",
        .scope_user = "https://www.fastmail.com/dev/protocol-imap "
                      "https://www.fastmail.com/dev/protocol-pop "
                      "https://www.fastmail.com/dev/protocol-smtp",
        .server = {"smtp.fastmail.com:465 tls", "imap.fastmail.com:993 tls",
                   "pop.fastmail.com:995 tls"},
        .min_remaining = PROVIDER_MIN_REMAINING,
    },
    {
        /* Endpoints and scope as mail programs in the field have them; hosts as Yahoo's
         * help pages give them. */
        .name = "yahoo",
        .authorization_endpoint = "https://api.login.yahoo.com/oauth2/request_auth",
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
