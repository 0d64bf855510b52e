"""One module a grant; each has grant(request) and raises Refusal.

A request (see ../endpoint.py) has: state, tenant, client_id, client, fields. What a grant
returns is the successful reply as a dict. To add one: write the module, name it here.
"""

from . import client_credentials, refresh_token

GRANTS = {
    "client_credentials": client_credentials.grant,
    "refresh_token": refresh_token.grant,
}
