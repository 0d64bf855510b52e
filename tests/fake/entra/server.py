"""Sockets: the endpoints, plain or TLS, the machine's metadata service, and the trap."""

import os
import select
import socket
import ssl
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import clouds, faults, pages
from .asked import BODY_MAX, Asked
from .authorize import Authorization, Continuation
from .device import DeviceRequest
from .discovery import Discovery
from .endpoint import Request
from .errors import Refusal
from .revocation import Revocation

IDLE_SECONDS = 60
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
ENDPOINTS = {"token": Request, "authorize": Authorization, "flow": Continuation,
             "device": DeviceRequest, "revoke": Revocation, "openid": Discovery,
             "rfc8414": Discovery}


def announce(path, values):
    """Writes ports and the like, NAME=VALUE a line; the file is whole when it appears."""
    with open(path + ".new", "w", encoding="utf-8") as stream:
        for name, value in values.items():
            stream.write("%s=%s\n" % (name, value))
    os.rename(path + ".new", path)


class Server(ThreadingHTTPServer):
    """Threads, many at once, TLS by option. The handshake is done in the connection's own
    thread: a client that does not finish it holds up nobody."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address, handler, state, log, context=None):
        self.state = state
        self.log = log
        self.context = context
        self.stopping = threading.Event()
        super().__init__(address, handler)

    def finish_request(self, request, client_address):
        self.count_connection()
        request.settimeout(IDLE_SECONDS)
        # The head and the body of a reply are two writes.
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.context is None:
            super().finish_request(request, client_address)
            return
        try:
            request = self.context.wrap_socket(request, server_side=True)
        except (ssl.SSLError, OSError):
            self.state.counters.add("tls_failures")
            return
        try:
            super().finish_request(request, client_address)
        finally:
            request.close()

    def count_connection(self):
        """Overridden by servers whose connections mean something else."""

    def handle_error(self, request, client_address):
        """Clients of this server go away in every possible way."""


class TokenServer(Server):
    """All endpoints of a token service."""

    def count_connection(self):
        self.state.counters.add("connections")


class TrapServer(Server):
    """Where a redirect points: nobody should ever come here."""

    def count_connection(self):
        self.state.counters.add("trap_hits")


class Handler(BaseHTTPRequestHandler):
    """What all our servers' handlers share."""

    protocol_version = "HTTP/1.1"
    server_version = "Kestrel"
    sys_version = ""

    def log_message(self, format, *args):
        """Silent: handlers log by themselves, without query strings or bodies."""

    def date_time_string(self, timestamp=None):
        """Date, by the stand-in's own clock."""
        ahead = getattr(self.server.state, "clock_ahead", 0)
        return super().date_time_string(time.time() + ahead
                                        if timestamp is None else timestamp)

    def read_body(self):
        """The body, or None when the client does not say how long it is."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > 2 * BODY_MAX:
            self.close_connection = True
            return None
        return self.rfile.read(int(length))

    def send_bytes(self, status, headers, content):
        """An ordinary reply."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


class TrapHandler(Handler):
    """Answers as a thief would: politely."""

    def do_POST(self):
        self.read_body()
        self.send_bytes(200, {"Content-Type": "application/json"},
                        b'{"token_type":"Bearer","expires_in":3599,"access_token":"trap"}')

    do_GET = do_POST


class MetadataHandler(Handler):
    """The machine's metadata service: managed identity."""

    def do_GET(self):
        state = self.server.state
        path, _, query = self.path.partition("?")
        with state.lock:
            kind, answer = state.machine.answer(path, query, self.headers, state.tokens)
        state.counters.count("identity", "%s %d" % (kind, answer.status))
        self.server.log.write("GET %s -> %d identity=%s", path, answer.status, kind)
        self.send_bytes(answer.status, answer.headers, answer.content)

    def do_POST(self):
        self.close_connection = True
        self.send_bytes(405, {"Allow": "GET"}, b"")


