"""A message that has come in whole: may this mailbox send it, and now?

The order is Exchange's: first what the store is asked (rights, quota, size), and how many
submissions run at the same time.
"""

import email
import email.policy
import email.utils
import secrets
import time

from . import failures, mailboxes, texts


class Submission:
    """From MAIL to the reply behind the last dot."""

    def __init__(self, session, sender):
        self.session = session
        self.sender = sender
        self.recipients = []
        self.pieces = b""         # of BDAT
        self.wrong = None         # an address it may not send as

    def submit(self, text):
        """The reply; a message that is taken has been delivered with it."""
        session, box = self.session, self.session.mailbox
        with session.state.lock:
            refusal = self.refusal(text)
            if refusal is None:
                late = box.sent_since(mailboxes.MINUTE)[0] >= box.rate
                box.sent.append((time.time(), len(self.recipients)))
                box.delayed += late
        if refusal is not None:
            return failures.signature(refusal, box.name, self.wrong or self.sender)
        if late:
            session.wire.stopping.wait(box.rate_delay)
        with session.state.lock:
            session.state.mailboxes.send(self.sender, self.recipients, text)
        return failures.signature("250 2.0.0 OK <%s@%s> {hostname}" % (
            secrets.token_hex(16), texts.STORE))

    def refusal(self, text):
        """None: it may go."""
        box = self.session.mailbox
        head = email.message_from_bytes(text, policy=email.policy.compat32)
        authors = [address for _, address in
                   email.utils.getaddresses(head.get_all("From", [])) if "@" in address]
        self.wrong = next((a for a in (*authors, self.sender) if not self.may_send_as(a)),
                          None)
        checks = (
            (box.submitting.index(self.session) >= box.connections, texts.CONCURRENT),
            (not authors, texts.NO_FROM),
            (len(authors) > 1 and "Sender" not in head, texts.MANY_FROMS),
            (self.wrong is not None, texts.SEND_AS_DENIED),
            (box.full, texts.FULL),
            (len(text) > box.send_size, texts.TOO_LARGE),
            (box.sent_since(mailboxes.DAY)[1] + len(self.recipients) > box.recipients_day,
             texts.QUOTA),
        )
        return next((told for wrong, told in checks if wrong), None)

    def may_send_as(self, address):
        """Its own address, or one it was given Send As for."""
        box = self.session.mailbox
        return address.lower() in (box.name, *(a.lower() for a in box.send_as))
