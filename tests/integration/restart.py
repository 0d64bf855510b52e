#!/usr/bin/env python3
"""Restarts the agent under load, holding its socket as systemd does; for hardening.bats.

  restart.py SOCKET RESTARTS REQUEST PIDS LOG COMMAND...

Eight clients ask without a pause: four with a connection for each question, as the plugin
does, four that keep theirs and ask once more, on a new one, when it ended before the first
byte of an answer, as Postfix's socketmap client does. Meanwhile the agent is ended by
SIGTERM and, when it has gone, started again. Every agent's pid is added to PIDS. Prints
how many questions were asked, how many failed, the longest in milliseconds, and how often
a kept connection was made anew.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time


class Client:
    """Asks in a closed loop."""

    def __init__(self, path, text, keeps):
        self.path, self.keeps = path, keeps
        self.request = b"%d:%s," % (len(text), text)
        self.asked = self.anew = self.longest = 0
        self.failed = []
        self.sock = None

    def connect(self):
        """As long as the queue is full, later."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        while True:
            try:
                self.sock.connect(self.path)
                return
            except BlockingIOError:
                time.sleep(0.001)

    def exchange(self):
        """The answer, or what there is of it."""
        data = b""
        try:
            self.sock.sendall(self.request)
            while not data.endswith(b",") or len(data) < int(data.split(b":")[0]):
                part = self.sock.recv(65536)
                if not part:
                    break
                data += part
        except (BrokenPipeError, ConnectionResetError):
            pass
        return data

    def ask(self):
        """One question."""
        start = time.monotonic()
        used = self.sock is not None
        if not used:
            self.connect()
        data = self.exchange()
        if used and not data:
            self.anew += 1
            self.sock.close()
            self.connect()
            data = self.exchange()
        self.asked += 1
        self.longest = max(self.longest, time.monotonic() - start)
        if b":OK " not in data[:10]:
            self.failed.append(data.split(b":")[-1].split(b" ")[0] + b" ...")
        if not self.keeps or not data:
            self.sock.close()
            self.sock = None

    def run(self, end):
        """Until the end."""
        while not end.is_set():
            try:
                self.ask()
            except OSError as problem:
                self.failed.append(str(problem).encode())
                self.sock = None
            time.sleep(0.0005)


def start_agent(listener, command, pids, log):
    """With the socket as descriptor 3, as sd_listen_fds(3) has it."""
    # A shell knows the pid that the agent will have. Its standard input is the socket.
    agent = subprocess.Popen(
        ["/bin/sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&0 </dev/null', "sh",
         *command], stdin=listener.fileno(), stdout=log, stderr=log)
    with open(pids, "a", encoding="utf-8") as file:
        file.write(f"{agent.pid} agent\n")
    return agent


def main():
    """Start, load, restarts, end."""
    path, restarts, text, pids, log = sys.argv[1:6]
    command = sys.argv[6:]
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o666)
    listener.listen(1024)
    with open(log, "ab") as out:
        agent = start_agent(listener, command, pids, out)
        first = Client(path, os.fsencode(text), False)
        first.ask()
        if first.failed:
            sys.exit(f"the first question failed: {first.failed}")
        clients = [Client(path, os.fsencode(text), i % 2 == 1) for i in range(8)]
        end = threading.Event()
        threads = [threading.Thread(target=c.run, args=(end,)) for c in clients]
        for thread in threads:
            thread.start()
        for _ in range(int(restarts)):
            time.sleep(0.4)
            agent.send_signal(signal.SIGTERM)
            agent.wait(30)
            agent = start_agent(listener, command, pids, out)
        time.sleep(0.4)
        end.set()
        for thread in threads:
            thread.join()
        agent.send_signal(signal.SIGTERM)
        agent.wait(30)
    for client in clients:
        for failure in client.failed[:3]:
            print(failure, file=sys.stderr)
    print("asked", sum(c.asked for c in clients), "failed",
          sum(len(c.failed) for c in clients), "longest",
          int(max(c.longest for c in clients) * 1000), "anew", sum(c.anew for c in clients))


if __name__ == "__main__":
    main()
