#!/usr/bin/env python3
"""A name server for a network of a test's own: the hosts named are at 127.0.0.1, and there are
no others.

usage: dns.py HOST...

Answers A queries by UDP on 127.0.0.1 port 53 (RFC 1035); any other type of a known host has
no records. Runs until it is ended. Python's standard library only.
"""

import socket
import struct
import sys

HEADER = struct.Struct("!HHHHHH")
TYPE_A, CLASS_IN = 1, 1
RESPONSE, NO_SUCH_NAME = 0x8580, 3    # authoritative, recursion available
# The name is the question's (compression pointer); 60 seconds; four bytes of address.
RECORD = struct.pack("!HHHIH4s", 0xC00C, TYPE_A, CLASS_IN, 60, 4, socket.inet_aton("127.0.0.1"))


def question_of(query):
    """The name asked for in lower case, its type, and the question as it was sent."""
    labels, at = [], HEADER.size
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("ascii", "replace"))
        at += 1 + query[at]
    kind, = struct.unpack_from("!H", query, at + 1)
    return ".".join(labels).lower(), kind, query[HEADER.size:at + 5]


def answer(query, hosts):
    """The reply to one query."""
    number, = struct.unpack_from("!H", query)
    name, kind, question = question_of(query)
    records = RECORD if name in hosts and kind == TYPE_A else b""
    code = 0 if name in hosts else NO_SUCH_NAME
    return HEADER.pack(number, RESPONSE | code, 1, 1 if records else 0, 0, 0) + question + records


def main():
    """Answers for ever; what is no query is passed over."""
    hosts = {name.lower() for name in sys.argv[1:]}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        while True:
            query, sender = server.recvfrom(4096)
            try:
                server.sendto(answer(query, hosts), sender)
            except (IndexError, struct.error):
                continue


if __name__ == "__main__":
    main()
