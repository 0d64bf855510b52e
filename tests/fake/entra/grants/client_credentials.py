"""The application itself: no user, no refresh token."""

from .. import scopes
from ..directory import SHARED_TENANTS
from ..errors import Refusal
from ..forms import require


def grant(request):
    """RFC 6749 4.4, with Entra's rules."""
    if request.tenant in SHARED_TENANTS:
        raise Refusal(9001023)
    if request.client["public"]:
        # Without a secret there is nothing that proves the application's identity.
        raise Refusal(7000216)
    granted = scopes.app_only(request.where.cloud, require(request.fields, "scope"),
                              request.client)
    token, life = request.state.tokens.issue_access(request.tenant, request.client_id,
                                                    None, granted)
    return {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life,
            "access_token": token}
