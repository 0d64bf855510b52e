"""The answer to `has the code been entered?`."""

from ..forms import require
from ..signing_in import first_tokens


def grant(request):
    """RFC 8628 3.4; polling too fast is told before anything else."""
    text = require(request.fields, "device_code")
    return first_tokens(request, request.state.devices.redeem(request, text))
