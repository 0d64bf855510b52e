"""The admin interface and the introspection endpoint, on a plain loopback port of their own:
a fault at the token endpoint does not reach them.

  GET  /admin/state                                  counters, device codes
  POST /admin/fault   {"fault": NAME, "count": N, "client"|"user"|"grant": ..., "endpoint",
                       settings}
  POST /admin/clear   {}                             no more faults
  POST /admin/reset   {}                             counters to nothing
  POST /admin/expire  {"client"|"user": ...}         access tokens end now
  POST /admin/revoke  {"client"|"user": ..., "number": 50173}   refresh tokens end now
  POST /admin/client  {"client": ID, settings}       add or change (directory.py)
  POST /admin/user    {"user": NAME, settings}
  POST /admin/tenant  {"tenant": DOMAIN, "id": ..., "cloud": ...}
  POST /admin/sign-in {"client": ID, "user": NAME, "scope": ...} -> {"refresh_token": ...}
  POST /admin/token   {"client": ID, "user": NAME or absent, "scope", "expires_in", "size"}
  POST /admin/device  {"do": approve|decline|expire|block, "user_code"|"client", "user"}
  POST /admin/metadata {"issuer", "set", "remove", "only"}      from now on (discovery.py)
  POST /admin/identity {settings}                    managed identity (identity.py), anew
  POST /admin/federated {"issuer", "subject", "audience", "expires_in"} -> {"token": JWT}
  POST /admin/clock   {"ahead": SECONDS}             in the Date of each reply
  GET/POST /introspect[/MAILBOX]                     RFC 7662, for Dovecot
"""

import json
from urllib.parse import parse_qs, unquote, urlsplit

from . import scopes
from .directory import DEVICE_ACTS, one_of
from .errors import Refusal
from .server import Handler

MAIL = "https://outlook.office.com/"
DEFAULT_SCOPE = MAIL + "SMTP.Send " + MAIL + "IMAP.AccessAsUser.All " + MAIL + \
    "POP.AccessAsUser.All offline_access"
DEFAULT_SCOPES = {
    "us": DEFAULT_SCOPE.replace(MAIL, "https://outlook.office365.us/"),
    "china": DEFAULT_SCOPE.replace(MAIL, "https://partner.outlook.cn/"),
    "google": "https://mail.google.com/", "yahoo": "mail-w", "generic": "mail",
    "fastmail": "https://www.fastmail.com/dev/protocol-imap",
}


def take(settings, *names):
    """Some of the settings; any other is a mistake in the test."""
    unknown = set(settings) - set(names)
    if unknown:
        raise ValueError("unknown: " + ", ".join(sorted(unknown)))
    return [settings.get(name) for name in names]


def set_fault(state, settings):
    """A fault for requests to come."""
    state.faults.add(settings)
    return {}


def clear(state, settings):
    """No more faults."""
    take(settings)
    state.faults.clear()
    return {}


def reset(state, settings):
    """Counters to nothing."""
    take(settings)
    state.counters.reset()
    return {}


def expire(state, settings):
    """Access tokens end now."""
    client, user = take(settings, "client", "user")
    return {"expired": state.tokens.expire(client, user)}


def revoke(state, settings):
    """Refresh tokens end now."""
    client, user, number = take(settings, "client", "user", "number")
    return {"revoked": state.tokens.end(number or 50173, client, user)}


def set_client(state, settings):
    """Adds or changes a client."""
    changes = dict(settings)
    state.directory.set_client(changes.pop("client"), changes)
    return {}


def set_user(state, settings):
    """Adds or changes a user."""
    changes = dict(settings)
    state.directory.set_user(changes.pop("user"), changes)
    return {}


def known_user(state, user):
    """The user's name as the directory has it."""
    if user.lower() not in state.directory.users:
        raise ValueError("no such user: " + user)
    return user.lower()


def set_tenant(state, settings):
    """Adds a tenant."""
    changes = dict(settings)
    state.directory.set_tenant(changes.pop("tenant"), changes)
    return {}


def known_client(state, client_id):
    """The client's settings, in whatever cloud it is."""
    if client_id not in state.directory.clients:
        raise ValueError("no such client: %s" % client_id)
    return state.directory.clients[client_id]


def default_scope(client):
    """What a person is usually asked for."""
    return DEFAULT_SCOPES.get(client["cloud"], DEFAULT_SCOPE)


