"""Who exists: tenants, clients (applications) and users, with each one's settings."""

import json

from . import redirects
from .clouds import CLOUDS, ENTRA_CLOUDS, GLOBAL
from .errors import Refusal
from .rsa import Certificate
from .scopes import MAIL_SCOPES

SHARED_TENANTS = ("common", "organizations", "consumers")
PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
ROTATIONS = ("keep", "none", "strict", "family")

# What happens at the authorization endpoint (authorize.py).
SIGN_IN_DEFAULTS = {
    "do": "auto",             # refuse, mfa, consent, admin_consent, error, nothing
    "user": None,             # None: login_hint, or else the first user there is
    "delay": 0,               # seconds until the reply
    "number": 53003,          # of `error`
    "tamper": None,           # state: the redirect's is wrong; no_state, no_code: none
}
SIGN_IN_ACTS = ("auto", "refuse", "mfa", "consent", "admin_consent", "error", "nothing")
TAMPERINGS = (None, "state", "no_state", "no_code")

# What happens at the device endpoint (device.py).
DEVICE_DEFAULTS = {
    "interval": 5,            # None: not told, which means 5
    "life": 900,
    "polls": None,            # after so many polls ...
    "do": "approve",          # ... this happens: decline, expire, block
    "user": None,
    "slow_down": 0,           # so many polls are answered with slow_down
    "expired": 70020,         # or 70019
}
DEVICE_ACTS = ("approve", "decline", "expire", "block")

CLIENT_DEFAULTS = {
    "cloud": GLOBAL,          # where it is registered (clouds.py)
    "public": False,          # a public client has no secret and must send none
    "public_flows": None,     # whether device codes are allowed; None: as `public`
    "redirects": None,        # {"native"|"web"|"spa": [URI...]}; None: http://localhost
    "one_tenant": False,      # refused at common, organizations
    "personal": True,         # personal accounts: False: refused, "only": no others
    "secret": None,
    "secret_expired": False,
    "client_auth": "any",     # other providers: basic or post alone
    "certificates": [],       # PEM files of those registered
    "federated": [],          # {"issuer", "subject", "audience"} each
    "disabled": False,
    "roles": ["SMTP.SendAsApp", "IMAP.AccessAsApp", "POP.AccessAsApp"],
    "hve": False,             # may send through High Volume Email
    "mailboxes": [],          # what an app-only token may open in Exchange
    "delegated": list(MAIL_SCOPES),
    "sign_in": {},
    "device": {},
    "code_life": 600,
    "rotation": "keep",
    "expires_in": 3599,
    "refresh_in": None,
    "token": "jwt",           # or opaque
    "token_size": 2500,
}
USER_DEFAULTS = {
    "disabled": False,
    "personal": False,        # a personal account: /consumers, opaque tokens
    "upn": None,              # in the id_token, when it is not the address
    "rotation": None,         # None: the client's
    "shared_mailboxes": [],   # what this user's token may open besides its own
}

DEFAULT = {
    "tenants": {
        "contoso.onmicrosoft.com": {"id": "c0ffee00-1111-4222-8333-444455556666"},
        "contoso.onmicrosoft.us": {"id": "c0ffee01-1111-4222-8333-444455556666",
                                   "cloud": "us"},
        "contoso.partner.onmschina.cn": {"id": "c0ffee02-1111-4222-8333-444455556666",
                                         "cloud": "china"},
    },
    "clients": {
        "11111111-2222-3333-4444-555555555555": {
            "secret": "relay~CANARY+value/with=odd%41 signs&more",
            "mailboxes": ["relay@contoso.com", "shared@contoso.com"],
        },
        "66666666-7777-8888-9999-000000000000": {"public": True},
    },
    "users": {
        "relay@contoso.com": {},
        "alice@contoso.com": {"shared_mailboxes": ["shared@contoso.com"]},
        "bob@contoso.com": {},
        "alice@outlook.com": {"personal": True},
    },
}


def one_of(value, choices, what):
    """A value that a test may have mistyped."""
    if value not in choices:
        raise ValueError("%s is one of %s" % (what, ", ".join(map(str, choices))))


def with_defaults(defaults, given, what):
    """Settings filled up; a setting nobody knows is a mistake in a test."""
    unknown = set(given) - set(defaults)
    if unknown:
        raise ValueError("%s: unknown setting %s" % (what, ", ".join(sorted(unknown))))
    if given.get("rotation") not in (None,) + ROTATIONS:
        raise ValueError("%s: rotation is one of %s" % (what, ", ".join(ROTATIONS)))
    return {**defaults, **given}


