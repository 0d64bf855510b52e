#!/usr/bin/env python3
"""Talks to the agent as its clients do, well and badly; for agent.bash.

  ask SOCKET REQUEST...        one connection, one reply a line (without the netstring)
  raw SOCKET [SECONDS]         sends standard input as it is; prints what comes until the
                               agent closes, or that many seconds (3) pass
  drip SOCKET REQUEST          the request byte by byte
  slowest SOCKET N REQUEST     N times, a new connection each; the longest in milliseconds
  pause SOCKET SECONDS REQUEST asks, waits, asks again on the same connection
  leave SOCKET REQUEST         asks and goes away at once
  crowd SOCKET N BYTES         N connections, each sends BYTES; prints "here", waits for the
                               end of standard input, prints how many the agent has closed
  activate SOCKET COMMAND...   starts the command as systemd does: the listening socket is
                               descriptor 3
"""

import os
import resource
import select
import socket
import sys
import time


def connect(path):
    """A connection that gives up after a minute."""
    agent = socket.socket(socket.AF_UNIX)
    agent.settimeout(60)
    end = time.monotonic() + 60
    while True:
        try:
            agent.connect(path)
            return agent
        except BlockingIOError:  # the queue of the listening socket is full
            if time.monotonic() > end:
                raise
            time.sleep(0.005)


def netstring(text):
    """LEN:text,"""
    data = os.fsencode(text)
    return b"%d:%s," % (len(data), data)


def reply(agent):
    """One whole reply's payload; what came behind it stays in the socket."""
    while True:
        data = agent.recv(1 << 17, socket.MSG_PEEK)
        if not data:
            return "(closed)"
        head, colon, rest = data.partition(b":")
        if colon and len(rest) > int(head):
            size = len(head) + 1 + int(head) + 1
            return agent.recv(size)[len(head) + 1:-1].decode()
        time.sleep(0.001)


def ask(path, *requests):
    """Sent all at once, to see that they are answered in turn."""
    with connect(path) as agent:
        agent.sendall(b"".join(map(netstring, requests)))
        for _ in requests:
            print(reply(agent))


def raw(path, seconds="3"):
    """Whatever standard input holds."""
    with connect(path) as agent:
        try:
            agent.sendall(sys.stdin.buffer.read())
        except (BrokenPipeError, ConnectionResetError):
            pass
        end = time.monotonic() + float(seconds)
        while select.select([agent], [], [], max(0, end - time.monotonic()))[0]:
            try:
                part = agent.recv(65536)
            except ConnectionResetError:
                part = b""
            if not part:
                print("(closed)")
                return
            print(part.decode("utf-8", "replace"))
        print("(open)")


def drip(path, request):
    """A byte at a time."""
    with connect(path) as agent:
        for byte in netstring(request):
            agent.sendall(bytes([byte]))
            time.sleep(0.01)
        print(reply(agent))


def slowest(path, number, request):
    """The longest of so many."""
    longest = 0.0
    for _ in range(int(number)):
        start = time.monotonic()
        with connect(path) as agent:
            agent.sendall(netstring(request))
            if not reply(agent).startswith("OK "):
                sys.exit("not answered with OK")
        longest = max(longest, time.monotonic() - start)
    print(int(longest * 1000))


def pause(path, seconds, request):
    """An idle connection may stay."""
    with connect(path) as agent:
        for wait in (float(seconds), 0):
            agent.sendall(netstring(request))
            print(reply(agent).split()[0])
            time.sleep(wait)


def leave(path, request):
    """Does not wait for the answer."""
    with connect(path) as agent:
        agent.sendall(netstring(request))


def crowd(path, number, text):
    """Many who say this and then nothing more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 5000)), hard))
    many = []
    for _ in range(int(number)):
        many.append(connect(path))
        many[-1].sendall(os.fsencode(text))
    print("here", flush=True)
    sys.stdin.read()
    poll = select.poll()
    for one in many:
        poll.register(one, select.POLLRDHUP)
    print(len(poll.poll(0)))


def activate(path, *command):
    """sd_listen_fds(3)."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o666)
    listener.listen(100)
    if listener.fileno() == 3:
        os.set_inheritable(3, True)
    else:
        os.dup2(listener.fileno(), 3)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="agent")
    os.execvp(command[0], command)


COMMANDS = {f.__name__: f for f in
            (ask, raw, drip, slowest, pause, leave, crowd, activate)}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
