"""What all endpoints share: a request as far as it could be understood, and its refusal.

A subclass has parse(), which never raises, and answer(), which returns the successful reply
(a dict, or an Answer when it is not JSON) and raises Refusal; both run under State.lock.
"""

import json

from . import forms
from .errors import Refusal, body, plain_body

BODY_MAX = 1 << 20
FORM = "application/x-www-form-urlencoded"
# Parameters whose values are no secrets: tests see them in the state.
SHOWN = ("access_type", "client_assertion_type", "code_challenge_method", "domain_hint",
         "login_hint", "prompt", "redirect_uri", "response_mode", "response_type", "scope",
         "token_type_hint")


class Answer:
    """Status, headers and bytes of a reply, and how to send it."""

    def __init__(self, status, content, headers=None, transport=None):
        self.status = status
        self.content = content
        self.headers = {"Content-Type": "application/json; charset=utf-8",
                        "Cache-Control": "no-store, no-cache", **(headers or {})}
        self.transport = transport
        self.delay = 0            # seconds to wait before it is sent


def json_answer(status, value, headers=None):
    """An answer that is a JSON object."""
    return Answer(status, json.dumps(value).encode(), headers)


class Asked:
    """One request."""

    def __init__(self, state, where, method, content, headers):
        self.state = state
        self.where = where
        self.method = method
        self.content = content
        self.headers = headers
        self.tenant = self.client_id = self.client = self.grant = self.user = None
        self.fields = {}
        self.basic = None
        self.assertion = None     # what is told of a client assertion
        self.refusal = None       # what was wrong with its form, if anything

    def parse(self):
        """Reads it; what is wrong with it is kept for answer()."""
        try:
            self.read()
        except Refusal as refusal:
            self.refusal = refusal

    def read(self):
        """Tenant and fields, from the query of a GET or the form of a POST."""
        if self.where.endpoint is None:
            raise Refusal(9002313, "Nothing is at this path.")
        if self.where.tenant_name is not None:
            self.tenant = self.state.directory.tenant(self.where.tenant_name,
                                                      self.where.cloud)
        if self.method == "POST":
            self.read_form()
        elif self.where.query:
            self.fields = forms.parse(self.where.query.encode("latin-1"))
        self.client_id = self.fields.get("client_id")

    def read_form(self):
        """A form of the right kind."""
        media, _, parameters = (self.headers.get("Content-Type") or "").partition(";")
        if media.strip().lower() != FORM or \
                parameters.strip().lower() not in ("", "charset=utf-8"):
            raise Refusal(900144, "The body is not %s." % FORM)
        if len(self.content) > BODY_MAX:
            raise Refusal(90015)
        self.fields = forms.parse(self.content)

    def find_client(self):
        """The client of this cloud."""
        self.client = self.state.directory.client(self.client_id, self.where.cloud,
                                                  self.tenant)

    def answer(self):
        """The successful reply."""
        raise NotImplementedError

    def refuse(self, refusal):
        """The Answer that says no."""
        value = plain_body(refusal) if self.where.plain else body(refusal)
        headers = {}
        if refusal.status == 401 and self.basic:
            headers["WWW-Authenticate"] = 'Basic realm="token"'  # RFC 6749 5.2
        return json_answer(refusal.status, value, headers)

    def note(self, status, sni):
        """What tests may know of it."""
        return {"endpoint": self.where.endpoint, "method": self.method,
                "host": self.where.host, "sni": sni, "path": self.where.path,
                "status": status, "client": self.client_id, "grant": self.grant,
                "user": self.user, "parameters": sorted(self.fields),
                "assertion": self.assertion, "user_agent": self.headers.get("User-Agent"),
                **{name: self.fields[name] for name in SHOWN if name in self.fields}}
