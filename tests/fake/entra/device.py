"""Signing in on another device (RFC 8628).

Who enters the code is played by the admin interface, or by the client's `device` setting
(directory.py) after so many polls.
"""

import secrets
import time

from . import scopes
from .asked import Asked
from .codes import offline
from .errors import SLOW_DOWN, Refusal
from .forms import require
from .tokens import CANARY

PAGES = {"google": "https://www.google.com/device"}
PAGE = "https://microsoft.com/devicelogin"
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ23456789"
DEFAULT_INTERVAL = 5    # RFC 8628 3.2
SLACK = 0.05


class Device:
    """A device code and what became of it."""

    def __init__(self, asked):
        settings = asked.client["device"]
        self.settings = settings
        self.client_id = asked.client_id
        self.cloud = asked.where.cloud
        self.tenant = asked.tenant
        allowed = asked.client["public_flows"]
        if allowed is None:
            allowed = asked.client["public"]
        self.platform = "native" if allowed else None
        self.scope = asked.fields["scope"]
        self.offline = offline(asked)
        self.nonce = self.family = self.user = None
        self.user_code = "".join(secrets.choice(ALPHABET) for _ in range(9))
        self.expires_at = time.monotonic() + settings["life"]
        self.pace = settings["interval"] or DEFAULT_INTERVAL
        self.slow_down = settings["slow_down"]
        self.status = "pending"
        self.polls = []           # when it was asked for

    def report(self):
        """For the state; the device code itself is a secret."""
        first = self.polls[0] if self.polls else 0
        return {"user_code": self.user_code, "client": self.client_id, "user": self.user,
                "status": self.status, "pace": self.pace,
                "polls": [round(at - first, 2) for at in self.polls]}

    def decide(self, what, user, directory):
        """Somebody enters the code, and then approves or not."""
        if self.status != "pending":
            raise Refusal(90120)
        if what == "approve":
            self.user = directory.find_user(user, self.tenant)
        self.status = {"approve": "approved", "decline": "declined", "expire": "expired",
                       "block": "blocked"}[what]

    def poll(self):
        """Is it the time to ask? A client that was too fast must be slower from now on."""
        now = time.monotonic()
        early = bool(self.polls) and now - self.polls[-1] < self.pace - SLACK
        self.polls.append(now)
        if early or self.slow_down > 0:
            self.slow_down -= 1
            self.pace += 5
            raise Refusal(SLOW_DOWN)


class Devices:
    """All device codes."""

    def __init__(self):
        self.known = {}

    def find(self, text):
        """The device, or None."""
        return self.known.get(text)

    def issue(self, asked):
        """(text, Device)."""
        text = CANARY + secrets.token_urlsafe(180)
        self.known[text] = Device(asked)
        return text, self.known[text]

    def choose(self, user_code, client_id):
        """The one with that user code, or the client's latest."""
        fitting = [d for d in self.known.values()
                   if user_code in (None, d.user_code) and client_id in (None, d.client_id)]
        if not fitting:
            raise Refusal(70018)
        return fitting[-1]

    def redeem(self, request, text):
        """The Device once it is approved; raises Refusal until then."""
        device = self.find(text)
        if device is None or device.client_id != request.client_id or \
                device.status == "redeemed":
            raise Refusal(70018)
        if device.tenant != request.tenant or device.cloud != request.where.cloud:
            raise Refusal(90132)
        device.poll()
        settings = device.settings
        if device.status == "pending" and time.monotonic() >= device.expires_at:
            device.status = "expired"
        if device.status == "pending" and settings["polls"] is not None and \
                len(device.polls) >= settings["polls"]:
            device.decide(settings["do"], settings["user"], request.state.directory)
        numbers = {"pending": 70016, "declined": 65004, "expired": settings["expired"],
                   "blocked": 53003}
        if device.status != "approved":
            raise Refusal(numbers[device.status])
        device.status = "redeemed"
        return device


class DeviceRequest(Asked):
    """POST .../devicecode"""

    def answer(self):
        """The two codes."""
        if self.refusal:
            raise self.refusal
        require(self.fields, "client_id")
        scope = require(self.fields, "scope")
        self.find_client()
        if "client_secret" in self.fields and not self.where.plain:
            raise Refusal(90136)
        if self.where.cloud == "google" and "https://mail.google.com/" in scope.split():
            refusal = Refusal(70011)
            refusal.text = "Invalid device flow scope: https://mail.google.com/"
            raise refusal
        scopes.for_user(self.where.cloud, scope, self.client)
        return self.reply(*self.state.devices.issue(self))

    def reply(self, text, device):
        """RFC 8628 3.2; Google calls the address verification_url."""
        page = PAGES.get(self.where.cloud, PAGE)
        reply = {"device_code": text, "user_code": device.user_code,
                 "verification_uri": page, "expires_in": device.settings["life"],
                 "interval": device.settings["interval"],
                 "message": "To sign in, use a web browser to open the page %s and enter "
                            "the code %s to authenticate." % (page, device.user_code)}
        if reply["interval"] is None:
            del reply["interval"]
        if self.where.plain:
            del reply["message"]
        if self.where.cloud == "generic":
            reply["verification_uri_complete"] = page + "?user_code=" + device.user_code
        if self.where.cloud == "google":
            reply["verification_url"] = reply.pop("verification_uri")
        return reply
