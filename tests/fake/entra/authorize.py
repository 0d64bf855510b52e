"""The authorization endpoint: checks, then what the client's `sign_in` setting says.

What is wrong with client, tenant or redirect URI is a page; everything else goes back to
the redirect URI as an error. `sign_in` (directory.py), by `do`:

  auto           signed in at once          refuse         access_denied
  mfa            a page with a link         consent        a page with a form
  admin_consent  only a way back            error          AADSTS `number` goes back
  nothing        a page that leads nowhere
"""

import re
import secrets
import time
import uuid
from urllib.parse import quote, urlencode

from . import pages, redirects, scopes
from .asked import Answer, Asked
from .codes import CHALLENGE
from .errors import Refusal, body, plain_body
from .forms import require

PROMPTS = ("login", "none", "consent", "select_account", "create")
FLOW_SECONDS = 600
STATE = re.compile(r"[\x20-\x7e]{1,2048}\Z")


class Page(Asked):
    """Refusals are pages here."""

    def refuse(self, refusal):
        return pages.error_page(refusal, self.where.plain)


class Authorization(Page):
    """GET .../authorize"""

    def __init__(self, *args):
        super().__init__(*args)
        self.platform = None
        self.since = time.monotonic()

    def answer(self):
        """A page, or a redirect."""
        if self.refusal:
            raise self.refusal
        require(self.fields, "client_id")
        self.find_client()
        self.platform = redirects.platform_of(
            self.client, self.fields.get("redirect_uri"), self.where.cloud)
        try:
            self.check()
            answer = self.act()
        except Refusal as refusal:
            answer = self.redirect_error(refusal)
        answer.delay = self.client["sign_in"]["delay"]
        return answer

    def check(self):
        """Everything that can be told to the application."""
        fields = self.fields
        if require(fields, "response_type") != "code":
            raise Refusal(700051)
        if fields.get("response_mode", "query") != "query":
            raise Refusal(90023, "It is 'response_mode'.")
        if not STATE.match(fields.get("state", "-")):
            raise Refusal(90023, "It is 'state'.")
        for prompt in fields.get("prompt", "").split():
            if prompt not in PROMPTS:
                raise Refusal(90023, "It is 'prompt'.")
        try:
            scopes.for_user(self.where.cloud, require(fields, "scope"), self.client)
        except Refusal as refusal:
            if refusal.number != 65001:
                raise             # who has not consented yet is asked, below
        self.check_challenge()

    def check_challenge(self):
        """RFC 7636: S256 and nothing else, always for public clients."""
        challenge = self.fields.get("code_challenge")
        if challenge is None and "code_challenge_method" not in self.fields:
            if self.client["public"] or self.platform != "web":
                if self.where.cloud != "google":
                    raise Refusal(9002325)
            return
        if self.fields.get("code_challenge_method") != "S256":
            raise Refusal(9002325)
        if not CHALLENGE.match(challenge or ""):
            raise Refusal(501491)

    def act(self):
        """As the client's settings say."""
        what = self.client["sign_in"]
        try:
            self.user = self.state.directory.find_user(
                what["user"] or self.fields.get("login_hint"), self.tenant)
        except Refusal as refusal:
            return self.refuse(refusal)
        if what["do"] == "auto":
            return self.finish()
        if what["do"] == "error":
            raise Refusal(what["number"])
        if what["do"] == "refuse":
            return self.decline()
        if "none" in self.fields.get("prompt", "").split():
            raise Refusal(50058)
        if what["do"] == "nothing":
            return pages.waiting_page()
        flow = secrets.token_urlsafe(24)
        self.state.flows[flow] = self
        if what["do"] == "mfa":
            return pages.mfa_page(flow)
        if what["do"] == "consent":
            return pages.consent_page(flow, self.user, self.fields["scope"])
        return pages.admin_page(flow)

    def finish(self):
        """Signed in: the code goes back."""
        values = {"code": self.state.codes.issue(self, self.user, self.platform)}
        if self.where.cloud == "google":
            values["scope"] = self.fields["scope"]
        elif not self.where.plain:
            values["session_state"] = str(uuid.uuid4())
        return self.redirect(values)

    def decline(self):
        """The person pressed `Cancel`."""
        refusal = Refusal(65004)
        refusal.error = "access_denied"
        return self.redirect_error(refusal, {"error_subcode": "cancel"})

    def redirect_error(self, refusal, more=None):
        """RFC 6749 4.1.2.1."""
        value = (plain_body if self.where.plain else body)(refusal)
        values = {"error": value["error"], **({} if self.where.plain else more or {}),
                  "error_description": value["error_description"]}
        if "error_uri" in value:
            values["error_uri"] = value["error_uri"]
        return self.redirect(values)

    def redirect(self, values):
        """Back to the application, with the state as it came unless a test spoils it."""
        tamper = self.client["sign_in"]["tamper"]
        if "state" in self.fields and tamper != "no_state":
            spoilt = "x" if tamper == "state" else ""
            values["state"] = self.fields["state"] + spoilt
        if tamper == "no_code":
            values.pop("code", None)
        query = urlencode(values, quote_via=quote)
        return Answer(302, b"", {
            "Content-Type": "text/html; charset=utf-8", "Referrer-Policy": "no-referrer",
            "Location": redirects.with_query(self.fields["redirect_uri"], query)})


class Continuation(Page):
    """A page's link was followed, or its button pressed."""

    def read(self):
        super().read()
        flow = self.state.flows.get(self.fields.get("flow"))
        if flow:
            self.client_id, self.user = flow.client_id, flow.user

    def answer(self):
        """What comes after the page; each can be answered once."""
        if self.refusal:
            raise self.refusal
        flow = self.state.flows.pop(require(self.fields, "flow"), None)
        if flow is None or time.monotonic() - flow.since > FLOW_SECONDS:
            raise Refusal(90013, "The sign-in is over; start again.")
        answer = require(self.fields, "answer")
        if answer == "accept" and flow.client["sign_in"]["do"] != "admin_consent":
            return flow.finish()
        return flow.decline()
