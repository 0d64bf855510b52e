"""Who exists: tenants, clients (applications) and users, with each one's settings."""

import json

from .errors import Refusal
from .scopes import MAIL_SCOPES

SHARED_TENANTS = ("common", "organizations")
ROTATIONS = ("keep", "none", "strict", "family")

CLIENT_DEFAULTS = {
    "public": False,          # a public client has no secret and must send none
    "secret": None,
    "secret_expired": False,
    "disabled": False,
    "roles": ["SMTP.SendAsApp", "IMAP.AccessAsApp", "POP.AccessAsApp"],
    "mailboxes": [],          # what an app-only token may open in Exchange
    "delegated": list(MAIL_SCOPES),
    "rotation": "keep",
    "expires_in": 3599,
    "refresh_in": None,
    "token": "jwt",           # or opaque
    "token_size": 2500,
}
USER_DEFAULTS = {
    "disabled": False,
    "rotation": None,         # None: the client's
    "shared_mailboxes": [],   # what this user's token may open besides its own
}

DEFAULT = {
    "tenants": {
        "contoso.onmicrosoft.com": {"id": "c0ffee00-1111-4222-8333-444455556666"},
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
    },
}


def with_defaults(defaults, given, what):
    """Settings filled up; a setting nobody knows is a mistake in a test."""
    unknown = set(given) - set(defaults)
    if unknown:
        raise ValueError("%s: unknown setting %s" % (what, ", ".join(sorted(unknown))))
    if given.get("rotation") not in (None,) + ROTATIONS:
        raise ValueError("%s: rotation is one of %s" % (what, ", ".join(ROTATIONS)))
    return {**defaults, **given}


class Directory:
    """Built from the JSON form of DEFAULT."""

    def __init__(self, data):
        self.tenants = {}
        for domain, tenant in data["tenants"].items():
            self.tenants[domain.lower()] = self.tenants[tenant["id"]] = tenant["id"]
        self.clients = {name: with_defaults(CLIENT_DEFAULTS, given, name)
                        for name, given in data["clients"].items()}
        self.users = {name.lower(): with_defaults(USER_DEFAULTS, given, name)
                      for name, given in data["users"].items()}

    @classmethod
    def load(cls, path):
        """From a file, or the default set when path is None."""
        if path is None:
            return cls(DEFAULT)
        with open(path, encoding="utf-8") as stream:
            return cls(json.load(stream))

    def tenant(self, name):
        """The tenant's id; the shared names are their own."""
        name = name.lower()
        if name in SHARED_TENANTS:
            return name
        if name not in self.tenants:
            raise Refusal(90002, "It was '%s'." % name)
        return self.tenants[name]

    def client(self, client_id):
        """The client's settings."""
        client = self.clients.get(client_id)
        if client is None:
            raise Refusal(700016, "It was '%s'." % client_id)
        if client["disabled"]:
            raise Refusal(7000112)
        return client

    def set_client(self, client_id, changes):
        """Adds a client or changes its settings."""
        self.clients[client_id] = with_defaults(
            CLIENT_DEFAULTS, {**self.clients.get(client_id, {}), **changes}, client_id)

    def set_user(self, user, changes):
        """Adds a user or changes its settings."""
        user = user.lower()
        self.users[user] = with_defaults(
            USER_DEFAULTS, {**self.users.get(user, {}), **changes}, user)

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
