"""What was asked, for tests to look at: no secret, no token, no code.

`requests` and the rest count what came to token endpoints; `by_endpoint`, `by_host` and
`by_sni` count everything, `asked` tells more of the latest, and `by_identity` is about the
machine's metadata service.
"""

import threading
from collections import Counter, deque

ASKED_MAX = 60


class Counters:
    """Counts under a lock of its own, so that a hung request holds up nobody."""

    def __init__(self):
        self.lock = threading.Lock()
        self.reset()

    def reset(self):
        """Starts again at nothing; requests under way go on being counted."""
        with self.lock:
            self.requests = 0
            self.connections = 0
            self.tls_failures = 0
            self.trap_hits = 0
            self.concurrent_maximum = 0
            self.by = {kind: Counter() for kind in
                       ("client", "grant", "user", "status", "fault", "parameter",
                        "method", "endpoint", "host", "sni", "revoked", "identity")}
            self.asked = deque(maxlen=ASKED_MAX)
            self.concurrent = getattr(self, "concurrent", 0)

    def add(self, name, amount=1):
        """One more connection, TLS failure or trap hit."""
        with self.lock:
            setattr(self, name, getattr(self, name) + amount)

    def count(self, kind, name):
        """One more of a kind."""
        with self.lock:
            self.by[kind][name] += 1

    def begin(self):
        """A request has arrived."""
        with self.lock:
            self.concurrent += 1
            self.concurrent_maximum = max(self.concurrent_maximum, self.concurrent)

    def understood(self, request, method):
        """Its form has been read."""
        with self.lock:
            self.requests += 1
            self.by["method"][method] += 1
            self.by["client"][request.client_id or "-"] += 1
            self.by["grant"][request.grant or "-"] += 1
            if request.user:
                self.by["user"][request.user] += 1
            self.by["parameter"].update(list(request.fields))

    def answered(self, status, fault, note, token):
        """A status has been chosen for it; `token`: it was at a token endpoint."""
        with self.lock:
            self.asked.append(note)
            self.by["endpoint"][note["endpoint"] or "-"] += 1
            self.by["host"][note["host"]] += 1
            if note["sni"]:
                self.by["sni"][note["sni"]] += 1
            if token:
                self.by["status"][str(status)] += 1
            if fault:
                self.by["fault"][fault] += 1

    def end(self):
        """The request is over, one way or another."""
        with self.lock:
            self.concurrent -= 1

    def report(self):
        """As JSON can carry it."""
        with self.lock:
            return {"requests": self.requests, "connections": self.connections,
                    "tls_failures": self.tls_failures, "trap_hits": self.trap_hits,
                    "concurrent": self.concurrent,
                    "concurrent_maximum": self.concurrent_maximum,
                    "asked": list(self.asked),
                    **{"by_" + kind: dict(counter) for kind, counter in self.by.items()}}
