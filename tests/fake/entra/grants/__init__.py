"""One module a grant; each has grant(request) and raises Refusal.

A request (see ../endpoint.py) has: state, where, tenant, client_id, client, fields. What a
grant returns is the successful reply as a dict. To add one: write the module, name it here.
"""

from . import authorization_code, client_credentials, device_code, refresh_token

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"

GRANTS = {
    "authorization_code": authorization_code.grant,
    "client_credentials": client_credentials.grant,
    "refresh_token": refresh_token.grant,
    DEVICE_CODE: device_code.grant,
}
