#!/usr/bin/env python3
"""The mail server behind Dovecot's submission service: takes a message by SMTP on loopback
and puts it into the Maildir of each recipient, or of the catch-all mailbox.

No sign-in and no TLS here: Dovecot has done both. Writes its port to --port-file when it is
ready; ends on SIGTERM or after --lifetime seconds. Python's standard library only.
"""

import argparse
import mailbox
import os
import pwd
import signal
import socketserver
import sys
import threading

LINE_MAX = 2000
MESSAGE_MAX = 50 << 20


class Session(socketserver.StreamRequestHandler):
    """One SMTP session (RFC 5321)."""

    timeout = 60

    def reply(self, text):
        """One reply line, or several given with newlines."""
        lines = text.split("\n")
        for number, line in enumerate(lines):
            if number + 1 < len(lines):
                line = line[:3] + "-" + line[4:]
            self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self.recipients = []
        self.sender = None
        self.reply("220 smarthost.test ESMTP")
        while True:
            line = self.rfile.readline(LINE_MAX).decode("utf-8", "replace").rstrip("\r\n")
            if not line:
                return
            verb = line.split(" ", 1)[0].upper()
            if verb == "QUIT":
                self.reply("221 2.0.0 Bye")
                return
            self.command(verb, line)

    def command(self, verb, line):
        """Everything but QUIT."""
        if verb in ("EHLO", "HELO"):
            self.reply("250 smarthost.test\n250 8BITMIME\n250 SIZE %d\n"
                       "250 ENHANCEDSTATUSCODES\n250 PIPELINING" % MESSAGE_MAX)
        elif verb == "MAIL":
            self.sender, self.recipients = address(line), []
            self.reply("250 2.1.0 Ok")
        elif verb == "RCPT":
            self.recipients.append(address(line))
            self.reply("250 2.1.5 Ok")
        elif verb == "DATA" and self.recipients:
            self.reply("354 Go on")
            self.data()
        elif verb in ("RSET", "NOOP"):
            self.sender, self.recipients = None, []
            self.reply("250 2.0.0 Ok")
        else:
            self.reply("503 5.5.1 Not now")

    def data(self):
        """The message, up to the line with a dot; delivered once a mailbox."""
        lines = []
        while True:
            line = self.rfile.readline()
            if not line:
                return
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        head = b"Return-Path: <%s>\r\nDelivered-To: %s\r\n" % (
            self.sender.encode(), ", ".join(self.recipients).encode())
        for user in {self.server.mailbox_of(r) for r in self.recipients}:
            self.server.deliver(user, head + b"".join(lines))
        self.reply("250 2.0.0 Delivered")


def address(line):
    """What stands between < and > of MAIL or RCPT."""
    return line.partition("<")[2].partition(">")[0]


class Smarthost(socketserver.ThreadingTCPServer):
    """Delivers under one lock."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, directory, catch_all):
        self.directory = directory
        self.catch_all = catch_all
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), Session)

    def mailbox_of(self, recipient):
        """The recipient's own mailbox where it has one."""
        user = recipient.lower()
        if "/" not in user and os.path.isdir(os.path.join(self.directory, user)):
            return user
        return self.catch_all

    def deliver(self, user, message):
        """Into DIRECTORY/USER/Maildir."""
        with self.lock:
            folder = mailbox.Maildir(os.path.join(self.directory, user, "Maildir"))
            folder.add(message.replace(b"\r\n", b"\n"))


def main():
    """Becomes --user, listens, says where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mail", required=True, help="directory of the mailboxes")
    parser.add_argument("--catch-all", required=True)
    parser.add_argument("--port-file", required=True)
    parser.add_argument("--user", help="become this user")
    parser.add_argument("--lifetime", type=float, default=900)
    options = parser.parse_args()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    server = Smarthost(options.mail, options.catch_all)
    with open(options.port_file + ".new", "w", encoding="ascii") as stream:
        stream.write("%d\n" % server.server_address[1])
    os.rename(options.port_file + ".new", options.port_file)
    if options.user:
        entry = pwd.getpwnam(options.user)
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    stop.wait(options.lifetime)
    return 0


if __name__ == "__main__":
    sys.exit(main())
