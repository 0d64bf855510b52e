/* claims.c - see claims.h, patient.h. */
#include "claims.h"

#include <stdio.h>
#include <string.h>

#include "../base/wallclock.h"
#include "../oauth/crypto.h"
#include "patient.h"

enum claims_kind
claims_read(const struct secret *token, struct json **json_r)
{
    struct secret payload = {.max = CLAIMS_MAX};
    const char *text = secret_str(token);
    const char *start = strchr(text, '.');
    enum claims_kind kind = CLAIMS_OPAQUE;

    if (strncmp(text, "EwA", 3) == 0 || strncmp(text, "EwB", 3) == 0)
        return CLAIMS_COMPACT;
    if (strncmp(text, "ya29.", 5) == 0)
        return CLAIMS_GOOGLE;
    /* header.payload.signature; an encrypted one (RFC 7516) has five parts */
    if (token->len <= CLAIMS_MAX && start != NULL && strchr(start + 1, '.') != NULL &&
        crypto_base64url_decode(start + 1, strcspn(start + 1, "."), &payload) == 0 &&
        json_parse(secret_str(&payload), payload.len, json_r, NULL) == 0)
        kind = CLAIMS_READ;
    secret_clear(&payload);
    return kind;
}

bool
claims_are_microsofts(const struct json *json)
{
    return json_get_string(json, "tid") != NULL;
}

static void
tell_opaque(struct patient *p, enum claims_kind kind)
{
    switch (kind) {
    case CLAIMS_COMPACT:
        report_note(p->report, "not looked into: tokens of personal Microsoft accounts "
                               "are opaque");
        break;
    case CLAIMS_GOOGLE:
        report_note(p->report, "not looked into: Google's tokens are opaque");
        break;
    case CLAIMS_OPAQUE:
        report_note(p->report, "not looked into: this provider's token is opaque");
        break;
    case CLAIMS_READ:
        break;
    }
}

static const char *
mailbox(const struct patient *p)
{
    for (size_t i = 0; i < PROTOCOL_COUNT; i++)
        if (p->mail[i].server.host != NULL)
            return p->mail[i].server.user;
    return p->account != NULL ? p->account->user : PATIENT_NAME(p);
}

void
claims_check(struct patient *p)
{
    struct json *json = NULL;
    struct claims_question q = {
        .account = p->account, .user = mailbox(p), .now = wallclock_now()};
    enum claims_kind kind;

    if (p->token.len == 0 || patient_has_password(p))
        return;
    report_check(p->report, "token");
    if ((kind = claims_read(&p->token, &json)) != CLAIMS_READ) {
        p->microsoft = p->microsoft || kind == CLAIMS_COMPACT;
        tell_opaque(p, kind);
        return;
    }
    if (claims_object_id(json) != NULL)
        snprintf(p->object_id, sizeof p->object_id, "%s", claims_object_id(json));
    q.json = json;
    for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
        q.asked[i] = p->mail[i].asked;
        q.wanted[i] = p->mail[i].wanted;
    }
    p->microsoft = p->microsoft || claims_are_microsofts(json);
    claims_judge(&q, p->report);
    for (size_t i = 0; i < PROTOCOL_COUNT; i++)
        p->mail[i].wanted = q.wanted[i];
    json_free(&json);
}
