"""The tokens that somebody who has just signed in gets, by code or by device code."""

from . import scopes


def first_tokens(request, signed):
    """`signed` is a Code or a Device: user, scope, platform, nonce, offline, family."""
    tokens = request.state.tokens
    scope = request.fields.get("scope", signed.scope)
    granted = scopes.for_user(request.where.cloud, scope, request.client)
    reply = user_reply(request, signed.user, granted, signed.scope, signed.nonce)
    if signed.offline:
        signed.family = tokens.new_family(request.client_id, signed.user, signed.scope,
                                          signed.platform)
        reply["refresh_token"] = tokens.add_refresh(signed.family)
    return reply


def user_reply(request, user, granted, asked_for, nonce=None):
    """The reply's fields but the refresh token."""
    tokens = request.state.tokens
    access, life = tokens.issue_access(request.tenant, request.client_id, user, granted)
    reply = {"token_type": "Bearer", "scope": granted.told, "expires_in": life,
             "access_token": access}
    if not request.where.plain:
        reply["ext_expires_in"] = life
    if "openid" in asked_for.split():
        reply["id_token"] = tokens.id_token(request, user, asked_for.split(), life, nonce)
    return reply
