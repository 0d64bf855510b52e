"""Authorization codes: single use, ten minutes, bound to everything that asked for them."""

import base64
import hashlib
import re
import secrets
import time

from .errors import Refusal
from .tokens import CANARY

VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}\Z")      # RFC 7636 4.1
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")           # SHA-256, base64url


class Code:
    """Who signed in, for whom, and what must be shown again. `platform` and `user` are
    what a Device and a Family have as well."""

    def __init__(self, asked, user, platform):
        fields = asked.fields
        self.client_id = asked.client_id
        self.cloud = asked.where.cloud
        self.tenant = asked.tenant
        self.user = user
        self.platform = platform
        self.redirect_uri = fields["redirect_uri"]
        self.scope = fields["scope"]
        self.challenge = fields.get("code_challenge")
        self.nonce = fields.get("nonce")
        self.offline = offline(asked)
        self.expires_at = time.monotonic() + asked.client["code_life"]
        self.used = False
        self.family = None        # what came of it, for when it is used again


def offline(asked):
    """Whether a refresh token was asked for, in the provider's own way."""
    if asked.where.cloud == "google":
        return asked.fields.get("access_type") == "offline" and \
            "consent" in asked.fields.get("prompt", "").split()
    return asked.where.cloud in ("yahoo", "fastmail") or \
        "offline_access" in asked.fields["scope"].split()


class Codes:
    """Every code that was issued."""

    def __init__(self):
        self.known = {}

    def find(self, text):
        """The code, or None."""
        return self.known.get(text)

    def issue(self, asked, user, platform):
        """The text of a new one."""
        text = "1.AX" + CANARY + secrets.token_urlsafe(600)
        self.known[text] = Code(asked, user, platform)
        return text

    def redeem(self, request, text, redirect_uri):
        """The Code; raises Refusal. What is wrong in the request does not use it up."""
        code = self.find(text)
        if code is None or code.client_id != request.client_id or \
                code.cloud != request.where.cloud:
            raise Refusal(70000, "No such code.")
        if code.used:
            if code.family:
                code.family.dead = 70000  # RFC 6749 4.1.2: somebody else may have it
            raise Refusal(54005)
        if code.tenant != request.tenant:
            raise Refusal(700005)
        if time.monotonic() >= code.expires_at:
            raise Refusal(70008, "It was a code.")
        if code.redirect_uri != redirect_uri:
            raise Refusal(500112, "It was '%s'." % redirect_uri)
        check_verifier(code, request.fields.get("code_verifier"))
        check_origin(code, request.headers.get("Origin"))
        code.used = True
        return code


def check_verifier(code, verifier):
    """RFC 7636 4.6."""
    if code.challenge is None:
        if verifier is not None:
            raise Refusal(501481, "None was announced.")
        return
    if not verifier:
        raise Refusal(501481, "It is missing.")
    digest = hashlib.sha256(verifier.encode()).digest()
    if not VERIFIER.match(verifier) or \
            base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != code.challenge:
        raise Refusal(501481)


def check_origin(code, origin):
    """A page's code is redeemed by a page, a program's code by a program."""
    if code.platform == "spa" and not origin:
        raise Refusal(9002327)
    if code.platform != "spa" and origin:
        raise Refusal(9002326)
