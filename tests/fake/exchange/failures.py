"""Failures on demand: at one moment of a protocol, for one mailbox or for all."""

import threading
import time

from . import texts

MOMENTS = {
    "smtp": ("connect", "ehlo", "auth", "mail", "rcpt", "data", "end"),
    "imap": ("connect", "auth", "command"),
    "pop": ("connect", "auth", "command"),
}


def signature(text, mailbox="", sender=""):
    """A reply with everything the server puts into it."""
    now = time.gmtime()
    server = "[%s %s 08DE2A%010X]" % (texts.SERVER, time.strftime("%Y-%m-%dT%H:%M:%S.000Z",
                                                                 now), time.time_ns() >> 24 &
                                      0xffffffffff)
    return text.format(server=server, hostname="[Hostname=%s]" % texts.STORE,
                       mailbox=mailbox, sender=sender)


class Failure:
    """One that waits for its moment."""

    def __init__(self, settings):
        known = {"fail", "protocol", "at", "text", "close", "mailbox", "count", "challenge",
                 "reset"}
        if set(settings) - known:
            raise ValueError("unknown: " + ", ".join(sorted(set(settings) - known)))
        named = texts.FAILURES.get(settings["fail"]) if "fail" in settings else \
            (settings["protocol"], settings["at"], settings.get("text", ""))
        if named is None:
            raise ValueError("no such failure: %s" % settings["fail"])
        self.protocol, self.at, self.text = named[:3]
        if self.at not in MOMENTS.get(self.protocol, ()):
            raise ValueError("no such moment: %s %s" % (self.protocol, self.at))
        self.at = settings.get("at", self.at)
        self.close = settings.get("close", len(named) > 3)
        self.reset = settings.get("reset", False)
        self.challenge = settings.get("challenge")    # JSON of a server that says why
        self.mailbox = settings.get("mailbox")
        self.left = settings.get("count")

    def fits(self, protocol, at, mailbox):
        """Whether it is meant. Before a sign-in nobody knows the mailbox."""
        return (self.protocol, self.at) == (protocol, at) and \
            self.mailbox in (None, mailbox)


class Failures:
    """All that wait."""

    def __init__(self):
        self.lock = threading.Lock()
        self.waiting = []

    def add(self, settings):
        """One more, until cleared or used up."""
        with self.lock:
            self.waiting.append(Failure(settings))

    def clear(self):
        """Forgets them all."""
        with self.lock:
            self.waiting.clear()

    def take(self, protocol, at, mailbox=None):
        """The one meant for this moment, or None."""
        with self.lock:
            for failure in self.waiting:
                if not failure.fits(protocol, at, mailbox):
                    continue
                if failure.left is not None:
                    failure.left -= 1
                    if failure.left <= 0:
                        self.waiting.remove(failure)
                return failure
        return None
