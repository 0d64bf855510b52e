#!/usr/bin/env python3
"""A proxy for the tests of mailbearer-fetch: HTTP CONNECT or SOCKS5 without sign-in, chosen
by the first byte. Python's standard library only.

usage: proxy.py --dir DIR [--refuse]

Writes its port to DIR/proxy.port; each connection adds a line to DIR/proxy.log: which way, to
which host and port. With --refuse HTTP answers 407 and SOCKS "not allowed".
"""

import argparse
import os
import socket
import socketserver
import struct
import sys
import threading
from urllib.parse import urlsplit


def carry(one, other):
    """Bytes from one to the other, until the end."""
    try:
        while True:
            part = one.recv(65536)
            if not part:
                break
            other.sendall(part)
    except OSError:
        pass
    try:
        other.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Session(socketserver.BaseRequestHandler):
    """One connection."""

    def exactly(self, count):
        """So many bytes."""
        data = b""
        while len(data) < count:
            part = self.request.recv(count - len(data))
            if not part:
                raise ConnectionError
            data += part
        return data

    def handle(self):
        first = self.exactly(1)
        ahead = b""
        if first == b"\5":
            way, host, port = self.socks()
        else:
            way, host, port, ahead = self.http(first)
        with open(os.path.join(self.server.dir, "proxy.log"), "a", encoding="ascii") as log:
            log.write("%s %s %d\n" % (way, host, port))
        if self.server.refuse:
            self.request.sendall(b"\5\2\0\1\0\0\0\0\0\0" if way == "socks" else
                                 b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
            return
        # the test's names are this machine's
        with socket.create_connection(("127.0.0.1", port), 10) as far:
            if way == "socks":
                self.request.sendall(b"\5\0\0\1\0\0\0\0\0\0")
            elif way == "http":
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n")
            far.sendall(ahead)
            far.settimeout(None)
            thread = threading.Thread(target=carry, args=(far, self.request), daemon=True)
            thread.start()
            carry(self.request, far)
            thread.join()

    def http(self, first):
        """CONNECT host:port and its headers, or a request to be handed on."""
        head = first
        while not head.endswith(b"\r\n\r\n"):
            head += self.exactly(1)
        method, target, rest = head.split(b" ", 2)
        if method == b"CONNECT":
            host, _, port = target.decode().rpartition(":")
            return "http", host, int(port), b""
        url = urlsplit(target.decode())
        path = url.path + ("?" + url.query if url.query else "")
        return "forward", url.hostname, url.port or 80, b" ".join(
            (method, path.encode(), rest))

    def socks(self):
        """RFC 1928: methods, then the request."""
        self.exactly(self.exactly(1)[0])
        self.request.sendall(b"\5\0")
        kind = self.exactly(4)[3]
        if kind == 3:
            host = self.exactly(self.exactly(1)[0]).decode()
        else:
            host = socket.inet_ntoa(self.exactly(4))
        return "socks", host, struct.unpack("!H", self.exactly(2))[0]


class Proxy(socketserver.ThreadingTCPServer):
    """On a free loopback port."""

    daemon_threads = True


def main():
    """Until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir", required=True)
    parser.add_argument("--refuse", action="store_true")
    options = parser.parse_args()
    server = Proxy(("127.0.0.1", 0), Session)
    server.dir, server.refuse = options.dir, options.refuse
    path = os.path.join(options.dir, "proxy.port")
    with open(path + ".new", "w", encoding="ascii") as stream:
        stream.write("%d\n" % server.server_address[1])
    os.rename(path + ".new", path)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
