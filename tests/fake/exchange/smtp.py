"""SMTP submission as smtp.office365.com does it: STARTTLS, AUTH LOGIN XOAUTH2, a message.

Nothing but EHLO is of use before TLS, AUTH is never offered there. Messages are taken or
refused in submission.py.
"""

import re

from . import failures, judge, texts
from .session import AUTH_LINE_MAX, Session
from .submission import Submission
from .wire import Gone

COMMAND_MAX = 2048 + 2
DATA_LINE_MAX = 1 << 20
SIZE_MAX = 157286400
EXTENSIONS = ("SIZE %d" % SIZE_MAX, "PIPELINING", "DSN", "ENHANCEDSTATUSCODES")
LAST_EXTENSIONS = ("8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8")
MAIL_PARAMETERS = ("SIZE", "BODY", "AUTH", "RET", "ENVID", "SMTPUTF8")
RCPT_PARAMETERS = ("NOTIFY", "ORCPT")
PATH = re.compile(r"(?:FROM|TO):\s*<([^<>\s]*)>((?: [^ ]+)*)", re.IGNORECASE)


class SmtpSession(Session):
    """RFC 5321, 3207, 4954, 3030."""

    protocol = "smtp"

    def __init__(self, state, wire):
        super().__init__(state, wire)
        self.hello = None
        self.message = None

    def greet(self):
        if self.failing("connect"):
            raise Gone
        self.say(failures.signature("220 %s Microsoft ESMTP MAIL Service ready at {server}"
                                    % texts.GREETER))

    def leave(self):
        if self.mailbox is not None and self in self.mailbox.submitting:
            self.mailbox.submitting.remove(self)

    def too_long(self):
        self.error("500 5.5.2 Line too long\r\n")

    def server(self, text):
        """A reply with the server's signature behind it."""
        self.say(failures.signature(text + " {server}"))

    def next_command(self):
        line = self.wire.line(AUTH_LINE_MAX)
        text = line.decode("utf-8", "replace")
        verb, _, rest = text.partition(" ")
        verb = verb.upper()
        if len(line) + 2 > COMMAND_MAX and verb != "AUTH":
            self.too_long()
            return
        command = getattr(self, "do_" + verb.lower(), None) if verb.isalpha() else None
        if command is None:
            self.error("500 5.3.3 Unrecognized command '%.40s'\r\n" % verb)
        else:
            command(rest.strip())

    # --- greeting and TLS

    def do_ehlo(self, name):
        """The extensions; AUTH only behind TLS, STARTTLS only before it."""
        if self.failing("ehlo"):
            return
        if not name:
            self.error("501 5.5.4 Invalid domain name\r\n")
            return
        self.hello, self.message = name, None
        words = ["%s Hello [127.0.0.1]" % texts.GREETER, *EXTENSIONS]
        mechanisms = self.state.mechanisms["smtp"]
        if not self.wire.secure:
            words.append("STARTTLS")
        elif mechanisms:
            words.append("AUTH " + " ".join(mechanisms))
        words += LAST_EXTENSIONS
        self.wire.send("".join("250%s%s\r\n" % ("-" if word is not words[-1] else " ", word)
                               for word in words))

    def do_helo(self, name):
        """No extensions."""
        if not name:
            self.error("501 5.5.4 Invalid domain name\r\n")
            return
        self.hello, self.message = name, None
        self.say("250 %s Hello [127.0.0.1]" % texts.GREETER)

    def do_starttls(self, rest):
        """Everything starts again behind it."""
        if self.wire.secure or rest:
            self.error("503 5.5.2 STARTTLS is not for this moment\r\n")
            return
        if self.hello is None:
            self.error("503 5.5.2 Send hello first\r\n")
            return
        self.say("220 2.0.0 SMTP server ready")
        self.hello = None
        self.wire.start_tls()

    # --- signing in

    def do_auth(self, rest):
        """LOGIN is there to be refused."""
        mechanism, _, inline = rest.partition(" ")
        mechanism = mechanism.upper()
        if self.hello is None:
            self.error("503 5.5.2 Send hello first\r\n")
        elif self.mailbox is not None:
            self.error("503 5.5.2 Already authenticated\r\n")
        elif not self.wire.secure or mechanism not in self.state.mechanisms["smtp"]:
            self.server("504 5.7.4 Unrecognized authentication type")
        elif mechanism == "LOGIN":
            self.login(inline)
        else:
            self.xoauth2(inline)

    def answer(self, challenge):
        """The client's line behind 334; None when it gives up."""
        self.say("334 " + challenge)
        line = self.wire.line(AUTH_LINE_MAX)
        if line == b"*":
            self.error("501 5.5.2 Authentication cancelled\r\n")
            return None
        return line

    def login(self, inline):
        """A user and a password."""
        user = inline.encode() or self.answer("VXNlcm5hbWU6")
        password = user and self.answer("UGFzc3dvcmQ6")
        if not password:
            return
        name = judge.user_of(user)
        mailbox = self.state.mailboxes.find(name)
        kind = mailbox.password if mailbox else "incorrect"
        self.note(judge.Verdict(judge.REFUSED, "password", name), "LOGIN", bool(inline))
        self.say(failures.signature(texts.PASSWORDS[kind]))

    def xoauth2(self, inline):
        """One message, inline or on a line of its own."""
        coded = inline.encode() if inline else self.answer("")
        if coded is None:
            return
        verdict, failure = self.judge(coded)
        self.note(verdict, "XOAUTH2", bool(inline), failure)
        if failure is not None:
            if failure.challenge and self.answer(judge.coded(failure.challenge)) is None:
                return
            self.fail(failure)
        elif verdict.outcome != judge.OK:
            self.refuse(verdict)
        else:
            self.let_in(verdict)

    def refuse(self, verdict):
        """Straight to the final reply: Exchange sends no challenge that says why."""
        if verdict.why == "not base64":
            self.error("501 5.5.2 Cannot decode the argument\r\n")
        else:
            self.say(failures.signature(texts.HVE.get(verdict.why, texts.CATCH_ALL)))

    def let_in(self, verdict):
        """The token is good; the switches are looked at last."""
        mailbox = self.state.mailboxes.find(verdict.user)
        off = self.state.mailboxes.smtp_disabled(mailbox)
        if off:
            self.say(failures.signature(texts.UNSUCCESSFUL % (texts.DISABLED % off)))
            return
        with self.state.lock:
            self.signed_in(verdict)
            mailbox.submitting.append(self)
        self.say("235 2.7.0 Authentication successful")

    # --- a message

    def path(self, rest, word, known):
        """(address, parameters) of MAIL or RCPT; None after an error was told."""
        found = PATH.fullmatch(rest)
        if not found or not rest.upper().startswith(word):
            self.error("501 5.5.4 Invalid address\r\n")
            return None
        parameters = dict(p.partition("=")[::2] for p in found.group(2).split())
        parameters = {name.upper(): value for name, value in parameters.items()}
        if set(parameters) - set(known):
            self.error("501 5.5.4 Unrecognized parameter\r\n")
            return None
        return found.group(1), parameters

    def do_mail(self, rest):
        """TLS, then a sign-in, then this."""
        if self.hello is None:
            self.error("503 5.5.2 Send hello first\r\n")
            return
        if not self.wire.secure:
            self.server("451 5.7.3 STARTTLS is required to send mail")
            return
        if self.mailbox is None:
            self.server("530 5.7.57 Client not authenticated to send mail.")
            return
        told = self.path(rest, "FROM:", MAIL_PARAMETERS)
        if told is None or self.failing("mail"):
            return
        if self.message is not None:
            self.error("503 5.5.2 Sender already specified\r\n")
        elif int(told[1].get("SIZE") or 0) > SIZE_MAX:
            self.say("552 5.3.4 Message size exceeds fixed maximum message size")
        else:
            self.message = Submission(self, told[0])
            self.say("250 2.1.0 Sender OK")

    def do_rcpt(self, rest):
        """Up to the mailbox's limit."""
        if self.message is None:
            self.error("503 5.5.2 Need mail command\r\n")
            return
        told = self.path(rest, "TO:", RCPT_PARAMETERS)
        if told is None or self.failing("rcpt"):
            return
        if len(self.message.recipients) >= self.mailbox.recipients:
            self.say("452 4.5.3 Too many recipients")
        elif "@" not in told[0]:
            self.error("501 5.1.3 Invalid address\r\n")
        else:
            self.message.recipients.append(told[0])
            self.say("250 2.1.5 Recipient OK")

    def do_data(self, rest):
        """To the line with a dot."""
        if self.message is None or not self.message.recipients or rest:
            self.error("503 5.5.2 Need rcpt command\r\n")
            return
        if self.failing("data"):
            return
        self.say("354 Start mail input; end with <CRLF>.<CRLF>")
        lines, size = [], 0
        while (line := self.wire.line(DATA_LINE_MAX)) != b".":
            size += len(line) + 2
            if size <= SIZE_MAX:
                lines.append(line[1:] if line.startswith(b".") else line)
        text = b"".join(line + b"\r\n" for line in lines)
        self.finish(text, size)

    def do_bdat(self, rest):
        """RFC 3030: a counted piece."""
        size, _, last = rest.partition(" ")
        if not size.isdigit() or int(size) > SIZE_MAX or last.upper() not in ("", "LAST"):
            self.error("501 5.5.4 Invalid argument\r\n")
            raise Gone
        piece = self.wire.exactly(int(size))
        if self.message is None or not self.message.recipients:
            self.error("503 5.5.2 Need rcpt command\r\n")
            return
        self.message.pieces += piece
        if last:
            self.finish(self.message.pieces, len(self.message.pieces))
        else:
            self.say("250 2.0.0 Chunk received")

    def finish(self, text, size):
        """The end of a message: whatever comes, the transaction is over."""
        message, self.message = self.message, None
        if size > SIZE_MAX:
            self.say("552 5.3.4 Message size exceeds fixed maximum message size")
            return
        failure = self.state.failures.take("smtp", "end", self.mailbox.name)
        if failure is not None:
            self.fail(failure, message.sender)
        else:
            self.say(message.submit(text))

    # --- the rest

    def do_rset(self, _):
        """Forgets the message, not the sign-in."""
        self.message = None
        self.say("250 2.0.0 Resetting")

    def do_noop(self, _):
        """Nothing."""
        self.say("250 2.0.0 OK")

    def do_vrfy(self, _):
        """Nobody is told who exists."""
        self.say("252 2.1.5 Cannot VRFY user")

    def do_quit(self, _):
        """Goodbye."""
        self.say("221 2.0.0 Service closing transmission channel")
        raise Gone
