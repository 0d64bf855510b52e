#!/usr/bin/env python3
"""A dialogue with a mail server, line by line, for the tests of the stand-in Exchange.
Python's standard library only.

usage: dialogue.py --server NAME --port PORT --ca FILE --token FILE --user USER STEP...

NAME is SMTP, IMAP or POP3, with an S behind it for TLS from the start. Prints what the server
says, "(closed)" when it hangs up. A step is a line to send, with a tag of its own in IMAP, or
  TLS           STARTTLS or STLS, and the handshake
  AUTH          XOAUTH2 with the response on a line of its own
  AUTH-INLINE   the same on the command's line
  RAW:TEXT      sent as it is (printf's escapes), nothing is awaited
  LONG:N:TEXT   TEXT followed by N letters
  WAIT:SECONDS  for a line that comes by itself
  MORE:TEXT     a line that is no command of its own
  OPEN:N        so many further connections that sign in, and stay
"""

import argparse
import base64
import re
import socket
import ssl
import sys

MULTILINE = re.compile(rb"(CAPA|RETR \d+|TOP .*|LIST|UIDL)$", re.IGNORECASE)


class Dialogue:
    """One connection."""

    def __init__(self, options):
        self.options = options
        self.wire = options.server[:4]
        self.context = ssl.create_default_context(cafile=options.ca)
        self.tag = 0
        self.buffer = b""
        self.sock = socket.create_connection(("127.0.0.1", options.port), timeout=15)
        if options.server.endswith("S"):
            self.handshake()
        self.reply(b"")

    def handshake(self):
        """TLS, and the name is checked."""
        self.sock = self.context.wrap_socket(self.sock, server_hostname="localhost")

    def line(self):
        """One of the server's lines, printed."""
        while b"\n" not in self.buffer:
            part = self.sock.recv(65536)
            if not part:
                print("(closed)")
                sys.exit(0)
            self.buffer += part
        text, _, self.buffer = self.buffer.partition(b"\n")
        print(text.decode("utf-8", "replace").rstrip("\r"))
        return text.rstrip(b"\r")

    def reply(self, command):
        """All lines of one reply."""
        line = self.line()
        if self.wire == "SMTP":
            while re.match(rb"\d{3}-", line):
                line = self.line()
        elif self.wire == "IMAP":
            while command and not line.startswith((b"+ ", b"t%d " % self.tag)):
                line = self.line()
        elif MULTILINE.match(command) and line.startswith(b"+OK"):
            while line != b".":
                line = self.line()

    def say(self, text):
        """A command, and its reply."""
        data = text.encode()
        if self.wire == "IMAP":
            self.tag += 1
            data = b"t%d %s" % (self.tag, data)
        self.sock.sendall(data + b"\r\n")
        self.reply(data)

    def go_on(self, data):
        """A line that is no command of its own."""
        self.sock.sendall(data + b"\r\n")
        self.reply(b"x")

    def response(self):
        """The XOAUTH2 message."""
        with open(self.options.token, "rb") as stream:
            token = stream.read().strip()
        return base64.b64encode(b"user=%s\1auth=Bearer %s\1\1" % (
            self.options.user.encode(), token))

    def step(self, step):
        """One of the command line's."""
        word, _, rest = step.partition(":")
        auth = "AUTHENTICATE" if self.wire == "IMAP" else "AUTH"
        if step == "TLS":
            self.say("STLS" if self.wire == "POP3" else "STARTTLS")
            self.handshake()
        elif step == "AUTH":
            self.say(auth + " XOAUTH2")
            self.go_on(self.response())
        elif step == "AUTH-INLINE":
            self.say("%s XOAUTH2 %s" % (auth, self.response().decode()))
        elif word == "RAW":
            self.sock.sendall(rest.encode().decode("unicode_escape").encode("latin-1"))
        elif word == "LONG":
            count, _, text = rest.partition(":")
            self.say(text + "x" * int(count))
        elif word == "WAIT":
            self.sock.settimeout(float(rest))
            self.line()
        elif word == "OPEN":
            self.others = [Dialogue(self.options) for _ in range(int(rest))]
            for other in self.others:
                other.say("EHLO me")
                other.step("TLS")
                other.say("EHLO me")
                other.step("AUTH")
        elif word == "MORE":
            self.go_on(rest.encode())
        else:
            self.say(step)


def main():
    """All the steps."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("server", "ca", "token", "user"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("steps", nargs="*")
    options = parser.parse_args()
    try:
        dialogue = Dialogue(options)
        for step in options.steps:
            dialogue.step(step)
    except (ConnectionError, ssl.SSLEOFError):
        print("(closed)")
    except TimeoutError:
        sys.exit("nothing more came")


if __name__ == "__main__":
    main()
