"""One connection: lines with a limit, counted bytes, TLS in the middle, and waiting for
whichever comes first, the client or an event.
"""

import os
import select
import socket
import ssl
import struct

IDLE_SECONDS = 60
READ_SIZE = 65536


class Gone(Exception):
    """The client hung up, or was hung up on."""


class TooLong(Exception):
    """A line over the limit; the rest of it has been thrown away."""


class Wire:
    """Bytes both ways. A client's TLS is finished in the connection's own thread."""

    def __init__(self, connection, context, stopping):
        connection.settimeout(IDLE_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = connection
        self.context = context
        self.stopping = stopping
        self.buffer = b""
        self.secure = False

    def start_tls(self):
        """What came before in clear text is forgotten: nobody vouches for it (RFC 3207 6)."""
        self.buffer = b""
        self.sock = self.context.wrap_socket(self.sock, server_side=True)
        self.secure = True

    def more(self):
        """Reads some bytes."""
        if self.stopping.is_set():
            raise Gone
        part = self.sock.recv(READ_SIZE)
        if not part:
            raise Gone
        self.buffer += part

    def line(self, limit):
        """The next line without its end; `limit` counts the end as well."""
        while b"\n" not in self.buffer and len(self.buffer) < limit:
            self.more()
        end = self.buffer.find(b"\n") + 1
        if 0 < end <= limit:
            text, self.buffer = self.buffer[:end], self.buffer[end:]
            return text.rstrip(b"\r\n")
        while b"\n" not in self.buffer:
            self.buffer = b""
            self.more()
        self.buffer = self.buffer.partition(b"\n")[2]
        raise TooLong

    def exactly(self, size):
        """So many bytes."""
        while len(self.buffer) < size:
            self.more()
        part, self.buffer = self.buffer[:size], self.buffer[size:]
        return part

    def send(self, data):
        """Text or bytes, as one write."""
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())

    def says_something(self, seconds):
        """Whether the client has said something, or gone, before the time is over."""
        if self.buffer or (self.secure and self.sock.pending()):
            return True
        return bool(select.select([self.sock], [], [], seconds)[0])

    def close(self):
        """As properly as the client lets us."""
        try:
            if self.secure:
                self.sock.settimeout(1)
                self.sock.unwrap()
        except (OSError, ssl.SSLError, ValueError):
            pass
        self.sock.close()

    def reset(self):
        """RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.sock.detach())
        raise Gone
