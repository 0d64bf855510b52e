"""Is this token good for this mailbox and this protocol? Exchange's own rules.

The stand-in Entra knows each token it issued and is asked (introspection). Exchange tells a
client nothing of what is found here; tests see `why` in the state.
"""

import base64
import json
import re
import time
import urllib.parse
import urllib.request

PERMISSIONS = {
    "smtp": ("SMTP.Send", "SMTP.SendAsApp"),
    "imap": ("IMAP.AccessAsUser.All", "IMAP.AccessAsApp"),
    "pop": ("POP.AccessAsUser.All", "POP.AccessAsApp"),
}
HVE_PERMISSION = "Mail.Send"
EXCHANGE_ID = "00000002-0000-0ff1-ce00-000000000000"
EXCHANGE_HOSTS = ("outlook.office.com", "outlook.office365.com", "outlook.office365.us",
                  "outlook-dod.office365.us", "partner.outlook.cn")
RESPONSE = re.compile(rb"user=([^\x01]*)\x01auth=Bearer ([!-~]+)\x01\x01")
# What becomes of a sign-in: the reply is the protocol's.
OK, REFUSED, UNCONNECTED = "ok", "refused", "not connected"


class Malformed(Exception):
    """Not an XOAUTH2 message."""


def parse(coded):
    """(user, token) of a client's base64 line."""
    try:
        found = RESPONSE.fullmatch(base64.b64decode(coded, validate=True))
    except ValueError:
        raise Malformed("not base64") from None
    if not found:
        raise Malformed("not user= and auth=Bearer")
    return found.group(1).decode("utf-8", "replace"), found.group(2).decode("ascii")


def coded(text):
    """As a challenge carries it."""
    return base64.b64encode(text.encode()).decode()


def user_of(line):
    """A user name as LOGIN sends it."""
    try:
        return base64.b64decode(line, validate=True).decode("utf-8", "replace").lower()
    except ValueError:
        return ""


def claims(token):
    """What a JWT says of itself; {} for an opaque one."""
    try:
        part = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, IndexError):
        return {}


def for_exchange(audience):
    """By address, or by the number of the application."""
    return audience == EXCHANGE_ID or \
        urllib.parse.urlsplit(audience).hostname in EXCHANGE_HOSTS


class Verdict:
    """A sign-in: what came of it, why, for whom, until when."""

    def __init__(self, outcome, why, user, client_id=None, expires=None):
        self.outcome = outcome
        self.why = why
        self.user = user
        self.client_id = client_id
        self.expires = expires


class Judge:
    """Asks the stand-in Entra at its admin address."""

    def __init__(self, entra, mailboxes):
        self.entra = entra
        self.mailboxes = mailboxes

    def introspect(self, token, mailbox=""):
        """RFC 7662; with a mailbox the answer's username is the mailbox where the token may
        open it."""
        url = "%s/introspect/%s" % (self.entra, urllib.parse.quote(mailbox))
        data = urllib.parse.urlencode({"token": token}).encode()
        with urllib.request.urlopen(url, data, timeout=10) as reply:
            return json.load(reply)

    def judge(self, protocol, user, token):
        """The Verdict. Nothing here says anything about switches of the mailbox."""
        told = self.introspect(token)
        said = claims(token)
        mailbox = self.mailboxes.find(user)
        if mailbox is not None and mailbox.hve and protocol == "smtp":
            return self.high_volume(mailbox, told, said)
        if not told["active"]:
            return Verdict(REFUSED, self.why_inactive(said), user)
        if not for_exchange(told["aud"]):
            return Verdict(REFUSED, "audience", user)
        known = (user, told["client_id"], told["exp"])
        if mailbox is None:
            return Verdict(REFUSED, "no such mailbox", *known)
        if not self.permitted(protocol, mailbox, told):
            return Verdict(REFUSED, "permission", *known)
        if not self.opens(protocol, mailbox, told, token):
            person = told["username"] != told["client_id"]
            if person and protocol == "imap":
                return Verdict(UNCONNECTED, "another mailbox", *known)
            return Verdict(REFUSED, "another mailbox", *known)
        return Verdict(OK, "", *known)

    @staticmethod
    def why_inactive(said):
        """A token that Entra does not vouch for, or no more, or not for a mail server."""
        if not said:
            return "unknown"
        return "expired" if for_exchange(str(said.get("aud"))) else "audience"

    @staticmethod
    def permitted(protocol, mailbox, told):
        """The scope or role; sending may also be granted inside Exchange."""
        if protocol == "smtp" and told["client_id"] in mailbox.rbac_apps:
            return True
        return bool(set(PERMISSIONS[protocol]) & set(told["scope"].split()))

    def opens(self, protocol, mailbox, told, token):
        """The mailbox itself. A person who may read a shared one still sends as himself."""
        person = told["username"] != told["client_id"]
        if person and protocol == "smtp":
            return told["username"].lower() == mailbox.name
        if told["client_id"] in mailbox.rbac_apps and protocol == "smtp":
            return True
        return self.introspect(token, mailbox.name)["username"].lower() == mailbox.name

    @staticmethod
    def high_volume(mailbox, told, said):
        """High Volume Email has replies of its own; `why` names them (texts.HVE)."""
        left = said.get("exp", 0) - time.time()
        known = (mailbox.name, said.get("appid"), said.get("exp"))
        if not said:
            return Verdict(REFUSED, "hve_malformed", *known)
        if left <= 0 or not told["active"]:
            return Verdict(REFUSED, "hve_expired", *known)
        if left < 600:
            return Verdict(REFUSED, "hve_expiring", *known)
        if HVE_PERMISSION not in told["scope"].split():
            return Verdict(REFUSED, "hve_permission", *known)
        if mailbox.hve_apps is not None and told["client_id"] not in mailbox.hve_apps:
            return Verdict(REFUSED, "hve_app", *known)
        return Verdict(OK, "", *known)
