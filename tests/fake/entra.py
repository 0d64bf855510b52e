#!/usr/bin/env python3
"""A stand-in for Microsoft's v2.0 token service and a few others, for tests and the demo.

Authorization, device, token and revocation endpoints, metadata (entra/clouds.py says
where), and with --imds a machine's metadata service. Strict where the real ones are strict,
and able to misbehave on demand (entra/faults.py; the admin interface is described in
entra/admin.py).
Writes DIR/entra.env with the ports once it is ready, DIR/entra.log while it runs; ends on
SIGTERM or after --lifetime seconds.
Python's standard library only, and the openssl command for TLS.
"""

import argparse
import os
import signal
import ssl
import subprocess
import sys
import threading

from entra import endpoint, server
from entra.admin import AdminHandler
from entra.counters import Counters
from entra.directory import Directory
from entra.faults import Faults

LOOPBACK = "127.0.0.1"


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir", required=True, help="directory for files it writes")
    parser.add_argument("--config", help="JSON file with tenants, clients and users")
    parser.add_argument("--tls", action="store_true", help="token endpoint by https")
    parser.add_argument("--host", action="append", default=[],
                        help="further host name for the certificate")
    parser.add_argument("--port", type=int, default=0, help="port of the token endpoint")
    parser.add_argument("--imds", action="append", default=[], metavar="[ADDRESS:]PORT",
                        help="managed identity there as well (0: a free port)")
    parser.add_argument("--admin-port", type=int, default=0)
    parser.add_argument("--lifetime", type=float, default=900, help="seconds")
    return parser.parse_args()


def tls_context(directory, hosts):
    """A server context with a certificate of our own authority."""
    here = os.path.dirname(os.path.abspath(__file__))
    tls = os.path.join(directory, "tls")
    subprocess.run([os.path.join(here, "make-ca.sh"), tls, *hosts], check=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(os.path.join(tls, "server.pem"),
                            os.path.join(tls, "server.key"))
    context.sni_callback = remember_name
    return context


def remember_name(connection, name, _):
    """Server name indication: tests ask which host was meant."""
    connection.asked_for = name


def metadata_servers(options, state, log):
    """The listeners of the machine's metadata service."""
    for text in options.imds:
        address, _, port = text.rpartition(":")
        yield server.Server((address or LOOPBACK, int(port)), server.MetadataHandler, state,
                            log)


def main():
    """Starts the three servers and waits for the end."""
    options = arguments()
    os.makedirs(options.dir, exist_ok=True)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    state = endpoint.State(Directory.load(options.config), Faults(), Counters())
    log = server.Log(os.path.join(options.dir, "entra.log"))
    context = tls_context(options.dir, options.host) if options.tls else None
    token = server.TokenServer((LOOPBACK, options.port), server.TokenHandler, state, log,
                               context)
    admin = server.Server((LOOPBACK, options.admin_port), AdminHandler, state, log)
    trap = server.TrapServer((LOOPBACK, 0), server.TrapHandler, state, log)
    machines = list(metadata_servers(options, state, log))
    servers = (token, admin, trap, *machines)
    for one in servers:
        threading.Thread(target=one.serve_forever, args=(0.1,), daemon=True).start()
    scheme = "https" if options.tls else "http"
    ports = {"ENTRA_IMDS": "http://%s:%d" % machines[0].server_address} if machines else {}
    server.announce(os.path.join(options.dir, "entra.env"), {
        "ENTRA_PORT": token.server_port,
        "ENTRA_URL": "%s://localhost:%d" % (scheme, token.server_port),
        "ENTRA_ADMIN": "http://127.0.0.1:%d" % admin.server_port,
        "ENTRA_TRAP": "http://127.0.0.1:%d" % trap.server_port,
        **ports,
    })
    stop.wait(options.lifetime)
    for one in servers:
        one.stopping.set()
        one.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
