"""Refusals in Entra's shape.

A refusal is raised as Refusal(number) anywhere below an endpoint; body() makes the JSON
that Entra would send, plain_body() what other providers would. The texts are our own words;
numbers, `error`, `suberror` and HTTP status are the service's.
"""

import time
import uuid

# RFC 8628 3.5; Microsoft publishes no number for it.
SLOW_DOWN = 0


class Refusal(Exception):
    """The token endpoint says no, with an AADSTS number."""

    def __init__(self, number, detail=None):
        super().__init__(number)
        self.number = number
        row = ERRORS.get(number, (400, "invalid_request", "The request was refused.", None))
        self.status, self.error, text, self.suberror = row
        self.text = text if detail is None else "%s %s" % (text, detail)


# number: (HTTP status, error, text, suberror)
ERRORS = {
    # the request itself
    900144: (400, "invalid_request", "The body lacks a required parameter.", None),
    900561: (400, "invalid_request", "This endpoint takes POST requests only.", None),
    9000411: (400, "invalid_request", "A parameter is given twice.", None),
    9002313: (400, "invalid_request", "The request is malformed.", None),
    90013: (400, "invalid_request", "The input is not valid.", None),
    90014: (400, "invalid_request", "A required field is empty.", None),
    90015: (400, "invalid_request", "The request is too long.", None),
    70003: (400, "unsupported_grant_type", "This grant is not supported.", None),
    9001023: (400, "invalid_request", "This grant needs a tenant of its own.", None),
    90002: (400, "invalid_request", "No such tenant.", None),
    90023: (400, "invalid_request", "A parameter has a value nobody knows.", None),
    700051: (400, "unsupported_response_type", "response_type must be 'code'.", None),
    9002325: (400, "invalid_request", "Proof Key for Code Exchange (S256) is needed.",
              None),
    501491: (400, "invalid_request", "The code_challenge has the wrong size.", None),
    # the redirect URI
    50011: (400, "invalid_request", "The redirect URI is not one of the application's.",
            None),
    500113: (400, "invalid_request", "The application has no redirect URI.", None),
    900971: (400, "invalid_request", "No redirect URI was given.", None),
    500112: (400, "invalid_grant", "The redirect URI is not the one that the code was sent "
             "to.", None),
    # codes
    54005: (400, "invalid_grant", "The code was redeemed before.", None),
    700005: (400, "invalid_grant", "The code belongs to another tenant.", None),
    501481: (400, "invalid_grant", "The code_verifier does not match.", None),
    9002326: (400, "invalid_request", "Only a single-page application's code may be "
              "redeemed across origins.", None),
    9002327: (400, "invalid_request", "A single-page application's code may only be "
              "redeemed across origins.", None),
    # device codes
    SLOW_DOWN: (400, "slow_down", "The client asks too often.", None),
    70016: (400, "authorization_pending", "Nobody has entered the code yet.", None),
    70018: (400, "bad_verification_code", "The device code is not known.", None),
    70019: (400, "code_expired", "The device code has expired.", None),
    70020: (400, "expired_token", "The device code has expired.", None),
    90132: (400, "invalid_request", "The device code belongs to another tenant.", None),
    90136: (401, "invalid_client", "Device codes are not for confidential clients.", None),
    65004: (400, "authorization_declined", "The user declined.", None),
    # the client
    700016: (400, "unauthorized_client", "No such application in this tenant.", None),
    900382: (400, "invalid_client", "A confidential client is known in its own cloud only.",
             None),
    50194: (400, "unauthorized_client", "The application belongs to one tenant and cannot "
            "use the shared ones.", None),
    9002331: (400, "invalid_request", "The application is for personal accounts only; use "
              "/consumers.", None),
    9002332: (400, "invalid_request", "The application is for work accounts only; do not "
              "use /consumers.", None),
    7000112: (400, "unauthorized_client", "The application is disabled.", None),
    7000215: (401, "invalid_client", "The client secret is wrong; send the value of "
              "the secret and not its identifier.", None),
    7000216: (401, "invalid_client", "client_assertion or client_secret is needed for "
              "this grant.", None),
    7000218: (401, "invalid_client", "The body must hold client_assertion or "
              "client_secret.", None),
    7000222: (401, "invalid_client", "The client secret has expired.", None),
    700025: (401, "invalid_client", "A public client must send neither client_assertion "
             "nor client_secret.", None),
    700021: (401, "invalid_client", "The client assertion is another application's.", None),
    700023: (401, "invalid_client", "The client assertion's audience is not this endpoint.",
             None),
    700024: (401, "invalid_client", "The client assertion is outside its time range.", None),
    700027: (401, "invalid_client", "The client assertion's signature is not valid.", None),
    70021: (400, "invalid_request", "No federated credential of the application has this "
            "issuer, subject and audience.", None),
    1000502: (401, "invalid_client", "The certificate is outside its own time range.", None),
    9002324: (400, "invalid_request", "There is more than one client credential.", None),
    50013: (401, "invalid_client", "The assertion is not valid.", None),
    50027: (400, "invalid_request", "The token is not a well-formed JWT.", None),
    50012: (401, "invalid_client", "The client could not be authenticated.", None),
    # scope and resource
    70011: (400, "invalid_scope", "The scope is not valid.", None),
    1002012: (400, "invalid_scope", "For client credentials the scope must be a resource "
              "followed by /.default.", None),
    28000: (400, "invalid_scope", "The scope names more than one resource.", None),
    500011: (400, "invalid_resource", "The resource is not known in this tenant.", None),
    # consent and policy
    65001: (400, "invalid_grant", "Nobody has consented to this application.",
            "consent_required"),
    90094: (400, "invalid_grant", "An administrator's consent is needed.",
            "consent_required"),
    50076: (400, "interaction_required", "Another factor is needed to reach the resource.",
            "basic_action"),
    50079: (400, "interaction_required", "The user must enrol another factor.",
            "basic_action"),
    53000: (400, "interaction_required", "The device does not comply with policy.",
            "message_only"),
    53003: (400, "invalid_grant", "Conditional Access refused the token.", "message_only"),
    530036: (400, "invalid_grant", "The sign-in flow of this token is no longer allowed.",
             "message_only"),
    # refresh tokens and users
    70000: (400, "invalid_grant", "The grant is not valid.", "bad_token"),
    700082: (400, "invalid_grant", "The refresh token expired because it was not used for "
             "90 days.", "bad_token"),
    70008: (400, "invalid_grant", "The grant has expired.", "bad_token"),
    70043: (400, "invalid_grant", "The refresh token ended by sign-in frequency policy.",
            "bad_token"),
    50173: (400, "invalid_grant", "The grant was revoked; a fresh sign-in is needed.",
            "bad_token"),
    50057: (400, "invalid_grant", "The user's account is disabled.", "user_disabled"),
    50020: (400, "invalid_grant", "The user belongs to another tenant or identity "
            "provider.", None),
    50034: (400, "invalid_grant", "No such user in this tenant.", None),
    50058: (400, "login_required", "Nobody is signed in, and nobody may be asked.", None),
    50055: (400, "invalid_grant", "The password has expired.", "user_password_expired"),
    50196: (400, "invalid_grant", "The client asks in a loop.", None),
    # the service
    50000: (500, "server_error", "The token could not be issued.", None),
    50033: (503, "temporarily_unavailable", "A passing fault.", None),
    90006: (500, "server_error", "A passing fault at a service behind.", None),
    90024: (429, "temporarily_unavailable", "Too many requests.", None),
    90033: (503, "temporarily_unavailable", "A passing fault at the service.", None),
    90055: (429, "temporarily_unavailable", "Too many requests from this tenant.", None),
}


def plain_body(refusal):
    """RFC 6749 5.2, as other providers send it: no numbers. Some words differ."""
    words = {"authorization_declined": "access_denied", "bad_verification_code":
             "invalid_grant", "code_expired": "expired_token",
             "invalid_resource": "invalid_scope"}
    return {"error": words.get(refusal.error, refusal.error),
            "error_description": refusal.text}


def body(refusal, correlation_id=None):
    """The JSON object of a refusal."""
    if refusal.number == SLOW_DOWN:
        return plain_body(refusal)
    trace = str(uuid.uuid4())
    correlation = correlation_id or str(uuid.uuid4())
    stamp = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
    answer = {
        "error": refusal.error,
        "error_description": "AADSTS%d: %s\r\nTrace ID: %s\r\nCorrelation ID: %s\r\n"
                             "Timestamp: %s" % (refusal.number, refusal.text, trace,
                                                correlation, stamp),
        "error_codes": [refusal.number],
        "timestamp": stamp,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": "https://login.microsoftonline.com/error?code=%d" % refusal.number,
    }
    if refusal.suberror:
        answer["suberror"] = refusal.suberror
    return answer