def complete_client(given, what):
    """A client's settings, checked, with everything they mean."""
    client = with_defaults(CLIENT_DEFAULTS, given, what)
    one_of(client["cloud"], CLOUDS, what + ": cloud")
    one_of(client["client_auth"], ("any", "basic", "post"), what + ": client_auth")
    client["sign_in"] = with_defaults(SIGN_IN_DEFAULTS, client["sign_in"], what)
    one_of(client["sign_in"]["do"], SIGN_IN_ACTS, what + ": sign_in")
    one_of(client["sign_in"]["tamper"], TAMPERINGS, what + ": tamper")
    client["device"] = with_defaults(DEVICE_DEFAULTS, client["device"], what)
    one_of(client["device"]["do"], DEVICE_ACTS, what + ": device")
    if client["redirects"] is None:
        client["redirects"] = redirects.default_for(client["public"])
    for platform in client["redirects"]:
        one_of(platform, redirects.PLATFORMS, what + ": platform")
    client["certificates"] = [c if isinstance(c, Certificate) else Certificate.load(c)
                              for c in client["certificates"]]
    for credential in client["federated"]:
        if set(credential) != {"issuer", "subject", "audience"}:
            raise ValueError("%s: federated: issuer, subject, audience" % what)
    return client


class Directory:
    """Built from the JSON form of DEFAULT."""

    def __init__(self, data):
        self.tenants = {}         # (cloud, name or id): id
        self.clients = {}
        self.users = {}
        for domain, tenant in data["tenants"].items():
            self.set_tenant(domain, tenant)
        for name, given in data["clients"].items():
            self.set_client(name, given)
        for name, given in data["users"].items():
            self.set_user(name, given)

    @classmethod
    def load(cls, path):
        """From a file, or the default set when path is None."""
        if path is None:
            return cls(DEFAULT)
        with open(path, encoding="utf-8") as stream:
            return cls(json.load(stream))

    def tenant(self, name, cloud=GLOBAL):
        """The tenant's id; the shared names are their own."""
        name = name.lower()
        if name in SHARED_TENANTS:
            return name
        if name == PERSONAL_TENANT:
            return "consumers"
        if (cloud, name) not in self.tenants:
            raise Refusal(90002, "It was '%s'." % name)
        return self.tenants[cloud, name]

    def home_tenant(self, cloud, tenant=None, user=None):
        """The id that tokens name: of the user, where the request was for many."""
        if user is not None and self.users[user]["personal"]:
            return PERSONAL_TENANT
        if tenant is not None and tenant not in SHARED_TENANTS:
            return tenant
        return next((t for (c, _), t in self.tenants.items() if c == cloud), None)

    def client(self, client_id, cloud=GLOBAL, tenant=None):
        """The client's settings."""
        client = self.clients.get(client_id)
        if client is None:
            raise Refusal(700016, "It was '%s'." % client_id)
        if client["cloud"] != cloud:
            cross = {client["cloud"], cloud} <= set(ENTRA_CLOUDS)
            raise Refusal(900382 if cross and not client["public"] else 700016,
                          "It was '%s'." % client_id)
        if client["disabled"]:
            raise Refusal(7000112)
        if client["one_tenant"] and tenant in ("common", "organizations"):
            raise Refusal(50194)
        if tenant == "consumers" and not client["personal"]:
            raise Refusal(9002332)
        if client["personal"] == "only" and tenant not in ("consumers", "common"):
            raise Refusal(9002331)
        return client

    def set_tenant(self, domain, settings):
        """Adds a tenant."""
        settings = with_defaults({"id": None, "cloud": GLOBAL}, settings, domain)
        one_of(settings["cloud"], ENTRA_CLOUDS, domain + ": cloud")
        for name in (domain.lower(), settings["id"]):
            self.tenants[settings["cloud"], name] = settings["id"]

    def set_client(self, client_id, changes):
        """Adds a client or changes its settings; `sign_in` and `device` are set anew as a
        whole, and the redirect URIs when `public` is."""
        before = dict(self.clients.get(client_id, {}))
        if "public" in changes:
            before.pop("redirects", None)
        self.clients[client_id] = complete_client({**before, **changes}, client_id)

    def set_user(self, user, changes):
        """Adds a user or changes its settings."""
        user = user.lower()
        self.users[user] = with_defaults(
            USER_DEFAULTS, {**self.users.get(user, {}), **changes}, user)

    def find_user(self, name, tenant):
        """Who signs in under that name (None: the first who can) at this tenant."""
        for user, settings in self.users.items():
            if name is None and self.belongs(settings, tenant):
                return user
        user = (name or "").lower()
        if user not in self.users:
            raise Refusal(50034, "It was '%s'." % name)
        if not self.belongs(self.users[user], tenant):
            raise Refusal(50020, "It was '%s'." % name)
        if self.users[user]["disabled"]:
            raise Refusal(50057)
        return user

    @staticmethod
    def belongs(settings, tenant):
        """Whether this user can sign in at this tenant."""
        return tenant in (None, "common") or settings["personal"] == (tenant == "consumers")

    def rotation(self, client_id, user):
        """How refresh tokens of this user at this client are replaced."""
        return self.users[user]["rotation"] or self.clients[client_id]["rotation"]

    def may_open(self, token, mailbox):
        """Whether Exchange would open the mailbox for this access token."""
        mailbox = mailbox.lower()
        if token.user is None:
            return mailbox in self.clients[token.client_id]["mailboxes"]
        return mailbox == token.user or \
            mailbox in self.users[token.user]["shared_mailboxes"]
