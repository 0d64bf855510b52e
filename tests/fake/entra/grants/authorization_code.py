"""The code that the browser brought back."""

from .. import scopes
from ..forms import require
from ..signing_in import first_tokens


def grant(request):
    """RFC 6749 4.1.3, RFC 7636."""
    fields = request.fields
    text, redirect_uri = require(fields, "code"), require(fields, "redirect_uri")
    if "scope" in fields:
        scopes.for_user(request.where.cloud, fields["scope"], request.client)
    return first_tokens(request, request.state.codes.redeem(request, text, redirect_uri))
