"""Faults on demand.

A fault is chosen by what the request says (client, user, grant) and works at one of three
places: `instead` of the token endpoint (the grant is not used up), on the successful `reply`
(the grant is used, then the reply is spoilt), or in the `transport` (the right reply, badly
sent). `endpoint` says where: token unless another is named (authorize, device, revoke,
openid, rfc8414, flow).
"""

import threading

from .asked import Answer, json_answer
from .errors import Refusal, body

MATCHED_BY = ("client", "user", "grant")


def refusal_answer(number, settings):
    """Any AADSTS number; status, error and suberror may be given for unknown ones."""
    refusal = Refusal(number)
    refusal.status = settings.get("status", refusal.status)
    refusal.error = settings.get("error", refusal.error)
    refusal.suberror = settings.get("suberror", refusal.suberror)
    value = body(refusal)
    value.update(settings.get("extra", {}))
    headers = {}
    if "retry_after" in settings:
        headers["Retry-After"] = str(settings["retry_after"])
    return json_answer(refusal.status, value, headers)


def status_answer(status, settings):
    """429, 500, 503: with Retry-After when asked for, no JSON as gateways do."""
    headers = {"Content-Type": "text/plain"}
    if "retry_after" in settings:
        headers["Retry-After"] = str(settings["retry_after"])
    return Answer(status, b"Service unavailable\n", headers)


def html_answer(_):
    """A captive portal."""
    return Answer(200, b"<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>\n",
                  {"Content-Type": "text/html; charset=utf-8"})


def big_answer(settings):
    """A JSON object with one long string; bytes: 10 MB by default."""
    size = settings.get("bytes", 10 << 20)
    return Answer(200, b'{"token_type":"Bearer","expires_in":3599,"access_token":"' +
                  b"A" * size + b'"}')


def error_answer(settings):
    """RFC 6749 5.2, as other providers send it."""
    names = ("error", "error_description", "error_subtype")
    return json_answer(settings.get("status", 400),
                       {name: settings[name] for name in names if name in settings})


INSTEAD = {
    "error": error_answer,
    "aadsts": lambda s: refusal_answer(s["number"], s),
    "status": lambda s: status_answer(s["status"], s),
    "429": lambda s: status_answer(429, {"retry_after": 60, **s}),
    "500": lambda s: status_answer(500, s),
    "503": lambda s: status_answer(503, s),
    "html": html_answer,
    "big": big_answer,
    "invalid_json": lambda s: Answer(200, b'{"token_type":"Bearer","access_token":"abc'),
    "not_object": lambda s: Answer(200, b'["access_token"]'),
    "empty_body": lambda s: Answer(200, b""),
    "redirect": lambda s: Answer(s.get("status", 307), b"", {"Location": s["location"]}),
    "hang": lambda s: Answer(0, b"", transport="hang"),
    "reset": lambda s: Answer(0, b"", transport="reset"),
    "close": lambda s: Answer(0, b"", transport="close"),
}


def with_field(name, value):
    """A spoiler that sets one field."""
    return lambda reply, s: reply.update({name: value})


def without_field(name):
    """A spoiler that takes one field away."""
    return lambda reply, s: reply.pop(name, None)


def put_inside(reply, text):
    """Puts a byte that must never reach a mail server into the token."""
    reply["access_token"] = reply["access_token"][:20] + text + reply["access_token"][20:]


REPLY = {
    "no_access_token": without_field("access_token"),
    "empty_access_token": with_field("access_token", ""),
    "null_access_token": with_field("access_token", None),
    "number_access_token": with_field("access_token", 12345),
    "crlf_access_token": lambda r, s: put_inside(r, "\r\nMAIL FROM:<x@example.com>"),
    "control_access_token": lambda r, s: put_inside(r, "\x01user=eve\x01"),
    "nul_access_token": lambda r, s: put_inside(r, "\x00"),
    "huge_access_token": lambda r, s: r.update(access_token="A" * s.get("bytes", 70000)),
    "no_refresh_token": without_field("refresh_token"),
    "empty_refresh_token": with_field("refresh_token", ""),
    "null_refresh_token": with_field("refresh_token", None),
    "no_token_type": without_field("token_type"),
    "wrong_token_type": with_field("token_type", "mac"),
    "lower_token_type": with_field("token_type", "bearer"),
    "no_expires_in": without_field("expires_in"),
    "string_expires_in": lambda r, s: r.update(expires_in=str(r["expires_in"])),
    "negative_expires_in": with_field("expires_in", -5),
    "huge_expires_in": with_field("expires_in", 10 ** 30),
    "null_expires_in": with_field("expires_in", None),
    "fields": lambda r, s: r.update(s["set"]),
}

# The right reply, sent badly: see send.py.
TRANSPORT = ("slow", "drip", "truncate", "reset_after", "close_after")


class Faults:
    """The list of faults that wait for their requests."""

    def __init__(self):
        self.lock = threading.Lock()
        self.waiting = []

    def add(self, settings):
        """Takes a fault: name in `fault`, `count` requests (absent: until cleared)."""
        name = settings.get("fault")
        if name not in INSTEAD and name not in REPLY and name not in TRANSPORT:
            raise ValueError("no such fault: %s" % name)
        if name == "aadsts" and "number" not in settings:
            raise ValueError("aadsts needs a number")
        if name == "error" and "error" not in settings:
            raise ValueError("error needs an error")
        if name == "redirect" and "location" not in settings:
            raise ValueError("redirect needs a location")
        with self.lock:
            self.waiting.append(dict(settings))

    def clear(self):
        """Forgets them all."""
        with self.lock:
            self.waiting.clear()

    def take(self, request):
        """The fault meant for this request, or None; counted ones are used up."""
        said = {"client": request.client_id, "user": request.user, "grant": request.grant}
        with self.lock:
            for fault in self.waiting:
                if fault.get("endpoint", "token") != (request.where.endpoint or "token"):
                    continue
                if any(fault.get(k) not in (None, said[k]) for k in MATCHED_BY):
                    continue
                if "count" in fault:
                    fault["count"] -= 1
                    if fault["count"] <= 0:
                        self.waiting.remove(fault)
                return fault
        return None


def respond(request, fault):
    """The Answer for a request, with its fault if it has one."""
    name = fault["fault"] if fault else None
    if name in INSTEAD:
        return INSTEAD[name](fault)
    try:
        with request.state.lock:
            reply = request.answer()
        if isinstance(reply, Answer):
            answer = reply
        else:
            if name in REPLY:
                REPLY[name](reply, fault)
            answer = json_answer(200, reply)
    except Refusal as refusal:
        answer = request.refuse(refusal)
    if name in TRANSPORT:
        answer.transport = name
    return answer
