"""A new access token for somebody who signed in before."""

from .. import scopes
from ..forms import require


def grant(request):
    """RFC 6749 6; the refresh token is looked at last, so that a request which is wrong in
    itself does not use it up."""
    state, fields = request.state, request.fields
    token = require(fields, "refresh_token")
    if "scope" in fields:
        scopes.delegated(fields["scope"], request.client["delegated"])
    family, replacement = state.tokens.use_refresh(token, request.client_id)
    granted = scopes.delegated(fields.get("scope", family.scope),
                               request.client["delegated"])
    access, life = state.tokens.issue_access(request.tenant, request.client_id,
                                             family.user, granted)
    reply = {"token_type": "Bearer", "scope": granted.told, "expires_in": life,
             "ext_expires_in": life, "access_token": access}
    if replacement is not None:
        reply["refresh_token"] = replacement
    if granted.openid:
        reply["id_token"] = state.tokens.id_token(request.tenant, request.client_id,
                                                  family.user, life)
    return reply
