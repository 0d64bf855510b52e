#!/usr/bin/env python3
"""A crowd of bad clients, and how long the good ones wait; for hardening.bats.

  crowd.py SOCKET N REQUESTS REQUEST   N idle, N half-open, N sending garbage and N sending
                                       a byte a second, while REQUESTS questions are asked,
                                       one after the other, each on a connection of its own.
                                       Prints how many of each kind are left in the end, and
                                       median, 99th percentile and longest in microseconds
  crowd.py SOCKET N hold               N connections that ask nothing, over and over anew
                                       when the agent closes them; prints "here" when all
                                       were made, ends with standard input
  crowd.py SOCKET N wait REQUEST       N connections that ask this and wait; prints "here",
                                       and at the end of standard input how many are left
"""

import os
import resource
import select
import socket
import sys
import threading
import time

KINDS = {"idle": b"", "half-open": b"25:tok", "garbage": b"GET / HTTP/1.0\r\n\r\n",
         "slow": b"2"}


def connect(path):
    """A connection that is as patient as Postfix."""
    agent = socket.socket(socket.AF_UNIX)
    agent.settimeout(30)
    while True:
        try:
            agent.connect(path)
            return agent
        except BlockingIOError:  # the queue of the listening socket is full
            time.sleep(0.002)


def ask(path, text):
    """True when the answer begins with OK; the whole of it is read."""
    with connect(path) as agent:
        agent.sendall(b"%d:%s," % (len(text), text))
        data = b""
        while b":" not in data or len(data) < int(data.split(b":")[0]) + len(
                data.split(b":")[0]) + 2:
            part = agent.recv(65536)
            if not part:
                return False
            data += part
        return data.split(b":", 1)[1].startswith(b"OK ")


def is_open(sock):
    """The agent has not closed it."""
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP)
    return not poll.poll(0)


def drip(socks, end):
    """One byte of a request a second, as long as somebody listens."""
    request = b"5:token relay@contoso.com"
    turn = 0
    while not end.wait(1):
        turn += 1
        for sock in socks:
            try:
                sock.send(request[turn % len(request):][:1])
            except OSError:
                pass


def besiege(path, number, requests, text):
    """What the head of this file says."""
    kinds = {name: [] for name in KINDS}
    for name, first in KINDS.items():
        for _ in range(number):
            sock = connect(path)
            if first:
                sock.sendall(first)
            kinds[name].append(sock)
    end = threading.Event()
    dripping = threading.Thread(target=drip, args=(kinds["slow"], end))
    dripping.start()
    times = []
    try:
        for _ in range(requests):
            start = time.monotonic_ns()
            if not ask(path, text):
                sys.exit("not answered with OK")
            times.append((time.monotonic_ns() - start) // 1000)
            time.sleep(0.002)
        time.sleep(0.5)
        left = [f"{name} {sum(map(is_open, socks))}" for name, socks in kinds.items()]
    finally:
        end.set()
        dripping.join()
    times.sort()
    print(*left)
    print("median", times[len(times) // 2], "p99", times[len(times) * 99 // 100], "longest",
          times[-1])


def hold(path, number):
    """Somebody who wants all the room there is."""
    socks = [connect(path) for _ in range(number)]
    print("here", flush=True)
    while not select.select([sys.stdin], [], [], 0.01)[0]:
        for i, sock in enumerate(socks):
            if not is_open(sock):
                sock.close()
                socks[i] = connect(path)
    print("left", sum(map(is_open, socks)))


def wait(path, number, text):
    """Somebody whose every question takes long."""
    socks = []
    for _ in range(number):
        socks.append(connect(path))
        try:
            socks[-1].sendall(b"%d:%s," % (len(text), text))
        except OSError:  # closed already
            pass
    print("here", flush=True)
    sys.stdin.read()
    print("left", sum(map(is_open, socks)))


def main():
    """Room for that many descriptors first."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    path, number = sys.argv[1], int(sys.argv[2])
    if sys.argv[3] == "hold":
        hold(path, number)
    elif sys.argv[3] == "wait":
        wait(path, number, os.fsencode(sys.argv[4]))
    else:
        besiege(path, number, int(sys.argv[3]), os.fsencode(sys.argv[4]))


if __name__ == "__main__":
    main()
