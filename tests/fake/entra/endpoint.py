"""What the token endpoint answers to one request, and all that one stand-in knows."""

import threading

from . import assertion, forms, identity
from .asked import Asked
from .codes import Codes
from .device import Devices
from .errors import Refusal
from .grants import DEVICE_CODE, GRANTS
from .tokens import Tokens


class State:
    """Everything one stand-in knows. All but faults and counters is used under the lock."""

    def __init__(self, directory, faults, counters):
        self.directory = directory
        self.tokens = Tokens(directory)
        self.codes = Codes()
        self.devices = Devices()
        self.flows = {}           # authorizations that wait for somebody at a page
        self.metadata = {}        # how the metadata differs (discovery.py)
        self.machine = identity.Machine(directory)
        self.issuer = assertion.Issuer()
        self.clock_ahead = 0      # seconds, in the Date of each reply
        self.assertions = set()   # the jti of each that was used
        self.faults = faults
        self.counters = counters
        self.lock = threading.Lock()


class Request(Asked):
    """A request at the token endpoint."""

    def read(self):
        super().read()
        self.grant = self.fields.get("grant_type")
        self.basic = forms.basic_credentials(self.headers.get("Authorization"))
        if self.basic:
            self.client_id = self.basic[0]
        known = self.signed_in()
        self.user = known.user if known else None

    def signed_in(self):
        """What came before: the code, the device or the family of refresh tokens."""
        for name, known in (("code", self.state.codes), ("device_code", self.state.devices),
                            ("refresh_token", self.state.tokens)):
            if name in self.fields:
                return known.find(self.fields[name])
        return None

    def answer(self):
        """The successful reply; raises Refusal."""
        if self.refusal:
            raise self.refusal
        grant_type = forms.require(self.fields, "grant_type")
        if grant_type not in GRANTS:
            raise Refusal(70003, "It was '%s'." % grant_type)
        self.authenticate()
        reply = GRANTS[grant_type](self)
        if self.client["refresh_in"] is not None:
            reply["refresh_in"] = self.client["refresh_in"]
        return reply

    def secret(self):
        """The secret, however it came."""
        secret = self.fields.get("client_secret")
        if not self.basic:
            forms.require(self.fields, "client_id")
            return secret
        if secret is not None:
            raise Refusal(9002313, "The client authenticates in two ways.")
        if self.fields.get("client_id", self.basic[0]) != self.basic[0]:
            raise Refusal(9002313, "Two client ids.")
        return self.basic[1]

    def authenticate(self):
        """RFC 6749 2.3: finds the client and checks what proves that it is the one."""
        secret = self.secret()
        signed = "client_assertion" in self.fields or \
            "client_assertion_type" in self.fields
        self.find_client()
        if secret is not None and signed:
            raise Refusal(9002324)
        proven = secret is not None or signed
        if self.is_public(proven):
            if proven:
                raise Refusal(700025)
        elif signed:
            assertion.check(self)
        else:
            self.check_secret(secret)

    def is_public(self, proven):
        """Whether the client must send no credential. At Microsoft, where somebody signed
        in, the platform of the redirect URI decides."""
        if self.where.plain:
            return self.client["public"]
        if self.grant == DEVICE_CODE:
            allowed = self.client["public_flows"]
            if proven and not self.client["public"] and not allowed:
                raise Refusal(90136)
            return self.client["public"] if allowed is None else allowed
        known = self.signed_in()
        if known is None or known.platform is None or known.client_id != self.client_id:
            return self.client["public"]
        return known.platform != "web"

    def check_secret(self, secret):
        """A client secret, sent in the way the client must."""
        if not secret:
            raise Refusal(7000216 if self.grant == "client_credentials" else 7000218)
        if self.client["client_auth"] not in ("any", "basic" if self.basic else "post"):
            raise Refusal(50012, "The secret came in the wrong place.")
        if secret != self.client["secret"]:
            raise Refusal(7000215)
        if self.client["secret_expired"]:
            raise Refusal(7000222)
