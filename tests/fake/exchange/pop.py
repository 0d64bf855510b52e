"""POP3 as outlook.office365.com does it.

AUTH XOAUTH2 takes two lines: a response on the AUTH line, or a token of more than 4096
characters, ends the connection.
"""

import base64

from . import judge
from .session import AUTH_LINE_MAX, Session
from .wire import Gone

COMMAND_MAX = 255                 # RFC 5034 4
TOKEN_MAX = 4096
REFUSED = "-ERR Authentication failure: unknown user name or bad password."
PASSWORD_REFUSED = "-ERR Logon failure: unknown user name or bad password."
PROTOCOL_ERROR = "-ERR Protocol error. Connection is closed. 10"
WRONG_STATE = "-ERR Command is not valid in this state."
SIGNED_IN = ("STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "RSET", "NOOP")


class PopSession(Session):
    """RFC 1939, 2449, 2595, 5034."""

    protocol = "pop"

    def __init__(self, state, wire):
        super().__init__(state, wire)
        self.messages = []
        self.deleted = set()
        self.user = None

    def greet(self):
        if self.failing("connect"):
            raise Gone
        self.say("+OK The Microsoft Exchange POP3 service is ready. [%s]" %
                 base64.b64encode(b"LO2P265CA0017.GBRP265.PROD.OUTLOOK.COM").decode())

    def leave(self):
        if self.mailbox is not None and self.mailbox.pop_session is self:
            self.mailbox.pop_session = None

    def too_long(self):
        self.say(PROTOCOL_ERROR)
        raise Gone

    def next_command(self):
        line = self.wire.line(AUTH_LINE_MAX)
        text = line.decode("utf-8", "replace")
        verb, _, rest = text.partition(" ")
        verb = verb.upper()
        if len(line) + 2 > COMMAND_MAX:
            self.too_long()
        if self.expired() and verb != "QUIT":
            self.state.count("cut", self.protocol)
            self.say("-ERR Session invalidated - AccessTokenExpired")
            raise Gone
        command = getattr(self, "do_" + verb.lower(), None) if verb.isalpha() else None
        if command is None:
            self.error("-ERR Protocol error. 14\r\n")
        elif verb in SIGNED_IN and self.mailbox is None:
            self.error(WRONG_STATE + "\r\n")
        elif self.mailbox is None or verb == "QUIT" or not self.failing("command"):
            command(rest.strip())

    def do_capa(self, _):
        """SASL and USER behind TLS, STLS before it."""
        words = ["TOP", "UIDL"]
        if not self.wire.secure:
            words.append("STLS")
        elif self.mailbox is None:
            words += ["SASL " + " ".join(self.state.mechanisms["pop"]), "USER"]
        self.wire.send("+OK\r\n" + "".join(word + "\r\n" for word in words) + ".\r\n")

    def do_stls(self, _):
        """Once."""
        if self.wire.secure:
            self.error(WRONG_STATE + "\r\n")
            return
        self.say("+OK Begin TLS negotiation.")
        self.wire.start_tls()

    # --- signing in

    def do_user(self, name):
        """Half a password sign-in."""
        if not self.wire.secure or self.mailbox is not None:
            self.error(WRONG_STATE + "\r\n")
            return
        self.user = name.lower()
        self.say("+OK")

    def do_pass(self, _):
        """The other half: refused."""
        if self.user is None:
            self.error(WRONG_STATE + "\r\n")
            return
        self.note(judge.Verdict(judge.REFUSED, "password", self.user), "USER", False)
        self.user = None
        self.say(PASSWORD_REFUSED)

    def do_auth(self, rest):
        """Two lines, or none."""
        words = rest.split()
        if not self.wire.secure or self.mailbox is not None:
            self.error(WRONG_STATE + "\r\n")
        elif len(words) > 1:
            self.note(judge.Verdict(judge.REFUSED, "inline", ""), words[0].upper(), True)
            self.say(PROTOCOL_ERROR)
            raise Gone
        elif not words or words[0].upper() not in self.state.mechanisms["pop"]:
            self.error("-ERR Protocol error. 14\r\n")
        else:
            self.xoauth2(words[0].upper())

    def answer(self, challenge):
        """The client's line behind +; None when it gives up."""
        self.say("+ " + challenge if challenge else "+")
        line = self.wire.line(AUTH_LINE_MAX)
        return None if line == b"*" else line

    def xoauth2(self, mechanism):
        """The second line."""
        coded = self.answer("")
        if coded is None:
            self.say("-ERR The AUTH protocol exchange was canceled by the client.")
            return
        if mechanism != "XOAUTH2":
            self.note(judge.Verdict(judge.REFUSED, "password", ""), mechanism, False)
            self.say(REFUSED)
            return
        verdict, failure = self.judge(coded)
        self.note(verdict, mechanism, False, failure)
        if self.too_large(coded):
            self.say(PROTOCOL_ERROR)
            raise Gone
        if failure is not None:
            if failure.challenge:
                self.answer(judge.coded(failure.challenge))
            self.fail(failure)
        elif verdict.outcome != judge.OK:
            self.say(REFUSED)
        else:
            with self.state.lock:
                told = self.open(verdict)
            self.say(told)

    @staticmethod
    def too_large(coded):
        """More than the front end takes."""
        try:
            return len(judge.parse(coded)[1]) > TOKEN_MAX
        except judge.Malformed:
            return False

    def open(self, verdict):
        """The mailbox, for one session at a time."""
        box = self.state.mailboxes.find(verdict.user)
        if not box.pop:
            return REFUSED
        if box.pop_session is not None:
            return "-ERR [IN-USE] Mailbox is in use."
        self.signed_in(verdict)
        box.pop_session = self
        self.messages = list(box.inbox)
        return "+OK User successfully authenticated."

    # --- messages

    def left(self):
        """[(number, message)] of those not deleted."""
        return [(n, m) for n, m in enumerate(self.messages, 1) if n not in self.deleted]

    def number(self, text):
        """A message by its number; None, and the client is told, when there is none."""
        number = int(text) if text.isdigit() else 0
        if not 1 <= number <= len(self.messages) or number in self.deleted:
            self.say("-ERR The specified message is out of range.")
            return None
        return number

    def do_stat(self, _):
        """How many, how large."""
        self.say("+OK %d %d" % (len(self.left()), sum(len(m.text) for _, m in self.left())))

    def listing(self, rest, value):
        """LIST and UIDL, of one message or of all."""
        if rest:
            number = self.number(rest)
            if number is not None:
                self.say("+OK %d %s" % (number, value(self.messages[number - 1])))
            return
        self.wire.send("+OK\r\n" + "".join("%d %s\r\n" % (n, value(m))
                                           for n, m in self.left()) + ".\r\n")

    def do_list(self, rest):
        """Sizes."""
        self.listing(rest, lambda m: str(len(m.text)))

    def do_uidl(self, rest):
        """What stays the same from session to session."""
        validity = self.mailbox.uid_validity
        self.listing(rest, lambda m: "%d.%d" % (validity, m.uid))

    def send_text(self, text):
        """With dots doubled, up to the line with one."""
        stuffed = b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n"
                           for line in text.split(b"\r\n"))
        self.wire.send(b"+OK\r\n" + stuffed + b".\r\n")

    def do_retr(self, rest):
        """The whole of it."""
        number = self.number(rest)
        if number is not None:
            self.send_text(self.whole(number))

    def whole(self, number):
        """A message without its last line end, which send_text adds."""
        text = self.messages[number - 1].text
        return text[:-2] if text.endswith(b"\r\n") else text

    def do_top(self, rest):
        """The head and some lines."""
        which, _, count = rest.partition(" ")
        if not count.isdigit():
            self.error("-ERR Protocol error. 14\r\n")
            return
        number = self.number(which)
        if number is not None:
            head, _, text = self.whole(number).partition(b"\r\n\r\n")
            lines = text.split(b"\r\n")[:int(count)]
            self.send_text(b"\r\n".join([head, b"", *lines]))

    def do_dele(self, rest):
        """Goes with QUIT."""
        number = self.number(rest)
        if number is not None:
            self.deleted.add(number)
            self.say("+OK")

    def do_rset(self, _):
        """Nothing is deleted."""
        self.deleted.clear()
        self.say("+OK")

    def do_noop(self, _):
        """Nothing."""
        self.say("+OK")

    def do_quit(self, _):
        """Deleted messages go now."""
        if self.mailbox is not None:
            with self.state.lock:
                gone = [self.messages[n - 1] for n in self.deleted]
                self.mailbox.inbox = [m for m in self.mailbox.inbox if m not in gone]
        self.say("+OK Microsoft Exchange Server POP3 server signing off.")
        raise Gone
