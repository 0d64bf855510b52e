"""Arguments of an IMAP command: atoms, quoted strings, literals, lists (RFC 3501 9)."""

import re

WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\{\})|([()])|((?:[^\s()\[\]"]|\[[^\]]*\]|<[^>]*>)+)')


class BadArguments(Exception):
    """Not what the command takes."""


def read_words(text, literals):
    """Strings, bytes for literals, and lists of these for what stands in parentheses."""
    stack, at, literals = [[]], 0, list(literals)
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        found = WORD.match(text, at)
        if not found:
            raise BadArguments
        at = found.end()
        quoted, literal, bracket, atom = found.groups()
        if bracket == "(":
            stack.append([])
        elif bracket == ")":
            if len(stack) == 1:
                raise BadArguments
            done = stack.pop()
            stack[-1].append(done)
        elif literal:
            stack[-1].append(literals.pop(0))
        else:
            stack[-1].append(re.sub(r"\\(.)", r"\1", quoted) if atom is None else atom)
    if len(stack) > 1:
        raise BadArguments
    return stack[0]


def read_set(text, numbers):
    """Those of the numbers that a sequence set names: 1,3:5,7:*"""
    wanted, last = set(), max(numbers, default=0)
    for part in text.split(","):
        if not re.fullmatch(r"(\d+|\*)(:(\d+|\*))?", part):
            raise BadArguments
        ends = [last if end == "*" else int(end) for end in part.split(":")]
        low, high = min(ends), max(ends)
        wanted.update(n for n in numbers if low <= n <= high)
    return wanted
