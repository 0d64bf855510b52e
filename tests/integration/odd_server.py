#!/usr/bin/env python3
"""A mail server that does one thing which a proper one does not, for the tests of
mailbearer-fetch. Python's standard library only.

usage: odd_server.py --kind KIND --dir DIR [--address ADDRESS] [--plain]

Writes its port to DIR/odd.port when it is ready. Each connection adds a line to DIR/odd.log:
what the client said, tokens left out ("TOKEN 1", "TOKEN 2": the first, another one).
TLS from the start unless --plain; the certificate is DIR/tls/server.pem.
"""

import argparse
import base64
import os
import re
import socket
import ssl
import sys
import threading
import time

GREETINGS = {"imap": b"* OK ready\r\n", "pop3": b"+OK ready\r\n", "smtp": b"220 odd ESMTP\r\n"}
BODY = b"".join(b"line %d of the message\r\n" % n for n in range(4000))


class Gone(Exception):
    """The client hung up."""


class Session:
    """One connection: lines in, lines out, a protocol by kind."""

    def __init__(self, server, connection):
        self.server = server
        self.kind = server.kind
        self.wire = server.wire
        self.sock = connection
        self.buffer = b""
        self.said = []

    def line(self):
        """The next line of the client's, without its end."""
        while b"\n" not in self.buffer:
            part = self.sock.recv(65536)
            if not part:
                raise Gone
            self.buffer += part
        text, _, self.buffer = self.buffer.partition(b"\n")
        return text.rstrip(b"\r")

    def send(self, text):
        """Bytes, as one write."""
        self.sock.sendall(text)

    def start_tls(self, extra=b""):
        """Answers STARTTLS; `extra` goes in the same segment, in plaintext."""
        yes = {"imap": self.tag + b" OK go\r\n", "pop3": b"+OK go\r\n",
               "smtp": b"220 go\r\n"}[self.wire]
        self.send(yes + extra)
        self.sock = self.server.tls.wrap_socket(self.sock, server_side=True)

    # --- the dialogue

    def capabilities(self, secure):
        """What is offered before or behind TLS."""
        mechanism = b"OAUTHBEARER" if self.kind == "bearer" else b"XOAUTH2"
        if self.kind == "passwords":
            mechanism = b"PLAIN LOGIN"
        starttls = not secure and self.kind != "no-starttls"
        if self.wire == "imap":
            words = [b"* CAPABILITY IMAP4rev1 IDLE"]
            words += [b"AUTH=" + m for m in mechanism.split()]
            words += [b"STARTTLS"] if starttls else []
            return b" ".join(words) + b"\r\n" + self.tag + b" OK done\r\n"
        if self.wire == "pop3":
            return (b"+OK\r\nUIDL\r\nSASL " + mechanism + b"\r\n" +
                    (b"STLS\r\n" if starttls else b"") + b".\r\n")
        return (b"250-odd\r\n" + (b"250-STARTTLS\r\n" if starttls else b"") +
                b"250 AUTH " + mechanism + b"\r\n")

    def serve(self, secure):
        """Greeting to sign-in; then the session."""
        if self.kind == "no-newline":
            self.send(b"x" * (1 << 20))
            return
        if self.kind == "silent":
            self.sock.recv(1)
            time.sleep(300)
        if self.kind == "drip":
            while True:
                self.send(b"x")
                time.sleep(0.5)
        if self.kind == "endless":
            while True:
                self.send(GREETINGS[self.wire][:1] + b" more\r\n")
        if self.kind == "busy":
            self.send({"imap": b"* BYE Request is throttled. Suggested Backoff Time: 5 ms\r\n",
                       "pop3": b"-ERR [SYS/TEMP] later\r\n",
                       "smtp": b"421 4.3.2 Service not active\r\n"}[self.wire])
            return
        self.send(GREETINGS[self.wire])
        while True:
            line = self.line()
            self.tag, _, command = line.partition(b" ") if self.wire == "imap" else \
                (b"", b"", line)
            verb = command.split(b" ")[0].upper()
            if verb in (b"CAPABILITY", b"CAPA", b"EHLO"):
                self.send(self.capabilities(secure))
            elif verb in (b"STARTTLS", b"STLS"):
                self.start_tls(self.injected())
                secure = True
            elif verb in (b"AUTHENTICATE", b"AUTH"):
                self.said.append(command.decode())
                if self.authenticate(command):
                    self.session()
                    return
            else:
                self.said.append("? " + command.decode("ascii", "replace"))
                return

    def injected(self):
        """What somebody on the way would add to a session."""
        if self.kind != "inject":
            return b""
        return {"imap": b"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\nA003 OK done\r\n",
                "pop3": b"+OK\r\nSASL XOAUTH2\r\n.\r\n",
                "smtp": b"250-odd\r\n250 AUTH XOAUTH2\r\n"}[self.wire]

    def authenticate(self, command):
        """Two lines and nothing else, as Exchange's POP3."""
        if len(command.split()) > 2:
            self.send(b"-ERR Protocol error. Connection is closed. 10\r\n")
            raise Gone
        self.send({"imap": b"+ \r\n", "pop3": b"+ \r\n", "smtp": b"334 \r\n"}[self.wire])
        coded = self.line()
        message = base64.b64decode(coded, validate=True)
        self.said.append("TOKEN %d" % self.server.number_of(message))
        no = {"imap": self.tag + b" NO ", "pop3": b"-ERR ", "smtp": b""}[self.wire]
        if self.kind == "refuse" or (self.kind == "refuse-once" and
                                     self.server.number_of(message) == 1):
            self.send(no + {"imap": b"AUTHENTICATE failed.",
                            "pop3": b"Authentication failure: unknown user name or bad "
                                    b"password.",
                            "smtp": b"535 5.7.139 Authentication unsuccessful, "
                                    b"SmtpClientAuthentication is disabled for the Mailbox. "
                                    b"Visit https://aka.ms/smtp_auth_disabled [X]"}[self.wire] +
                      b"\r\n")
            return False
        if self.kind == "echo":
            self.send(no + (b"500 " if self.wire == "smtp" else b"") +
                      b"what is " + coded + b"\r\n")
            return False
        if self.kind == "long-line":
            self.send(b"x" * (1 << 20) + b"\r\n")
            raise Gone
        yes = {"imap": self.tag + b" OK AUTHENTICATE completed.\r\n", "pop3": b"+OK in\r\n",
               "smtp": b"235 2.7.0 in\r\n"}[self.wire]
        if self.kind == "behind":
            yes = self.tag + b" OK [CAPABILITY IMAP4rev1] in\r\n* OK [ALERT] closing\r\n* 3 EXISTS\r\n"
        self.send(yes)
        return True

    # --- behind the sign-in

    def session(self):
        """IMAP's next question, and then what the kind does."""
        if self.wire == "smtp":
            self.line()
            self.send(b"250 odd\r\n")
        if self.wire == "imap" and self.kind != "behind":
            self.tag = self.line().split(b" ")[0]
            if self.kind == "not-connected":
                self.send(self.tag + b" BAD User is authenticated but not connected.\r\n")
                return
            self.send(b"* CAPABILITY IMAP4rev1 IDLE AUTH=XOAUTH2\r\n" + self.tag + b" OK\r\n")
        if self.kind == "sink":
            self.sink()
            return
        line = self.line()
        self.said.append("> " + line.decode("ascii", "replace"))
        if self.kind == "cut":
            self.send(b"* 1 FETCH (BODY[] {%d}\r\n" % len(BODY) + BODY[:len(BODY) // 2])
        elif self.kind == "reset":
            self.send(b"+ half\r\n")
            time.sleep(0.5)
            # closed at once, with a reset and no word of TLS
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        elif self.kind == "expire":
            self.send(b"+ idling\r\n")
            time.sleep(float(os.environ.get("IDLE", "2")))
            self.send(b"* BYE Session invalidated - AccessTokenExpired\r\n")
        else:
            self.send(b"seen " + line + b"\r\n")

    def sink(self):
        """SMTP: takes one message, dots as they came, into DIR/sink."""
        for answer in (b"250", b"250", b"354"):
            self.line()
            self.send(answer + b" ok\r\n")
        data = self.buffer
        with open(os.path.join(self.server.dir, "sink"), "wb") as stream:
            while not data.endswith(b"\r\n.\r\n"):
                if len(data) > 1 << 20: # the end may be cut in two
                    stream.write(data[:-8])
                    data = data[-8:]
                part = self.sock.recv(1 << 20)
                if not part:
                    raise Gone
                data += part
            stream.write(data)
        self.buffer = b""
        self.send(b"250 taken\r\n")
        self.line()
        self.send(b"221 bye\r\n")

    def run(self):
        """From the first byte to the line in the log."""
        secure = not self.server.plain
        try:
            if secure:
                self.sock = self.server.tls.wrap_socket(self.sock, server_side=True)
            self.serve(secure)
            if self.kind != "reset":
                self.sock = self.sock.unwrap() if isinstance(self.sock, ssl.SSLSocket) else self.sock
        except (Gone, OSError, ValueError) as error:
            self.said.append(type(error).__name__)
        self.sock.close()
        self.server.log(", ".join(self.said))


class Server:
    """Accepts, one thread a connection."""

    def __init__(self, options):
        self.dir = options.dir
        self.plain = options.plain
        self.wire, _, self.kind = options.kind.partition("-")
        self.tokens = []
        self.lock = threading.Lock()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(os.path.join(options.dir, "tls", "server.pem"),
                                 os.path.join(options.dir, "tls", "server.key"))
        self.listener = socket.create_server((options.address, 0))
        with open(os.path.join(self.dir, "odd.port.new"), "w", encoding="ascii") as stream:
            stream.write("%d\n" % self.listener.getsockname()[1])
        os.rename(os.path.join(self.dir, "odd.port.new"), os.path.join(self.dir, "odd.port"))

    def number_of(self, message):
        """1 for the first token that was ever sent, 2 for another one ..."""
        token = re.sub(rb"^.*?auth=Bearer ", b"", message, flags=re.S)
        with self.lock:
            if token not in self.tokens:
                self.tokens.append(token)
            return self.tokens.index(token) + 1

    def log(self, text):
        """A line in odd.log."""
        with self.lock, open(os.path.join(self.dir, "odd.log"), "a", encoding="utf-8") as stream:
            stream.write(text + "\n")

    def run(self):
        """For ever."""
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=Session(self, connection).run, daemon=True).start()


def main():
    """Until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", required=True, help="PROTOCOL-WHAT, e.g. imap-refuse")
    parser.add_argument("--dir", required=True)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--plain", action="store_true")
    Server(parser.parse_args()).run()


if __name__ == "__main__":
    sys.exit(main())
