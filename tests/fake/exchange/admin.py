"""The admin interface, on a plain loopback port of its own.

  GET  /admin/state                       counters, sign-ins, mailboxes
  GET  /admin/mail/MAILBOX                what is in its INBOX
  GET  /admin/elsewhere                   what left the organisation
  POST /admin/mailbox  {"mailbox", settings}       add or change (mailboxes.py)
  POST /admin/organisation {settings}
  POST /admin/deliver  {"mailbox", "text"}         a message; line ends become CRLF
  POST /admin/empty    {"mailbox"}                 no mail in it any more
  POST /admin/fail     {"fail": NAME | "protocol", "at", "text"; "mailbox", "count", "close",
                        "reset", "challenge"}      see failures.py
  POST /admin/clear    {}                          no more failures
  POST /admin/offer    {"protocol", "mechanisms": [...] or null}
  POST /admin/expire   {"mailbox"}                 sessions of now end as if the token did
  POST /admin/reset    {}                          counters to nothing
"""

import json
import time
from urllib.parse import unquote

from entra.server import Handler

from .server import MECHANISMS


def set_mailbox(state, settings):
    """Adds a mailbox or changes it."""
    changes = dict(settings)
    state.mailboxes.set(changes.pop("mailbox"), changes)


def set_organisation(state, settings):
    """For all mailboxes that do not say otherwise."""
    state.mailboxes.set_organisation(settings)


def deliver(state, settings):
    """Mail from anywhere."""
    text = "\r\n".join(settings["text"].splitlines()) + "\r\n"
    state.mailboxes.get(settings["mailbox"]).deliver(text.encode())


def empty(state, settings):
    """Nothing is left."""
    box = state.mailboxes.get(settings["mailbox"])
    box.inbox, box.next_uid = [], 1


def fail(state, settings):
    """From now on."""
    state.failures.add(settings)


def clear(state, _):
    """Everything works again."""
    state.failures.clear()
    state.mechanisms = dict(MECHANISMS)


def offer(state, settings):
    """Other mechanisms than Exchange's."""
    protocol, names = settings["protocol"], settings["mechanisms"]
    state.mechanisms[protocol] = MECHANISMS[protocol] if names is None else tuple(names)


def expire(state, settings):
    """Sessions that are open now are cut."""
    state.mailboxes.get(settings["mailbox"]).ended_at = time.time()


def reset(state, _):
    """Counters to nothing."""
    state.reset()


COMMANDS = {"mailbox": set_mailbox, "organisation": set_organisation, "deliver": deliver,
            "empty": empty, "fail": fail, "clear": clear, "offer": offer, "expire": expire,
            "reset": reset}


def report(state, path):
    """What a GET asks for; None: nothing is there."""
    boxes = state.mailboxes
    if path == "state":
        return {"counters": state.counters, "sign_ins": list(state.sign_ins),
                "mailboxes": {name: box.report() for name, box in boxes.known.items()}}
    if path == "elsewhere":
        return [message.report() for message in boxes.elsewhere]
    box = boxes.find(path.partition("mail/")[2])
    return None if box is None else [message.report() for message in box.inbox]


class AdminHandler(Handler):
    """Tests ask here."""

    def do_GET(self):
        state = self.server.state
        with state.lock:
            value = report(state, unquote(self.path).partition("/admin/")[2])
            told = json.dumps(value).encode() + b"\n"
        self.send_bytes(200 if value is not None else 404,
                        {"Content-Type": "application/json"}, told)

    def do_POST(self):
        state, name = self.server.state, self.path.partition("/admin/")[2]
        try:
            settings = json.loads(self.read_body() or b"{}")
            with state.lock:
                COMMANDS[name](state, settings)
            status, value = 200, {}
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            status, value = 400, {"error": repr(problem)}
        self.server.log.write("admin %s -> %d", name, status)
        self.send_bytes(status, {"Content-Type": "application/json"},
                        json.dumps(value).encode() + b"\n")
