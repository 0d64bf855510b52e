"""Revocation (RFC 7009), which other providers have and Microsoft has not."""

import time

from .endpoint import Request
from .errors import Refusal
from .forms import require


class Revocation(Request):
    """POST .../revoke"""

    def answer(self):
        """An empty reply; also for a token nobody knows, but at Google."""
        if self.refusal:
            raise self.refusal
        google = self.where.cloud == "google"
        text = require(self.fields, "token")
        if not google:            # who holds a token may end it there
            self.authenticate()
        kind = self.end(text, None if google else self.client_id)
        self.state.counters.count("revoked", kind)
        if kind == "unknown" and google:
            refusal = Refusal(70000)
            refusal.error = "invalid_token"
            raise refusal
        return {}

    def end(self, text, client_id):
        """Ends it; says what it was."""
        family = self.state.tokens.find(text)
        if family and client_id in (None, family.client_id):
            family.dead = 50173
            self.user = family.user
            return "refresh_token"
        access = self.state.tokens.access.get(text)
        if access and client_id in (None, access.client_id):
            access.expires_at = min(access.expires_at, time.time())
            return "access_token"
        return "unknown"
