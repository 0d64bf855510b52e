"""What the token endpoint answers to one request; no sockets here."""

import re
import threading

from . import forms
from .errors import Refusal
from .grants import GRANTS
from .tokens import Tokens

PATH = re.compile(r"/([^/?#]+)/oauth2/v2\.0/token\Z")
BODY_MAX = 1 << 20
CONTENT_TYPE = "application/x-www-form-urlencoded"


class State:
    """Everything one stand-in knows. Tokens and directory are used under the lock."""

    def __init__(self, directory, faults, counters):
        self.directory = directory
        self.tokens = Tokens(directory)
        self.faults = faults
        self.counters = counters
        self.lock = threading.Lock()


class Request:
    """A request as far as it could be understood."""

    def __init__(self, state, path, body, content_type, authorization):
        self.state = state
        self.path = path
        self.body = body
        self.content_type = content_type
        self.authorization = authorization
        self.tenant = self.client_id = self.client = self.grant = self.user = None
        self.fields = {}
        self.basic = None
        self.refusal = None       # what was wrong with its form, if anything

    def parse(self):
        """Reads the form; what is wrong with it is kept for answer()."""
        try:
            self.tenant = self.find_tenant()
            media, _, parameters = (self.content_type or "").partition(";")
            charset = parameters.strip().lower()
            if media.strip().lower() != CONTENT_TYPE or \
                    charset not in ("", "charset=utf-8"):
                raise Refusal(900144, "The body is not %s." % CONTENT_TYPE)
            if len(self.body) > BODY_MAX:
                raise Refusal(90015)
            self.fields = forms.parse(self.body)
            self.grant = self.fields.get("grant_type")
            self.client_id = self.fields.get("client_id")
            self.basic = forms.basic_credentials(self.authorization)
            if self.basic:
                self.client_id = self.basic[0]
            known = self.state.tokens.refresh.get(self.fields.get("refresh_token"))
            self.user = known[0].user if known else None
        except Refusal as refusal:
            self.refusal = refusal

    def find_tenant(self):
        """The tenant in the path."""
        found = PATH.match(self.path)
        if not found:
            raise Refusal(9002313, "Nothing is at this path.")
        return self.state.directory.tenant(found.group(1))

    def answer(self):
        """The successful reply; raises Refusal."""
        if self.refusal:
            raise self.refusal
        grant_type = forms.require(self.fields, "grant_type")
        if grant_type not in GRANTS:
            raise Refusal(70003, "It was '%s'." % grant_type)
        self.authenticate(grant_type)
        reply = GRANTS[grant_type](self)
        if self.client["refresh_in"] is not None:
            reply["refresh_in"] = self.client["refresh_in"]
        return reply

    def authenticate(self, grant_type):
        """RFC 6749 2.3: finds the client and checks its secret."""
        secret = self.fields.get("client_secret")
        if self.basic:
            if secret is not None:
                raise Refusal(9002313, "The client authenticates in two ways.")
            if self.fields.get("client_id", self.basic[0]) != self.basic[0]:
                raise Refusal(9002313, "Two client ids.")
            secret = self.basic[1]
        else:
            forms.require(self.fields, "client_id")
        self.client = self.state.directory.client(self.client_id)
        if self.client["public"]:
            if secret is not None:
                raise Refusal(700025)
            return
        if not secret:
            raise Refusal(7000216 if grant_type == "client_credentials" else 7000218)
        if secret != self.client["secret"]:
            raise Refusal(7000215)
        if self.client["secret_expired"]:
            raise Refusal(7000222)
