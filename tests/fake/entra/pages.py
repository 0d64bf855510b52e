"""The pages a person sees: plain HTML that works in every browser, without a script."""

from html import escape
from urllib.parse import urlencode

from .asked import Answer
from .clouds import FLOW_PATH

STYLE = "body{font:16px sans-serif;max-width:34em;margin:3em auto}"


def page(status, title, *parts):
    """A whole page; the parts are HTML already."""
    text = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">" \
        "<title>%s</title><style>%s</style></head>\n<body><h1>%s</h1>\n%s\n</body></html>\n"
    return Answer(status, (text % (escape(title), STYLE, escape(title),
                                   "\n".join(parts))).encode(),
                  {"Content-Type": "text/html; charset=utf-8"})


def error_page(refusal, plain):
    """What cannot be told to the application: there is no address to tell it at."""
    number = "" if plain else "AADSTS%d: " % refusal.number
    return page(400, "Sorry, but we're having trouble signing you in.",
                "<p id=\"error\">%s%s</p>" % (number, escape(refusal.text)))


def link(flow, answer, words):
    """A link of a page that waits."""
    target = "%s?%s" % (FLOW_PATH, urlencode({"flow": flow, "answer": answer}))
    return "<p><a id=\"%s\" href=\"%s\">%s</a></p>" % (answer, escape(target),
                                                     escape(words))


def mfa_page(flow):
    """A second factor is missing."""
    return page(200, "More information required",
                "<p>Your organization needs more to keep your account secure.</p>",
                link(flow, "accept", "Next"), link(flow, "cancel", "Cancel"))


def consent_page(flow, user, scope):
    """A form, as the real one."""
    wanted = "".join("<li>%s</li>" % escape(one) for one in scope.split())
    return page(
        200, "Permissions requested", "<p>%s</p><ul>%s</ul>" % (escape(user), wanted),
        "<form method=\"post\" action=\"%s\">" % FLOW_PATH,
        "<input type=\"hidden\" name=\"flow\" value=\"%s\">" % escape(flow),
        "<button id=\"accept\" name=\"answer\" value=\"accept\">Accept</button>",
        "<button id=\"cancel\" name=\"answer\" value=\"cancel\">Cancel</button></form>")


def admin_page(flow):
    """Only an administrator could go on."""
    return page(200, "Need admin approval",
                "<p>AADSTS90094: An administrator's consent is needed.</p>",
                link(flow, "cancel", "Return to the application without granting consent"))


def waiting_page():
    """Nothing to press: whoever waits for a redirect waits in vain."""
    return page(200, "Pick an account", "<p>Nobody does.</p>")
