#!/usr/bin/env python3
"""A mail program that runs a command to reach its server, as fetchmail and mutt do.
Python's standard library only.

usage: through.py [--pipes] ACTION [ARGUMENT...] -- COMMAND...

The command gets one socket as its standard input and output, or with --pipes two pipes.
Actions:
  imap-fetch FILE             INBOX's last message into FILE, byte for byte
  imap-append FILE            FILE into INBOX, byte for byte
  pop3-fetch FILE             the last message into FILE, dots unstuffed
  smtp-send FILE FROM TO      FILE, whose lines end in CRLF
  say FILE                    FILE at once, then half-close; all answers to standard output
  in-two FILE SIZE            the first SIZE bytes, 0.3 s, the rest; then as `say`
  slowly FILE                 a byte at a time
  idle                        IMAP IDLE until the server ends the session; prints its words
  leave FILE                  says FILE and is gone without reading
Exits with the command's status.
"""

import socket
import subprocess
import sys
import threading
import time


class Tunnel:
    """The command and its two descriptors."""

    def __init__(self, command, pipes):
        if pipes:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, bufsize=0)
            self.into, self.out = self.process.stdin, self.process.stdout
            self.sock = None
        else:
            self.sock, theirs = socket.socketpair()
            self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs)
            theirs.close()
        self.buffer = b""

    def send(self, data):
        """All of it."""
        if self.sock:
            self.sock.sendall(data)
            return
        view = memoryview(data)
        while view:
            view = view[self.into.write(view):]

    def end(self):
        """Nothing more from here."""
        if self.sock:
            self.sock.shutdown(socket.SHUT_WR)
        else:
            self.into.close()

    def receive(self):
        """Some bytes, b"" at the end."""
        try:
            return self.sock.recv(1 << 17) if self.sock else self.out.read(1 << 17)
        except ConnectionResetError:
            return b""

    def line(self):
        """With its end."""
        while b"\n" not in self.buffer:
            part = self.receive()
            if not part:
                sys.exit("the session ended behind %r" % self.buffer[-200:])
            self.buffer += part
        text, end, self.buffer = self.buffer.partition(b"\n")
        return text + end

    def exactly(self, count):
        """So many bytes."""
        parts = [self.buffer[:count]]
        self.buffer = self.buffer[count:]
        count -= len(parts[0])
        while count > 0:
            part = self.receive()
            if not part:
                sys.exit("the session ended %d bytes early" % count)
            parts.append(part[:count])
            self.buffer = part[count:]
            count -= len(parts[-1])
        return b"".join(parts)

    def rest(self):
        """Up to the end."""
        parts = [self.buffer]
        while True:
            part = self.receive()
            if not part:
                return b"".join(parts)
            parts.append(part)

    def expect(self, *starts):
        """A line that begins with one of them."""
        text = self.line()
        if not text.startswith(starts):
            sys.exit("expected %r, got %r" % (starts, text[:500]))
        return text

    def imap(self, command):
        """A command up to its OK; what came untagged."""
        self.send(b"t " + command + b"\r\n")
        untagged = []
        while True:
            text = self.line()
            if text.startswith(b"t "):
                if not text.startswith(b"t OK"):
                    sys.exit("%r: %r" % (command, text))
                return untagged
            untagged.append(text)


def imap_fetch(tunnel, path):
    """INBOX's last message."""
    tunnel.expect(b"* PREAUTH")
    found = [u for u in tunnel.imap(b"SELECT INBOX") if u.endswith(b" EXISTS\r\n")]
    tunnel.send(b"f FETCH %s BODY.PEEK[]\r\n" % found[0].split()[1])
    size = int(tunnel.expect(b"* ").rpartition(b"{")[2].split(b"}")[0])
    write(path, tunnel.exactly(size))
    tunnel.expect(b")")
    tunnel.expect(b"f OK")
    tunnel.imap(b"LOGOUT")


