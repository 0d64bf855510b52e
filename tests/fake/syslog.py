#!/usr/bin/env python3
"""What writes the mail log of a machine: a syslog daemon, as small as can be.

usage: syslog.py SOCKET FILE

Each message that comes to SOCKET becomes a line of FILE, without its priority. Runs until it
is ended. Python's standard library only.
"""

import os
import re
import socket
import sys


def main():
    """For ever."""
    path, name = sys.argv[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server, \
            open(name, "a", encoding="utf-8") as log:
        server.bind(path)
        os.chmod(path, 0o666)
        while True:
            text = server.recv(65536).decode("utf-8", "replace")
            log.write(re.sub(r"^<\d+>", "", text).rstrip("\0\n") + "\n")
            log.flush()


if __name__ == "__main__":
    main()
