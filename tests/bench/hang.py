#!/usr/bin/python3
"""A token endpoint and a name server that accept and never answer, for tests/bench/run.

usage: hang.py FILE

Writes the endpoint's port to FILE once both listen (the name server is at 127.0.0.1:53: for
a network namespace of one's own only); appends a line "connections N questions N" to FILE
on SIGTERM.
"""

import os
import select
import signal
import socket
import sys


def main():
    """Both servers, until SIGTERM."""
    path = sys.argv[1]
    endpoint = socket.create_server(("127.0.0.1", 0), backlog=1024)
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(("127.0.0.1", 53))
    held, questions = [], 0
    wake, alarm = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(alarm, b"x"))
    with open(path + ".new", "w", encoding="ascii") as out:
        out.write("%d\n" % endpoint.getsockname()[1])
    os.rename(path + ".new", path)
    while True:
        ready, _, _ = select.select([endpoint, names, wake], [], [])
        if wake in ready:
            break
        if endpoint in ready:
            held.append(endpoint.accept()[0])
        if names in ready:
            names.recv(4096)
            questions += 1
    with open(path, "a", encoding="ascii") as out:
        out.write("connections %d questions %d\n" % (len(held), questions))


if __name__ == "__main__":
    main()
