"""IMAP as outlook.office365.com does it: the sign-in and enough of a mailbox to read mail.

A good token for a mailbox that cannot be opened is taken, and every command behind it is
answered `User is authenticated but not connected.` A session ends when its token does.
"""

import base64
import re

from . import judge
from .imap_mailbox import Selected
from .imap_words import BadArguments, read_words
from .session import AUTH_LINE_MAX, Session
from .wire import Gone

LINE_MAX = 65536
LITERAL_MAX = 150 << 20
LITERAL = re.compile(rb"\{(\d{1,10})(\+?)\}$")
CAPABILITIES = "SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+"
WITHOUT_MAILBOX = ("CAPABILITY", "NOOP", "LOGOUT", "ID")
SIGNING_IN = ("STARTTLS", "AUTHENTICATE", "LOGIN")
WITH_SELECTED = ("CLOSE", "UNSELECT", "CHECK", "EXPUNGE", "SEARCH", "FETCH", "STORE", "UID")
WATCH_SECONDS = 0.1


class ImapSession(Session):
    """RFC 3501, 4959, 2177, 3691, 4315 in part."""

    protocol = "imap"

    def __init__(self, state, wire):
        super().__init__(state, wire)
        self.tag = ""
        self.connected = False    # the mailbox was opened
        self.unconnected = False  # signed in, and that is all
        self.selected = None

    def greet(self):
        if self.failing("connect"):
            raise Gone
        self.untagged("OK The Microsoft Exchange IMAP4 service is ready. [%s]" %
                      base64.b64encode(b"LO2P265CA0017.GBRP265.PROD.OUTLOOK.COM").decode())

    def leave(self):
        if self.connected:
            self.mailbox.imap_open -= 1

    def too_long(self):
        self.error("* BAD Command Error. 10\r\n")

    def untagged(self, text):
        """A line on the server's own behalf."""
        self.wire.send("* " + text + "\r\n")

    def say(self, text):
        """The end of a command; what begins with * has no tag."""
        self.wire.send(text + "\r\n" if text.startswith("* ") else
                       "%s %s\r\n" % (self.tag, text))

    def cut(self):
        """The token's life is over."""
        self.untagged("BYE Session invalidated - AccessTokenExpired")
        self.state.count("cut", self.protocol)
        raise Gone

    # --- commands

    def read_command(self):
        """A line, with the literals it announces in their place."""
        line = self.wire.line(LINE_MAX)
        literals = []
        while found := LITERAL.search(line):
            size = int(found.group(1))
            if size > LITERAL_MAX:
                self.error("* BAD Command Argument Error. 11\r\n")
                raise Gone
            if not found.group(2):
                self.wire.send("+ Ready for additional command text.\r\n")
            literals.append(self.wire.exactly(size))
            line = line[:found.start()] + b"{}" + self.wire.line(LINE_MAX)
        return line.decode("utf-8", "replace"), literals

    def next_command(self):
        while self.mailbox is not None and not self.wire.says_something(WATCH_SECONDS):
            if self.expired():
                self.cut()
        text, literals = self.read_command()
        self.tag, _, rest = text.partition(" ")
        verb, _, rest = rest.partition(" ")
        verb = verb.upper()
        if not self.tag or not verb.isalpha():
            self.tag = self.tag or "*"
            self.error("%s BAD Command Error. 12\r\n" % self.tag)
            return
        if self.expired() and verb != "LOGOUT":
            self.cut()
        command = getattr(self, "do_" + verb.lower(), None)
        if command is None:
            self.error("%s BAD Command Error. 12\r\n" % self.tag)
        elif self.allowed(verb):
            try:
                command(rest if verb in SIGNING_IN else read_words(rest, literals))
            except (BadArguments, IndexError, ValueError):
                self.error("%s BAD Command Argument Error. 11\r\n" % self.tag)

    def allowed(self, verb):
        """Whether the command is for this state; says so when it is not."""
        if self.unconnected and verb != "LOGOUT":
            self.say("BAD User is authenticated but not connected.")
            return False
        if self.connected and verb != "LOGOUT" and self.failing("command"):
            return False
        needs_no_more = verb in WITHOUT_MAILBOX or \
            (verb in SIGNING_IN) != (self.mailbox is not None)
        if not needs_no_more or (verb in WITH_SELECTED and self.selected is None):
            self.error("%s BAD Command received in Invalid state.\r\n" % self.tag)
            return False
        return True

    def do_capability(self, _):
        """LOGINDISABLED before TLS, the mechanisms behind it."""
        words = ["IMAP4 IMAP4rev1"]
        if not self.wire.secure:
            words += ["LOGINDISABLED", "STARTTLS"]
        elif not self.mailbox:
            words += ["AUTH=" + name for name in self.state.mechanisms["imap"]]
        self.untagged("CAPABILITY %s %s" % (" ".join(words), CAPABILITIES))
        self.say("OK CAPABILITY completed.")

    def do_noop(self, _):
        """New mail is told."""
        if self.selected:
            self.wire.send(self.selected.news())
        self.say("OK NOOP completed.")

    do_check = do_noop

    def do_id(self, _):
        """RFC 2971."""
        self.untagged('ID ("name" "Microsoft.Exchange.Imap4.Imap4Server" "version" "15.20")')
        self.say("OK ID completed")

    def do_logout(self, _):
        """Goodbye."""
        self.untagged("BYE Microsoft Exchange Server IMAP4 server signing off.")
        self.say("OK LOGOUT completed.")
        raise Gone

    # --- signing in

    def do_starttls(self, rest):
        """Once."""
        if self.wire.secure or rest:
            self.error("%s BAD Command received in Invalid state.\r\n" % self.tag)
            return
        self.say("OK Begin TLS negotiation now.")
        self.wire.start_tls()

    def do_login(self, rest):
        """Passwords are over; before TLS not even asked for."""
        name = rest.partition(" ")[0].strip('"').lower()
        self.note(judge.Verdict(judge.REFUSED, "password", name), "LOGIN", True)
        if self.wire.secure:
            self.say("NO LOGIN failed.")
        else:
            self.error("%s BAD Command received in Invalid state.\r\n" % self.tag)

    def do_authenticate(self, rest):
        """XOAUTH2 with or without the response on the same line."""
        mechanism, _, inline = rest.partition(" ")
        mechanism = mechanism.upper()
        if not self.wire.secure:
            self.error("%s BAD Command received in Invalid state.\r\n" % self.tag)
            return
        if mechanism not in self.state.mechanisms["imap"]:
            self.say("NO AUTHENTICATE failed.")
            return
        coded = inline.encode() if inline else self.answer("")
        if coded is None:
            self.say("BAD The AUTH protocol exchange was canceled by the client.")
        elif mechanism == "PLAIN":
            self.note(judge.Verdict(judge.REFUSED, "password", ""), "PLAIN", bool(inline))
            self.say("NO AUTHENTICATE failed.")
        else:
            self.xoauth2(coded, bool(inline))

    def answer(self, challenge):
        """The client's line behind +; None when it gives up."""
        self.wire.send("+ %s\r\n" % challenge)
        line = self.wire.line(AUTH_LINE_MAX)
        return None if line == b"*" else line

    def xoauth2(self, coded, inline):
        """Yes, no, or yes to the token and no to the mailbox."""
        verdict, failure = self.judge(coded)
        self.note(verdict, "XOAUTH2", inline, failure)
        if failure is not None:
            if failure.challenge:
                self.answer(judge.coded(failure.challenge))
            self.fail(failure)
            return
        if verdict.outcome == judge.REFUSED:
            self.say("NO AUTHENTICATE failed.")
            return
        with self.state.lock:
            self.open(verdict)
        self.say("OK AUTHENTICATE completed.")

    def open(self, verdict):
        """The mailbox, if it is to be had."""
        self.signed_in(verdict)
        box = self.mailbox
        self.connected = verdict.outcome == judge.OK and box.imap and \
            box.imap_open < box.sessions
        self.unconnected = not self.connected
        box.imap_open += self.connected

    # --- folders: INBOX and nothing else

    def do_namespace(self, _):
        """RFC 2342."""
        self.untagged('NAMESPACE (("" "/")) NIL NIL')
        self.say("OK NAMESPACE completed.")

    def do_list(self, words):
        """INBOX, where the pattern lets it."""
        pattern = words[1].upper()
        if pattern == "":
            self.untagged('LIST (\\Noselect) "/" ""')
        elif pattern in ("*", "%", "INBOX", "INBOX*", "INBOX%"):
            self.untagged('LIST (\\HasNoChildren) "/" INBOX')
        self.say("OK LIST completed.")

    def do_lsub(self, words):
        """As LIST."""
        if words[1].upper() in ("*", "%", "INBOX"):
            self.untagged('LSUB (\\HasNoChildren) "/" INBOX')
        self.say("OK LSUB completed.")

    def do_status(self, words):
        """Numbers of INBOX."""
        if self.no_such_folder(words[0]):
            return
        numbers = Selected(self.mailbox, False).numbers()
        told = " ".join("%s %d" % (w.upper(), numbers[w.upper()]) for w in words[1]
                        if w.upper() in numbers)
        self.untagged("STATUS INBOX (%s)" % told)
        self.say("OK STATUS completed.")

    def no_such_folder(self, name):
        """Says so."""
        if name.upper() == "INBOX":
            return False
        self.say("NO %s doesn't exist." % name)
        return True

    def do_select(self, words, writable=True):
        """INBOX is opened."""
        self.selected = None
        if self.no_such_folder(words[0]):
            return
        self.selected = Selected(self.mailbox, writable)
        self.wire.send(self.selected.greeting())
        self.say("OK [READ-%s] %s completed." % (
            ("WRITE", "SELECT") if writable else ("ONLY", "EXAMINE")))

    def do_examine(self, words):
        """The same, to look at."""
        self.do_select(words, False)

    def do_unselect(self, _):
        """RFC 3691."""
        self.selected = None
        self.say("OK UNSELECT completed.")

    def do_close(self, _):
        """Deleted messages go, quietly."""
        with self.state.lock:
            self.selected.expunge()
        self.selected = None
        self.say("OK CLOSE completed.")

    def do_append(self, words):
        """A message into INBOX."""
        if self.no_such_folder(words[0]):
            return
        if not isinstance(words[-1], bytes):
            raise BadArguments
        with self.state.lock:
            message = self.mailbox.deliver(words[-1], self.mailbox.name)
        self.say("OK [APPENDUID %d %d] APPEND completed." % (self.mailbox.uid_validity,
                                                             message.uid))

    # --- messages

    def do_search(self, words, by_uid=False):
        """Numbers of messages."""
        self.untagged(" ".join(["SEARCH", *map(str, self.selected.search(words, by_uid))]))
        self.say("OK SEARCH completed.")

    def do_fetch(self, words, by_uid=False):
        """Their parts."""
        with self.state.lock:
            parts = list(self.selected.fetch(words, by_uid))
        for part in parts:
            self.wire.send(part)
        self.say("OK FETCH completed.")

    def do_store(self, words, by_uid=False):
        """Their flags."""
        with self.state.lock:
            told = self.selected.store(words, by_uid)
        self.wire.send(told)
        self.say("OK STORE completed.")

    def do_expunge(self, _):
        """Deleted messages go."""
        with self.state.lock:
            told = self.selected.expunge()
        self.wire.send(told)
        self.say("OK EXPUNGE completed.")

    def do_uid(self, words):
        """The three that know UIDs."""
        command = {"FETCH": self.do_fetch, "SEARCH": self.do_search,
                   "STORE": self.do_store}.get(words[0].upper())
        if command is None:
            raise BadArguments
        command(words[1:], True)

    def do_idle(self, _):
        """RFC 2177: until DONE, or until the token's life is over."""
        self.wire.send("+ IDLE accepted, awaiting DONE command.\r\n")
        while not self.wire.says_something(WATCH_SECONDS):
            if self.expired():
                self.cut()
            if self.selected:
                self.wire.send(self.selected.news())
        if self.wire.line(LINE_MAX).upper() != b"DONE":
            raise BadArguments
        self.say("OK IDLE completed.")