def sign_in(state, settings):
    """As if the user had signed in: a refresh token."""
    client, user, scope = take(settings, "client", "user", "scope")
    known = known_client(state, client)
    return {"refresh_token": state.tokens.new_refresh(client, known_user(state, user),
                                                      scope or default_scope(known))}


def issue(state, settings):
    """An access token without the token endpoint."""
    client, user, scope, life, size = take(settings, "client", "user", "scope",
                                           "expires_in", "size")
    known = known_client(state, client)
    cloud = known["cloud"]
    if user is None:
        app_scope = scopes.APP_ONLY.get(cloud, (scopes.APP_ONLY_SCOPE,))[0]
        granted = scopes.app_only(cloud, scope or app_scope, known)
    else:
        user = known_user(state, user)
        granted = scopes.for_user(cloud, scope or default_scope(known), known)
    token, life = state.tokens.issue_access(None, client, user, granted, life, size)
    return {"access_token": token, "expires_in": life}


def decide_device(state, settings):
    """Somebody enters a user code, or the latest of a client."""
    what, code, client, user = take(settings, "do", "user_code", "client", "user")
    one_of(what, DEVICE_ACTS, "do")
    state.devices.choose(code, client).decide(what, user, state.directory)
    return {}


def set_metadata(state, settings):
    """How the metadata differs from the truth."""
    take(settings, "issuer", "set", "remove", "only")
    state.metadata = dict(settings)
    return {}


def set_identity(state, settings):
    """What the machine is known as."""
    state.machine.set(settings)
    return {}


def set_clock(state, settings):
    """What the replies say the time is."""
    state.clock_ahead = float(take(settings, "ahead")[0])
    return {}


def federated(state, settings):
    """A token of the external issuer."""
    issuer, subject, audience, life = take(settings, "issuer", "subject", "audience",
                                           "expires_in")
    return {"token": state.issuer.sign(issuer, subject, audience, life or 3600)}


COMMANDS = {
    "/admin/fault": set_fault, "/admin/clear": clear, "/admin/reset": reset,
    "/admin/expire": expire, "/admin/revoke": revoke, "/admin/client": set_client,
    "/admin/user": set_user, "/admin/tenant": set_tenant, "/admin/sign-in": sign_in,
    "/admin/token": issue, "/admin/device": decide_device,
    "/admin/metadata": set_metadata, "/admin/identity": set_identity,
    "/admin/federated": federated, "/admin/clock": set_clock,
}


class AdminHandler(Handler):
    """Tests and Dovecot ask here."""

    def do_GET(self):
        parts = urlsplit(self.path)
        if parts.path == "/admin/state":
            state = self.server.state
            with state.lock:
                devices = [device.report() for device in state.devices.known.values()]
            self.reply(200, {**state.counters.report(), "devices": devices})
        elif parts.path.split("/")[1] == "introspect":
            token = parse_qs(parts.query).get("token", [""])[0]
            self.introspect(parts.path, token)
        else:
            self.reply(404, {"error": "nothing is at this path"})

    def do_POST(self):
        body = self.read_body()
        if body is None:
            self.reply(411, {"error": "Content-Length is missing"})
            return
        path = urlsplit(self.path).path
        if path.split("/")[1] == "introspect":
            form = parse_qs(body.decode("utf-8", "replace"))
            self.introspect(path, form.get("token", [""])[0])
        elif path in COMMANDS:
            self.command_reply(COMMANDS[path], body)
        else:
            self.reply(404, {"error": "nothing is at this path"})

    def command_reply(self, command, body):
        """Runs one command under the lock."""
        state = self.server.state
        try:
            settings = json.loads(body or b"{}")
            with state.lock:
                answer = command(state, settings)
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as problem:
            self.reply(400, {"error": repr(problem)})
        except Refusal as refusal:
            self.reply(400, {"error": "AADSTS%d" % refusal.number})
        else:
            self.server.log.write("admin %s", self.path)
            self.reply(200, answer)

    def introspect(self, path, token):
        """RFC 7662."""
        mailbox = unquote(path.partition("/introspect/")[2]) or None
        with self.server.state.lock:
            answer = self.server.state.tokens.introspect(token, mailbox)
        self.server.log.write("introspect mailbox=%s active=%s username=%s", mailbox,
                              answer["active"], answer.get("username"))
        self.reply(200, answer)

    def reply(self, status, value):
        """JSON."""
        self.send_bytes(status, {"Content-Type": "application/json"},
                        json.dumps(value).encode() + b"\n")
