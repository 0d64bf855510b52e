#!/usr/bin/env python3
"""A stand-in for Exchange Online's SMTP, IMAP and POP3, for tests.

As strict as the real one about TLS, sign-ins and tokens, with its words; and able to fail on
demand in each of the ways administrators search for (exchange/texts.py; the admin interface
is described in exchange/admin.py). Tokens are judged by asking the stand-in Entra.
Writes DIR/exchange.env with the ports once it is ready, DIR/exchange.log while it runs; ends
on SIGTERM or after --lifetime seconds.
Python's standard library only, and the openssl command for TLS.
"""

import argparse
import os
import signal
import ssl
import subprocess
import sys
import threading

from entra.server import Log, Server, announce
from exchange.admin import AdminHandler
from exchange.server import MailServer, State

LOOPBACK = "127.0.0.1"
# name: (protocol, TLS from the start)
PORTS = {"SMTP": ("smtp", False), "SMTPS": ("smtp", True), "IMAP": ("imap", False),
         "IMAPS": ("imap", True), "POP3": ("pop", False), "POP3S": ("pop", True)}


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir", required=True, help="directory for files it writes")
    parser.add_argument("--entra", required=True, metavar="URL",
                        help="admin address of the stand-in Entra")
    parser.add_argument("--host", action="append", default=[],
                        help="further host name for the certificate")
    parser.add_argument("--address", default=LOOPBACK, help="of the mail servers")
    parser.add_argument("--real-ports", action="store_true",
                        help="587, 465, 143, 993, 110, 995 (in a network of its own)")
    parser.add_argument("--lifetime", type=float, default=900, help="seconds")
    return parser.parse_args()


def tls_context(directory, hosts):
    """A server context with a certificate of our own authority; as Exchange, TLS 1.2 up."""
    here = os.path.dirname(os.path.abspath(__file__))
    tls = os.path.join(directory, "tls")
    subprocess.run([os.path.join(here, "make-ca.sh"), tls, *hosts], check=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(os.path.join(tls, "server.pem"),
                            os.path.join(tls, "server.key"))
    return context


def main():
    """Starts the servers and waits for the end."""
    options = arguments()
    os.makedirs(options.dir, exist_ok=True)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    state = State(options.entra)
    log = Log(os.path.join(options.dir, "exchange.log"))
    context = tls_context(options.dir, options.host)
    real = {"SMTP": 587, "SMTPS": 465, "IMAP": 143, "IMAPS": 993, "POP3": 110, "POP3S": 995}
    mail = {name: MailServer((options.address, real[name] if options.real_ports else 0),
                             protocol, implicit, state, context)
            for name, (protocol, implicit) in PORTS.items()}
    admin = Server((LOOPBACK, 0), AdminHandler, state, log)
    servers = (*mail.values(), admin)
    for one in servers:
        threading.Thread(target=one.serve_forever, args=(0.1,), daemon=True).start()
    announce(os.path.join(options.dir, "exchange.env"), {
        **{"EXCHANGE_" + name: server.server_address[1] for name, server in mail.items()},
        "EXCHANGE_ADMIN": "http://127.0.0.1:%d" % admin.server_port,
    })
    stop.wait(options.lifetime)
    for one in servers:
        one.stopping.set()
        one.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
