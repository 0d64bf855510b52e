#!/usr/bin/env python3
"""Counts copies of secrets in a process's memory; for hardening.bats, as root.

  memory_scan.py PID... < SECRETS

A line of standard input is a name, a space, and a secret. Prints a line each: the name and
how many copies of it are in the memory of all these processes together. A copy is counted
when its last 40 bytes are there, so that what was overwritten in part counts too. The
secret itself is never printed.
"""

import sys

TAIL = 40


def regions(pid):
    """Start and end of all that can be read."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            span, mode = line.split()[:2]
            if mode.startswith("r") and not line.rstrip().endswith(("[vvar]", "[vsyscall]",
                                                                    "[vvar_vclock]")):
                yield (int(end, 16) for end in span.split("-"))


def memory(pid):
    """Each region's bytes. The process goes on meanwhile: a region may be gone."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for start, end in regions(pid):
            try:
                mem.seek(start)
                data = b""
                while start + len(data) < end:
                    part = mem.read(end - start - len(data))
                    if not part:
                        break
                    data += part
                yield data
            except (OSError, OverflowError):
                continue


def main():
    """Reads the secrets, prints the counts."""
    wanted = []
    for line in sys.stdin.buffer:
        name, secret = line.rstrip(b"\n").split(b" ", 1)
        if len(secret) < 8:
            sys.exit(f"{name.decode()}: too short to be looked for")
        wanted.append((name.decode(), secret[-TAIL:]))
    counts = dict.fromkeys((name for name, _ in wanted), 0)
    seen = 0
    for pid in sys.argv[1:]:
        for data in memory(pid):
            seen += len(data)
            for name, tail in wanted:
                counts[name] += data.count(tail)
    if seen == 0:
        sys.exit("no memory could be read")
    for name, count in counts.items():
        print(name, count)


if __name__ == "__main__":
    main()
