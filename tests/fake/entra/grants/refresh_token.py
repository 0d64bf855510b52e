"""A new access token for somebody who signed in before."""

from .. import scopes
from ..forms import require
from ..signing_in import user_reply


def grant(request):
    """RFC 6749 6; the refresh token is looked at last, so that a request which is wrong in
    itself does not use it up."""
    state, fields, cloud = request.state, request.fields, request.where.cloud
    token = require(fields, "refresh_token")
    if "scope" in fields:
        scopes.for_user(cloud, fields["scope"], request.client)
    family, replacement = state.tokens.use_refresh(token, request.client_id)
    scope = fields.get("scope", family.scope)
    reply = user_reply(request, family.user, scopes.for_user(cloud, scope, request.client),
                       scope)
    if replacement is not None:
        reply["refresh_token"] = replacement
    return reply
