"""INBOX as one IMAP session sees it: numbers, flags, parts of messages."""

import re
import time

from .imap_words import BadArguments, read_set

FLAGS = ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")
MACROS = {"ALL": ["FLAGS", "INTERNALDATE", "RFC822.SIZE"],
          "FAST": ["FLAGS", "INTERNALDATE", "RFC822.SIZE"]}
SECTION = re.compile(r"(BODY(?:\.PEEK)?)\[(.*)\](?:<(\d+)\.(\d+)>)?", re.IGNORECASE)
RFC822 = {"RFC822": "", "RFC822.HEADER": "HEADER", "RFC822.TEXT": "TEXT"}


def head_and_text(raw):
    """A message's two parts; the empty line belongs to the head."""
    head, _, text = raw.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", text


def some_fields(head, names, but):
    """HEADER.FIELDS: header fields by name, continuation lines with them."""
    wanted = {n.upper() for n in names}
    fields = re.findall(rb"[^\r\n]+\r\n(?:[ \t][^\r\n]*\r\n)*", head)
    kept = [f for f in fields
            if (f.partition(b":")[0].decode("ascii", "replace").upper() in wanted) != but]
    return b"".join(kept) + b"\r\n"


def section(raw, name):
    """BODY[name]"""
    head, text = head_and_text(raw)
    upper = name.upper()
    plain = {"": raw, "HEADER": head, "TEXT": text, "1": text}
    if upper in plain:
        return plain[upper]
    found = re.fullmatch(r"HEADER\.FIELDS(\.NOT)? \((.*)\)", upper)
    if not found:
        raise BadArguments
    return some_fields(head, found.group(2).split(), bool(found.group(1)))


