#!/usr/bin/env python3
"""A mail program at a local port. Python's standard library only.

usage: port_client.py ACTION WHERE [ARGUMENT...]   WHERE is a TCP port or a socket's path
  say WHERE FILE            what FILE holds at once, half-close; prints all answers
  lines WHERE FILE          line by line, each after an answer; prints all answers
  hold WHERE N              N connections that say nothing; prints how long each lived (s)
  crowd WHERE N NAME PASS   N sessions of IMAP at once, signed in; prints "in N", waits for
                            a line of standard input, ends each with LOGOUT
  guess WHERE N NAME        N wrong passwords, a connection each; prints the milliseconds
  guess-at-once WHERE N NAME  the same, all at the same time; prints those of all
  large WHERE BYTES         so many bytes without a line end; prints the answers
  wrong WHERE N NAME        N wrong passwords in one connection; prints the answers
  idle-in WHERE NAME PASS   signs in to IMAP, prints "in", then what comes until the end
  burst WHERE CA NAME PASS  IMAP by TLS, all in one record of 12 kB; prints the answers
  starttls WHERE CA NAME PASS   IMAP with STARTTLS; prints the answers
  inject WHERE              IMAP: STARTTLS and a command in one segment; prints the answers
Line ends are CRLF in FILE.
"""

import os
import socket
import ssl
import sys
import threading
import time


def connect(where):
    """To a port or path."""
    if where.isdigit():
        return socket.create_connection(("127.0.0.1", int(where)), 60)
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    s.connect(where)
    return s


def read_all(s):
    """Until the end."""
    parts = []
    while True:
        try:
            part = s.recv(65536)
        except ConnectionResetError:
            part = b""
        if not part:
            return b"".join(parts)
        parts.append(part)


class Lines:
    """A connection by lines."""

    def __init__(self, s):
        self.s, self.buffer = s, b""

    def line(self):
        """One, or b"" at the end."""
        while b"\n" not in self.buffer:
            try:
                part = self.s.recv(65536)
            except ConnectionResetError:
                part = b""
            if not part:
                return b""
            self.buffer += part
        text, _, self.buffer = self.buffer.partition(b"\n")
        return text + b"\n"

    def until(self, start):
        """The line that begins so, all before it being printed."""
        while True:
            text = self.line()
            show(text)
            if not text or text.startswith(start):
                return text


def show(data):
    """On standard output."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def quoted(text):
    """An IMAP string."""
    return b'"' + text.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def login(name, password):
    """IMAP's command."""
    return b"a LOGIN " + quoted(name) + b" " + quoted(password) + b"\r\n"


def say(where, path):
    """Everything, then the end."""
    with connect(where) as s, open(path, "rb") as data:
        try:
            s.sendall(data.read())
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it was turned away
        show(read_all(s))


def lines(where, path):
    """Waits for an answer before each line."""
    with connect(where) as s, open(path, "rb") as data:
        for line in data:
            show(s.recv(65536))
            s.sendall(line)
        show(read_all(s))


def hold(where, count):
    """Nothing is said."""
    lived = [0.0] * int(count)
    many = [connect(where) for _ in lived]
    start = time.monotonic()

    def one(i):
        read_all(many[i])
        lived[i] = time.monotonic() - start
    run([threading.Thread(target=one, args=(i,)) for i in range(len(many))])
    print(" ".join("%d" % t for t in lived))


def run(threads):
    """All of them, to the end."""
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def crowd(where, count, name, password):
    """Signed in, all of them."""
    many = [None] * int(count)

    def one(i):
        c = Lines(connect(where))
        c.line()
        c.s.sendall(login(name, password))
        text = c.line()
        while text and not text.startswith(b"a "):
            text = c.line()
        c.s.sendall(b"b SELECT INBOX\r\n")
        while text and not text.startswith(b"b "):
            text = c.line()
        many[i] = c if text.startswith(b"b OK") else None
    run([threading.Thread(target=one, args=(i,)) for i in range(len(many))])
    print("in %d" % sum(c is not None for c in many), flush=True)
    sys.stdin.readline()
    ended = 0
    for c in many:
        if c is None:
            continue
        c.s.sendall(b"c LOGOUT\r\n")
        ended += b"c OK" in read_all(c.s)
    print("ended %d" % ended)


def guess_one(where, name):
    """One wrong password; the answer."""
    c = Lines(connect(where))
    c.line()
    c.s.sendall(login(name, "not the password"))
    text = c.line()
    c.s.close()
    return text


def guess(where, count, name):
    """One after the other."""
    for _ in range(int(count)):
        start = time.monotonic()
        text = guess_one(where, name)
        print("%d %s" % ((time.monotonic() - start) * 1000, text.decode().strip()))


def guess_at_once(where, count, name):
    """All at the same time."""
    start = time.monotonic()
    run([threading.Thread(target=guess_one, args=(where, name)) for _ in range(int(count))])
    print("%d" % ((time.monotonic() - start) * 1000))


def large(where, size):
    """No line end."""
    with connect(where) as s:
        try:
            left = int(size)
            while left > 0:
                left -= s.send(b"x" * min(left, 65536))
        except OSError:
            pass
        show(read_all(s))


def wrong(where, count, name):
    """In one connection."""
    c = Lines(connect(where))
    show(c.line())
    for i in range(int(count)):
        try:
            c.s.sendall(b"%d" % i + login(name, "not the password")[1:])
        except OSError:
            break
        show(c.line())
    show(read_all(c.s))


def idle_in(where, name, password):
    """Signed in, and then silent."""
    c = Lines(connect(where))
    c.line()
    c.s.sendall(login(name, password))
    if not c.line().startswith(b"a OK"):
        sys.exit("not signed in")
    print("in", flush=True)
    show(read_all(c.s))
    print("end")


def starttls(where, authority, name, password):
    """IMAP."""
    c = Lines(connect(where))
    show(c.line())
    c.s.sendall(login(name, password))
    c.until(b"a ")
    c.s.sendall(b"b STARTTLS\r\n")
    c.until(b"b ")
    context = ssl.create_default_context(cafile=authority)
    c.s = context.wrap_socket(c.s, server_hostname="localhost")
    print(c.s.version())
    c.s.sendall(b"c CAPABILITY\r\n")
    c.until(b"c ")
    c.s.sendall(login(name, password))
    c.until(b"a ")
    c.s.sendall(b"d LOGOUT\r\n")
    c.until(b"d ")


def burst(where, authority, name, password):
    """One record, and then silence."""
    context = ssl.create_default_context(cafile=authority)
    s = context.wrap_socket(connect(where), server_hostname="localhost")
    s.sendall(login(name, password) + b"n NOOP\r\n" * 1500 + b"e LOGOUT\r\n")
    show(read_all(s))


def inject(where):
    """Plaintext behind STARTTLS."""
    with connect(where) as s:
        show(s.recv(4096))
        s.sendall(b"a STARTTLS\r\nb NOOP\r\n")
        show(read_all(s))


ACTIONS = {f.__name__.replace("_", "-"): f for f in
           (say, lines, burst, hold, crowd, guess, guess_at_once, large, wrong, idle_in, starttls,
            inject)}

if __name__ == "__main__":
    os.umask(0o077)
    ACTIONS[sys.argv[1]](*sys.argv[2:])