def imap_append(tunnel, path):
    """A message into INBOX."""
    data = read(path)
    tunnel.expect(b"* PREAUTH")
    tunnel.send(b"a APPEND INBOX {%d}\r\n" % len(data))
    tunnel.expect(b"+ ")
    tunnel.send(data + b"\r\n")
    tunnel.expect(b"a OK")
    tunnel.imap(b"LOGOUT")


def pop3_fetch(tunnel, path):
    """The last message."""
    tunnel.expect(b"+OK")
    tunnel.send(b"USER x\r\n")
    tunnel.expect(b"+OK")
    tunnel.send(b"PASS y\r\nSTAT\r\n")
    tunnel.expect(b"+OK")
    count = tunnel.expect(b"+OK").split()[1]
    tunnel.send(b"RETR %s\r\n" % count)
    tunnel.expect(b"+OK")
    lines = []
    while True:
        text = tunnel.line()
        if text == b".\r\n":
            break
        lines.append(text[1:] if text.startswith(b".") else text)
    write(path, b"".join(lines))
    tunnel.send(b"QUIT\r\n")
    tunnel.expect(b"+OK")


def smtp_send(tunnel, path, sender, recipient):
    """A message."""
    data = read(path)
    tunnel.expect(b"220 ")
    tunnel.send(b"EHLO client.test\r\n")
    while tunnel.expect(b"250")[3:4] == b"-":
        pass
    tunnel.send(b"MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n" %
                (sender.encode(), recipient.encode()))
    tunnel.expect(b"250")
    tunnel.expect(b"250")
    tunnel.expect(b"354")
    tunnel.send((b"\r\n" + data).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n")
    tunnel.expect(b"250")
    tunnel.send(b"QUIT\r\n")
    tunnel.expect(b"221")


def say(tunnel, path):
    """Everything at once."""
    def speak():
        try:
            tunnel.send(read(path))
            tunnel.end()
        except OSError:
            pass
    thread = threading.Thread(target=speak)
    thread.start()
    sys.stdout.buffer.write(tunnel.rest())
    thread.join()


def in_two(tunnel, path, size):
    """Two segments."""
    data = read(path)
    tunnel.send(data[:int(size)])
    time.sleep(0.3)
    tunnel.send(data[int(size):])
    tunnel.end()
    sys.stdout.buffer.write(tunnel.rest())


def slowly(tunnel, path):
    """A byte at a time."""
    for byte in read(path):
        tunnel.send(bytes([byte]))
        time.sleep(0.002)
    tunnel.end()
    sys.stdout.buffer.write(tunnel.rest())


def idle(tunnel):
    """Until the server has enough."""
    tunnel.expect(b"* PREAUTH")
    tunnel.send(b"i IDLE\r\n")
    tunnel.expect(b"+ ")
    sys.stdout.buffer.write(tunnel.rest())


def leave(tunnel, path):
    """Gone."""
    tunnel.send(read(path))
    if tunnel.sock:
        tunnel.sock.close()
    else:
        tunnel.into.close()
        tunnel.out.close()


def read(path):
    """A file's bytes."""
    with open(path, "rb") as stream:
        return stream.read()


def write(path, data):
    """Bytes into a file."""
    with open(path, "wb") as stream:
        stream.write(data)


def main():
    """Does it, and exits as the command does."""
    words = sys.argv[1:]
    pipes = words[0] == "--pipes"
    words = words[pipes:]
    split = words.index("--")
    tunnel = Tunnel(words[split + 1:], pipes)
    actions = {"imap-fetch": imap_fetch, "imap-append": imap_append, "pop3-fetch": pop3_fetch,
               "smtp-send": smtp_send, "say": say, "in-two": in_two, "slowly": slowly,
               "idle": idle, "leave": leave}
    actions[words[0]](tunnel, *words[1:split])
    sys.stdout.flush()
    return tunnel.process.wait(60)


if __name__ == "__main__":
    sys.exit(main())
