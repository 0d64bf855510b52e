"""Client assertions (RFC 7523 2.2): signed by the client's certificate, or by an external
issuer whose subject the client trusts (workload identity federation).
"""

import base64
import binascii
import json
import time
import uuid

from .errors import Refusal
from .rsa import Key, encode

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SKEW = 300            # seconds that clocks may differ
LIFE_MAX = 3600       # more is a mistake in the client, if not to the service
THUMBPRINTS = {"PS256": ("x5t#S256", "sha256"), "RS256": ("x5t", "sha1")}


def decode_part(text):
    """One part of a JWT: base64url without padding."""
    if "=" in text or "+" in text or "/" in text:
        raise ValueError("not base64url")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)


class Jwt:
    """A JWT taken apart; what it says is not believed yet."""

    def __init__(self, text):
        try:
            self.signed, _, signature = text.rpartition(".")
            head, claims = (json.loads(decode_part(part))
                            for part in self.signed.split("."))
            self.signature = decode_part(signature)
        except (ValueError, binascii.Error):
            raise Refusal(50027) from None
        if not isinstance(head, dict) or not isinstance(claims, dict):
            raise Refusal(50027)
        self.head, self.claims = head, claims

    def text(self, name):
        """A claim that must be a text."""
        value = self.claims.get(name)
        if not isinstance(value, str) or not value:
            raise Refusal(50027, "'%s' is missing." % name)
        return value

    def check_time(self):
        """nbf, exp and how far apart they are."""
        times = [self.claims.get(name) for name in ("nbf", "iat", "exp")]
        if any(type(value) is not int for value in times):
            raise Refusal(50027, "'nbf', 'iat' and 'exp' are integers.")
        now = time.time()
        begin, made, end = times
        if not begin - SKEW <= now < end + SKEW or made > now + SKEW:
            raise Refusal(700024)
        if end <= begin or end - begin > LIFE_MAX:
            raise Refusal(700024, "It lives too long.")


def check(request):
    """The assertion of a request whose client is known; raises Refusal."""
    fields = request.fields
    for name in ("client_assertion_type", "client_assertion"):
        if not fields.get(name):
            raise Refusal(900144, "'%s' is missing." % name)
    if fields["client_assertion_type"] != TYPE:
        raise Refusal(90013, "It is 'client_assertion_type'.")
    jwt = Jwt(fields["client_assertion"])
    issuer = jwt.text("iss")
    federated = issuer.startswith("https://")
    claims = jwt.claims
    request.assertion = {
        "kind": "federated" if federated else "certificate", "alg": jwt.head.get("alg"),
        "headers": sorted(jwt.head), "claims": sorted(claims), "jti": claims.get("jti"),
        "aud": claims.get("aud"), "life": None}
    if federated:
        check_federated(request, jwt)
    else:
        check_certificate(request, jwt)
    request.assertion["life"] = claims["exp"] - claims["nbf"]


def check_certificate(request, jwt):
    """Signed by a key whose certificate is registered with the client."""
    if jwt.text("iss") != request.client_id or jwt.text("sub") != request.client_id:
        raise Refusal(700021)
    alg = jwt.head.get("alg")
    if alg not in THUMBPRINTS:
        raise Refusal(700027, "Nothing is signed by '%s' here." % alg)
    header, attribute = THUMBPRINTS[alg]
    known = [c for c in request.client["certificates"]
             if getattr(c, attribute) == jwt.head.get(header)]
    if not known:
        raise Refusal(700027, "No registered certificate has this %s." % header)
    if not known[0].not_before <= time.time() < known[0].not_after:
        raise Refusal(1000502)
    if not known[0].verify(alg, jwt.signed.encode(), jwt.signature):
        raise Refusal(700027)
    if jwt.claims.get("aud") != request.where.url:
        raise Refusal(700023, "It was '%s'." % jwt.claims.get("aud"))
    jwt.check_time()
    if jwt.text("jti") in request.state.assertions:
        raise Refusal(50013, "It was used before.")
    request.state.assertions.add(jwt.text("jti"))


def check_federated(request, jwt):
    """Signed by the issuer we play; may be used until it ends."""
    said = {"issuer": jwt.text("iss"), "subject": jwt.text("sub"),
            "audience": jwt.text("aud")}
    if said not in request.client["federated"]:
        raise Refusal(70021)
    if not request.state.issuer.knows(jwt):
        raise Refusal(700027)
    jwt.check_time()


class Issuer:
    """The external issuer, e.g. a cluster; its key is made when it is needed first."""

    def __init__(self):
        self.key = None

    def sign(self, issuer, subject, audience, life=3600):
        """A token as a cluster would mount it."""
        self.key = self.key or Key()
        now = int(time.time())
        parts = ({"alg": "RS256", "typ": "JWT", "kid": "cluster"},
                 {"iss": issuer, "sub": subject, "aud": audience, "iat": now, "nbf": now,
                  "exp": now + life, "jti": str(uuid.uuid4()), "note": "CANARY"})
        signed = ".".join(encode(json.dumps(part).encode()) for part in parts)
        return "%s.%s" % (signed, encode(self.key.sign(signed.encode())))

    def knows(self, jwt):
        """Whether it signed this."""
        if self.key is None or jwt.head.get("alg") != "RS256":
            return False
        size = (self.key.modulus.bit_length() + 7) // 8
        again = self.key.sign(jwt.signed.encode())
        return len(jwt.signature) == size and jwt.signature == again
