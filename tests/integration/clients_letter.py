#!/usr/bin/env python3
"""Letters for the tests of mail programs: one to be received, and whether one came through.

  make FILE SUBJECT    writes a message that is easily spoilt: UTF-8, dots at the beginning of
                       lines, blanks at their ends, empty lines, a long line
  text FILE            writes the text alone, to be sent
  same FILE COPY...    each copy's body is FILE's, byte for byte; headers may have come in
  sent TEXT FOLDER SUBJECT
                       one message of the Maildir has that subject, and the text as its body,
                       whatever its encoding; the last line's end may be missing
"""

import email
import email.policy
import os
import sys

TEXT = (
    "Grüße, dear reader.\n"
    "\n"
    ".\n"
    "..two dots, and one line of a dot alone above\n"
    "a tab\there, blanks at the end  \n"
    "=20 looks like quoted-printable, =3D too; -- and %s %d $HOME `id` \\n\n"
    "\n"
    "\n"
    + "long " * 160 + "\n"
    "The end. äöü €\n"
)


def body(path):
    """What stands behind the header, lines ended by LF; an mbox ends with an empty line."""
    with open(path, "rb") as stream:
        data = stream.read().replace(b"\r\n", b"\n")
    mbox = data.startswith(b"From ")
    data = data.partition(b"\n\n")[2]
    return data[:-1] if mbox and data.endswith(b"\n\n") else data


def make(path, subject):
    """The message to be received."""
    with open(path, "w", encoding="utf-8", newline="") as stream:
        stream.write("From: Bob <bob@example.net>\nTo: relay@contoso.com\n"
                     "Subject: %s\nDate: Sat, 21 Nov 2026 10:00:00 +0000\n"
                     "Message-ID: <%s@example.net>\n"
                     "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
                     "Content-Transfer-Encoding: 8bit\n\n" % (subject, abs(hash(subject)))
                     + TEXT)


def same(path, copies):
    """Says which copy differs."""
    wanted = body(path)
    if not copies:
        sys.exit("no copy")
    for copy in copies:
        got = body(copy)
        if got != wanted:
            sys.exit("%s differs:\n%r\nnot\n%r" % (copy, got, wanted))


def words(message):
    """The first text of a message."""
    part = next(p for p in message.walk() if p.get_content_type() == "text/plain")
    charset = part.get_content_charset("ascii")
    return part.get_payload(decode=True).decode(charset).replace("\r\n", "\n")


def sent(path, folder, subject):
    """Looks through new and cur."""
    with open(path, encoding="utf-8", newline="") as stream:
        wanted = stream.read()
    seen = []
    for part in ("new", "cur"):
        for name in os.listdir(os.path.join(folder, part)):
            with open(os.path.join(folder, part, name), "rb") as stream:
                message = email.message_from_binary_file(stream, policy=email.policy.default)
            seen.append(message["subject"])
            if message["subject"] == subject:
                got = words(message)
                if wanted not in (got, got + "\n"):
                    sys.exit("it differs:\n%r\nnot\n%r" % (got, wanted))
                return
    sys.exit("no message %r, but %r" % (subject, seen))


def main():
    """The word says what."""
    word, *rest = sys.argv[1:]
    if word == "make":
        make(*rest)
    elif word == "text":
        with open(rest[0], "w", encoding="utf-8", newline="") as stream:
            stream.write(TEXT)
    elif word == "same":
        same(rest[0], rest[1:])
    elif word == "sent":
        sent(*rest)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
