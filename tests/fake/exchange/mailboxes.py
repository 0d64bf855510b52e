"""Mailboxes: what each is allowed, what is in it, and what it sent.

Settings of a mailbox (admin command `mailbox`); the organisation's own are in ORGANISATION
(admin command `organisation`). Names follow Set-CASMailbox and its kin.
"""

import time
import zlib
from collections import deque

DAY, MINUTE = 86400, 60

SETTINGS = {
    "smtp_disabled": None,    # -SmtpClientAuthenticationDisabled; None: the organisation's
    "imap": True,             # -ImapEnabled
    "pop": True,              # -PopEnabled
    "password": "basic_disabled",  # what a password gets: a name of texts.PASSWORDS
    "hve": False,             # a High Volume Email account
    "hve_apps": None,         # client ids its allow list has; None: every one
    "rbac_apps": [],          # client ids that may send by a role in Exchange, without `roles`
    "send_as": [],            # further addresses it may send as
    "full": False,            # Sent Items filled it up
    "send_size": 36700160,    # -MaxSendSize
    "recipients": 500,        # -RecipientLimits, for one message
    "recipients_day": 10000,
    "connections": 3,         # submissions at the same time
    "rate": 30,               # messages a minute; more are delayed
    "rate_delay": 0.5,        # by so many seconds each
    "sessions": 20,           # IMAP sessions at the same time
}
ORGANISATION = {"smtp_disabled": False}
DEFAULT = ("relay@contoso.com", "alice@contoso.com", "bob@contoso.com", "shared@contoso.com")


class Message:
    """One message in a mailbox; `text` has CRLF line ends."""

    def __init__(self, uid, text, sender=None, recipients=()):
        self.uid = uid
        self.text = text
        self.sender = sender
        self.recipients = list(recipients)
        self.flags = set()
        self.at = time.time()

    def report(self):
        """For the admin interface."""
        return {"uid": self.uid, "from": self.sender, "to": self.recipients,
                "text": self.text.decode("utf-8", "replace"), "flags": sorted(self.flags)}


class Mailbox:
    """Its settings, its INBOX, and how busy it is."""

    def __init__(self, name):
        self.name = name
        self.settings = dict(SETTINGS)
        self.inbox = []
        self.next_uid = 1
        self.uid_validity = 1 + zlib.crc32(name.encode()) % 100000
        self.submitting = []      # SMTP sessions that signed in, oldest first
        self.imap_open = 0        # IMAP sessions
        self.pop_session = None
        self.ended_at = 0         # admin command `expire`: older sessions are cut
        self.sent = deque(maxlen=20000)   # (time, recipients) of each message
        self.delayed = 0

    def __getattr__(self, name):
        try:
            return self.__dict__["settings"][name]
        except KeyError:
            raise AttributeError(name) from None

    def deliver(self, text, sender=None, recipients=()):
        """A new message in INBOX."""
        message = Message(self.next_uid, text, sender, recipients)
        self.next_uid += 1
        self.inbox.append(message)
        return message

    def sent_since(self, seconds):
        """(messages, recipients) of the last so many seconds."""
        since = time.time() - seconds
        last = [count for when, count in self.sent if when >= since]
        return len(last), sum(last)

    def report(self):
        """For the admin interface."""
        messages, recipients = self.sent_since(DAY)
        return {"settings": self.settings, "messages": len(self.inbox), "sent": messages,
                "sent_recipients": recipients, "submitting": len(self.submitting),
                "sessions": self.imap_open, "delayed": self.delayed}


class Mailboxes:
    """All of them, and what left for somewhere else."""

    def __init__(self, names=DEFAULT):
        self.known = {name: Mailbox(name) for name in names}
        self.organisation = dict(ORGANISATION)
        self.elsewhere = []

    def find(self, name):
        """None when there is none of that name."""
        return self.known.get(name.lower())

    def get(self, name):
        """For the admin interface: a name that is not there is the test's mistake."""
        mailbox = self.find(name)
        if mailbox is None:
            raise ValueError("no such mailbox: " + name)
        return mailbox

    def set(self, name, changes):
        """Adds a mailbox or changes its settings."""
        unknown = set(changes) - set(SETTINGS)
        if unknown:
            raise ValueError("unknown setting: " + ", ".join(sorted(unknown)))
        mailbox = self.known.setdefault(name.lower(), Mailbox(name.lower()))
        mailbox.settings.update(changes)

    def set_organisation(self, changes):
        """Changes the organisation's settings."""
        unknown = set(changes) - set(ORGANISATION)
        if unknown:
            raise ValueError("unknown setting: " + ", ".join(sorted(unknown)))
        self.organisation.update(changes)

    def smtp_disabled(self, mailbox):
        """"Mailbox", "Tenant" or None: who has switched SMTP sign-ins off."""
        if mailbox.smtp_disabled is not None:
            return "Mailbox" if mailbox.smtp_disabled else None
        return "Tenant" if self.organisation["smtp_disabled"] else None

    def send(self, sender, recipients, text):
        """To mailboxes that are here, and out of the organisation."""
        away = []
        for name in dict.fromkeys(r.lower() for r in recipients):
            mailbox = self.find(name)
            if mailbox is None:
                away.append(name)
            else:
                mailbox.deliver(text, sender, recipients)
        if away:
            self.elsewhere.append(Message(len(self.elsewhere) + 1, text, sender, away))