class TokenHandler(Handler):
    """All endpoints of a token service, with faults."""

    def serve(self):
        """One request, whatever the method."""
        self.server.state.counters.begin()
        try:
            host = self.headers.get("Host") or "localhost:%d" % self.server.server_port
            scheme = "http" if self.server.context is None else "https"
            where = clouds.Where(scheme, host, self.path)
            bare = self.command == "GET" and "Content-Length" not in self.headers
            content = b"" if bare else self.read_body()
            if self.command == "GET" and where.endpoint is None:
                self.nothing_here(where)
            else:
                self.ask(where, content or b"")
        finally:
            self.server.state.counters.end()

    def ask(self, where, content):
        """At an endpoint; what is at no path is answered as the token endpoint does."""
        state, counters = self.server.state, self.server.state.counters
        request = ENDPOINTS.get(where.endpoint, Request)(
            state, where, self.command, content, self.headers)
        token = where.endpoint in ("token", None)
        if self.command in clouds.METHODS.get(where.endpoint, ("POST",)):
            with state.lock:
                request.parse()
            if token:
                counters.understood(request, self.command)
            fault = state.faults.take(request)
            answer = faults.respond(request, fault)
        else:
            counters.add("requests", int(token))
            fault = None
            answer = request.refuse(Refusal(900561, "It was %s." % self.command))
            self.close_connection = True
        name = fault["fault"] if fault else None
        self.note(request, answer, name, token)
        self.deliver(answer, fault or {})

    def note(self, request, answer, fault, token):
        """What was asked, in the state and in the log."""
        note = request.note(answer.status, getattr(self.connection, "asked_for", None))
        self.server.state.counters.answered(answer.status, fault, note, token)
        self.server.log.write(
            "%s %s %s -> %d client=%s grant=%s user=%s parameters=%s fault=%s",
            self.command, note["host"], note["path"], answer.status, request.client_id,
            request.grant, request.user, ",".join(note["parameters"]), fault)

    def nothing_here(self, where):
        """A browser asks for an icon as well."""
        answer = pages.page(404, "Nothing is at this path.")
        request = Asked(self.server.state, where, self.command, b"", self.headers)
        self.note(request, answer, None, False)
        self.deliver(answer, {})

    def deliver(self, answer, fault):
        """Sends the answer the way the fault says."""
        transport = answer.transport
        if answer.delay:
            self.server.stopping.wait(answer.delay)
        if transport is None:
            self.send_bytes(answer.status, answer.headers, answer.content)
            return
        if transport == "slow":
            self.server.stopping.wait(fault.get("ms", 200) / 1000)
            self.send_bytes(answer.status, answer.headers, answer.content)
            return
        self.close_connection = True
        if transport == "hang":
            self.hang()
        elif transport == "drip":
            self.drip(answer, fault.get("interval", 1))
        elif transport == "truncate":
            self.head(answer)
            self.wfile.write(answer.content[:len(answer.content) // 2])
        elif transport in ("reset", "reset_after"):
            self.reset()

    def head(self, answer):
        """The head of a reply whose body will not come as it says."""
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()

    def hang(self):
        """Says nothing until the client goes away."""
        while self.pause(10):
            pass

    def pause(self, seconds):
        """Waits; False when the client has gone or the server stops. A client that waits
        for us says nothing: one that can be read from has closed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.server.stopping.wait(min(0.05, seconds)) or \
                    select.select([self.connection], [], [], 0)[0]:
                return False
        return True

    def reset(self):
        """RST instead of FIN; an orderly shutdown by our caller must not come first."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def drip(self, answer, interval):
        """A byte every `interval` seconds, from the status line on."""
        head = "HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" \
            "\r\n" % (answer.status, len(answer.content))
        for byte in head.encode() + answer.content:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            if not self.pause(interval):
                return


for method in METHODS:
    setattr(TokenHandler, "do_" + method, TokenHandler.serve)


class Log:
    """One line a request: no secrets, no tokens."""

    def __init__(self, path):
        self.stream = open(path, "a", encoding="utf-8", buffering=1)
        self.lock = threading.Lock()

    def write(self, text, *values):
        """A line with the time in front."""
        stamp = time.strftime("%H:%M:%S", time.localtime())
        with self.lock:
            self.stream.write("%s %s\n" % (stamp, text % values))
