"""Listeners, one thread a connection, and what all sessions share."""

import socketserver
import ssl
import threading
from collections import Counter, deque

from .failures import Failures
from .imap import ImapSession
from .judge import Judge
from .mailboxes import Mailboxes
from .pop import PopSession
from .smtp import SmtpSession
from .wire import Wire

SESSIONS = {"smtp": SmtpSession, "imap": ImapSession, "pop": PopSession}
MECHANISMS = {"smtp": ("LOGIN", "XOAUTH2"), "imap": ("PLAIN", "XOAUTH2"),
              "pop": ("PLAIN", "XOAUTH2")}
SIGN_INS_MAX = 500


class State:
    """Everything one stand-in knows. Mailboxes, counters and sign-ins are under the lock."""

    def __init__(self, entra):
        self.lock = threading.RLock()
        self.mailboxes = Mailboxes()
        self.failures = Failures()
        self.judge = Judge(entra, self.mailboxes)
        self.clock_ahead = 0      # entra.server.Handler dates its replies with it
        self.mechanisms = dict(MECHANISMS)    # what an odd server in between would offer
        self.reset()

    def reset(self):
        """Counters to nothing."""
        self.counters = {}
        self.sign_ins = deque(maxlen=SIGN_INS_MAX)

    def count(self, kind, name):
        """One more of a kind."""
        with self.lock:
            self.counters.setdefault(kind, Counter())[name] += 1


class MailServer(socketserver.ThreadingTCPServer):
    """One port: a protocol, with TLS from the start or asked for later."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address, protocol, implicit, state, context):
        self.state = state
        self.protocol = protocol
        self.implicit = implicit
        self.context = context
        self.stopping = threading.Event()
        super().__init__(address, None)

    def finish_request(self, request, client_address):
        wire = Wire(request, self.context, self.stopping)
        if self.implicit:
            try:
                wire.start_tls()
            except (ssl.SSLError, OSError):
                self.state.count("tls_failures", self.protocol)
                return
        SESSIONS[self.protocol](self.state, wire).run()

    def shutdown_request(self, request):
        """The session has closed what it was given, or TLS has taken it over."""
        try:
            request.close()
        except OSError:
            pass

    def handle_error(self, request, client_address):
        """What fails in a session is a defect of ours: it is written down."""
        self.state.count("defects", self.protocol)
        super().handle_error(request, client_address)
