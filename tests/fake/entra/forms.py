"""Strict reading of what a client sends: application/x-www-form-urlencoded, HTTP Basic.

More strict than the service: what is not unreserved must be percent-encoded, so that a
client which forgets to encode is found by any value and not by an unlucky secret.
"""

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from .errors import Refusal

ENCODED = re.compile(rb"(?:[A-Za-z0-9._~*+-]|%[0-9A-Fa-f]{2})*\Z")


def decode_part(raw, what):
    """One name or value, from its encoded bytes."""
    if not ENCODED.match(raw):
        raise Refusal(9002313, "%s is not percent-encoded." % what)
    try:
        return unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal(9002313, "%s is not UTF-8." % what) from None


def parse(raw):
    """The body as a dict; each name once."""
    fields = {}
    if not raw:
        raise Refusal(900144, "'grant_type' is missing.")
    for part in raw.split(b"&"):
        name_raw, equals, value_raw = part.partition(b"=")
        if not equals or not name_raw:
            raise Refusal(9002313, "A part is not name=value.")
        name = decode_part(name_raw, "A name")
        if name in fields:
            raise Refusal(9000411, "It is '%s'." % name)
        fields[name] = decode_part(value_raw, "The value of '%s'" % name)
    return fields


def require(fields, name):
    """The value of a parameter that must be there and not empty."""
    if name not in fields:
        raise Refusal(900144, "'%s' is missing." % name)
    if not fields[name]:
        raise Refusal(90014, "It is '%s'." % name)
    return fields[name]


def basic_credentials(header):
    """(client_id, secret) of an Authorization header, or None when there is none."""
    if header is None:
        return None
    scheme, _, blob = header.partition(" ")
    if scheme.lower() != "basic":
        raise Refusal(9002313, "The Authorization header is not Basic.")
    try:
        pair = base64.b64decode(blob.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(9002313, "The Authorization header is not base64.") from None
    name, colon, secret = pair.partition(b":")
    if not colon:
        raise Refusal(9002313, "The Authorization header holds no colon.")
    # RFC 6749 2.3.1: both are form-encoded before they are joined.
    return decode_part(name, "client_id"), decode_part(secret, "client_secret")