class Selected:
    """The messages in the order of their numbers; new ones are added when they are told."""

    def __init__(self, mailbox, writable):
        self.mailbox = mailbox
        self.writable = writable
        self.seen = list(mailbox.inbox)

    def numbers(self):
        """What STATUS tells."""
        return {"MESSAGES": len(self.seen), "RECENT": 0, "UIDNEXT": self.mailbox.next_uid,
                "UIDVALIDITY": self.mailbox.uid_validity,
                "UNSEEN": len(self.search(["UNSEEN"], False))}

    def greeting(self):
        """What SELECT tells."""
        numbers = self.numbers()
        return ("* %d EXISTS\r\n* 0 RECENT\r\n* FLAGS (%s $MDNSent)\r\n"
                "* OK [PERMANENTFLAGS (%s)] Permanent flags\r\n"
                "* OK [UIDVALIDITY %d] UIDVALIDITY value\r\n"
                "* OK [UIDNEXT %d] The next unique identifier value\r\n" % (
                    numbers["MESSAGES"], " ".join(FLAGS),
                    " ".join(FLAGS) if self.writable else "", numbers["UIDVALIDITY"],
                    numbers["UIDNEXT"]))

    def news(self):
        """Messages gone and come since; "" when nothing changed."""
        told, there = "", list(self.mailbox.inbox)
        for number in range(len(self.seen), 0, -1):
            if self.seen[number - 1] not in there:
                del self.seen[number - 1]
                told += "* %d EXPUNGE\r\n" % number
        fresh = [m for m in there if m not in self.seen]
        self.seen += fresh
        return told + ("* %d EXISTS\r\n" % len(self.seen) if fresh else "")

    def chosen(self, text, by_uid):
        """[(number, message)] of a sequence set."""
        numbered = list(enumerate(self.seen, 1))
        numbers = [m.uid if by_uid else n for n, m in numbered]
        wanted = read_set(text, numbers)
        return [pair for pair, number in zip(numbered, numbers) if number in wanted]

    # --- SEARCH

    def search(self, words, by_uid):
        """Numbers or UIDs; keys are joined by and."""
        left = list(enumerate(self.seen, 1))
        words = list(words)
        if words and isinstance(words[0], str) and words[0].upper() == "CHARSET":
            words = words[2:]
        while words:
            passes = self.key(words)
            left = [pair for pair in left if passes(*pair)]
        return [m.uid if by_uid else n for n, m in left]

    def key(self, words):
        """Takes one search key from the words; whether a message fits."""
        word = words.pop(0)
        if isinstance(word, list):
            numbers = set(self.search(word, False))
            return lambda n, m: n in numbers
        upper = word.upper()
        if upper in ("ALL", "OLD"):
            return lambda n, m: True
        if upper in ("NEW", "RECENT"):
            return lambda n, m: False
        if upper == "NOT":
            inner = self.key(words)
            return lambda n, m: not inner(n, m)
        plain = upper[2:] if upper.startswith("UN") else upper
        flag = "\\" + plain.capitalize()
        if flag in FLAGS:
            return lambda n, m: (flag in m.flags) == (plain == upper)
        if upper in ("SUBJECT", "FROM", "TO"):
            return self.in_field(upper, words.pop(0))
        if upper in ("TEXT", "BODY"):
            text = words.pop(0).lower().encode()
            return lambda n, m: text in m.text.lower()
        if upper == "UID":
            uids = {m.uid for _, m in self.chosen(words.pop(0), True)}
            return lambda n, m: m.uid in uids
        numbers = {n for n, _ in self.chosen(word, False)}
        return lambda n, m: n in numbers

    @staticmethod
    def in_field(name, text):
        """A header field holds the text."""
        return lambda n, m: text.lower().encode() in \
            some_fields(head_and_text(m.text)[0], [name], False).lower()

    # --- FETCH and STORE

    def fetch(self, words, by_uid):
        """Untagged replies, a bytes object each."""
        items = words[1] if isinstance(words[1], list) else words[1:]
        items = self.joined(items)
        if len(items) == 1:
            items = MACROS.get(items[0].upper(), items)
        if by_uid and "UID" not in (i.upper() for i in items):
            items = ["UID", *items]
        for number, message in self.chosen(words[0], by_uid):
            before = set(message.flags)
            parts = [self.item(message, item) for item in items]
            if message.flags != before and "FLAGS" not in (i.upper() for i in items):
                parts.append(self.item(message, "FLAGS"))
            yield b"* %d FETCH (%s)\r\n" % (number, b" ".join(parts))

    @staticmethod
    def joined(items):
        """Strings alone."""
        if not items or not all(isinstance(item, str) for item in items):
            raise BadArguments
        return items

    def item(self, message, name):
        """One item with its value."""
        upper = name.upper()
        if upper == "FLAGS":
            return b"FLAGS (%s)" % " ".join(sorted(message.flags)).encode()
        if upper == "UID":
            return b"UID %d" % message.uid
        if upper == "RFC822.SIZE":
            return b"RFC822.SIZE %d" % len(message.text)
        if upper == "INTERNALDATE":
            when = time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime(message.at))
            return b'INTERNALDATE "%s"' % when.encode()
        if upper in RFC822:
            data, told = section(message.text, RFC822[upper]), upper
        else:
            data, told = self.body(message, name)
        if "PEEK" not in upper and upper != "RFC822.HEADER" and self.writable:
            message.flags.add("\\Seen")
        return b"%s {%d}\r\n%s" % (told.encode(), len(data), data)

    @staticmethod
    def body(message, name):
        """BODY[...]<...>: the bytes and the name as the reply has it."""
        found = SECTION.fullmatch(name)
        if not found:
            raise BadArguments
        data, told = section(message.text, found.group(2)), "BODY[%s]" % found.group(2)
        if found.group(3):
            first, count = int(found.group(3)), int(found.group(4))
            return data[first:first + count], "%s<%d>" % (told, first)
        return data, told

    def store(self, words, by_uid):
        """Changed flags; what is told about them."""
        action = words[1].upper()
        flags = words[2] if isinstance(words[2], list) else words[2:]
        flags = {f.capitalize() if not f.startswith("\\") else "\\" + f[1:].capitalize()
                 for f in self.joined(flags)} if flags else set()
        if not self.writable or action.rpartition(".SILENT")[0] not in \
                ("FLAGS", "+FLAGS", "-FLAGS") and action not in ("FLAGS", "+FLAGS", "-FLAGS"):
            raise BadArguments
        told = ""
        for number, message in self.chosen(words[0], by_uid):
            if action[0] == "+":
                message.flags |= flags
            elif action[0] == "-":
                message.flags -= flags
            else:
                message.flags = set(flags)
            if not action.endswith(".SILENT"):
                uid = "UID %d " % message.uid if by_uid else ""
                told += "* %d FETCH (%sFLAGS (%s))\r\n" % (number, uid,
                                                           " ".join(sorted(message.flags)))
        return told

    def expunge(self):
        """Deleted messages go; numbers are told as they are at that moment."""
        if not self.writable:
            return ""
        gone = [m for m in self.seen if "\\Deleted" in m.flags]
        self.mailbox.inbox = [m for m in self.mailbox.inbox if m not in gone]
        return self.news()
