"""What SMTP, IMAP and POP3 sessions share: the dialogue's ends, the sign-in, failures."""

import ssl
import time

from . import failures, judge
from .wire import Gone, TooLong

AUTH_LINE_MAX = 12288 + 2         # RFC 4954 4
ERRORS_MAX = 10


class Session:
    """One connection from greeting to goodbye."""

    protocol = ""

    def __init__(self, state, wire):
        self.state = state
        self.wire = wire
        self.mailbox = None       # whose the session is, once signed in
        self.verdict = None
        self.began = time.time()
        self.errors = 0

    # --- each protocol has its own

    def greet(self):
        """The first line."""
        raise NotImplementedError

    def next_command(self):
        """Reads and answers one command."""
        raise NotImplementedError

    def too_long(self):
        """A line over the limit."""
        raise NotImplementedError

    def leave(self):
        """The session is over, however it ended."""

    # --- the dialogue

    def run(self):
        """Until the client goes, or is sent away."""
        try:
            self.state.count("connections", self.protocol)
            self.greet()
            while True:
                try:
                    self.next_command()
                except TooLong:
                    self.too_long()
        except (Gone, OSError, ssl.SSLError):
            pass
        finally:
            with self.state.lock:
                self.leave()
            self.wire.close()

    def error(self, reply):
        """The client's mistake: after too many of them it is sent away."""
        self.errors += 1
        self.wire.send(reply)
        if self.errors >= ERRORS_MAX:
            self.state.count("thrown_out", self.protocol)
            raise Gone

    def failing(self, at):
        """Says what somebody has ordered for this moment. True: the command is answered."""
        name = self.mailbox.name if self.mailbox else None
        failure = self.state.failures.take(self.protocol, at, name)
        return failure is not None and self.fail(failure)

    def fail(self, failure, sender=""):
        """The reply of a failure, in this protocol's form."""
        self.state.count("failures", self.protocol + "-" + failure.at)
        if failure.reset:
            self.wire.reset()
        name = self.mailbox.name if self.mailbox else ""
        self.say(failures.signature(failure.text, name, sender))
        if failure.close:
            raise Gone
        return True

    def say(self, text):
        """One reply; IMAP puts its tag in front."""
        self.wire.send(text + "\r\n")

    # --- signing in

    def judge(self, coded):
        """The Verdict of a client's XOAUTH2 line; an ordered failure comes first."""
        try:
            user, token = judge.parse(coded)
        except judge.Malformed as problem:
            return judge.Verdict(judge.REFUSED, str(problem), ""), None
        failure = self.state.failures.take(self.protocol, "auth", user.lower())
        verdict = self.state.judge.judge(self.protocol, user, token)
        return verdict, failure

    def note(self, verdict, mechanism, inline, failure=None):
        """For tests: who tried to sign in how, and what became of it."""
        with self.state.lock:
            self.state.sign_ins.append({
                "protocol": self.protocol, "mechanism": mechanism, "user": verdict.user,
                "inline": inline, "tls": self.wire.secure, "why": verdict.why,
                "outcome": "ordered" if failure else verdict.outcome})

    def signed_in(self, verdict):
        """The session is the mailbox's from now on."""
        self.mailbox = self.state.mailboxes.find(verdict.user)
        self.verdict = verdict

    def expired(self):
        """Whether the token's life is over, or somebody has said so."""
        return self.mailbox is not None and (
            time.time() >= self.verdict.expires or self.mailbox.ended_at > self.began)
