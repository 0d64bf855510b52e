"""What a scope asks for, as Exchange and Entra understand it."""

from .errors import Refusal

EXCHANGE = {
    "global": ("https://outlook.office.com", "https://outlook.office365.com"),
    "us": ("https://outlook.office365.us", "https://outlook-dod.office365.us"),
    "china": ("https://partner.outlook.cn",),
}
APP_ONLY_SCOPE = "https://outlook.office365.com/.default"
APP_ONLY = {
    "global": (APP_ONLY_SCOPE,),
    "us": tuple(host + "/.default" for host in EXCHANGE["us"]),
    "china": tuple(host + "/.default" for host in EXCHANGE["china"]),
}
# High Volume Email: another host, another permission.
HVE_SCOPE = "https://outlook.office.com/.default"
GRAPH_HOST = "https://graph.microsoft.com"
GRAPH_AUDIENCE = "00000003-0000-0000-c000-000000000000"
MAIL_SCOPES = ("SMTP.Send", "IMAP.AccessAsUser.All", "POP.AccessAsUser.All")
OPENID_SCOPES = ("openid", "profile", "email", "offline_access")
# What a person can be asked for at the other providers; None: anything.
OTHER_SCOPES = {
    "google": ("https://mail.google.com/", "openid", "email", "profile",
               "https://www.googleapis.com/auth/userinfo.email"),
    "yahoo": ("mail-w", "mail-r", "openid", "email", "profile"),
    "fastmail": tuple("https://www.fastmail.com/dev/protocol-" + protocol
                      for protocol in ("imap", "pop", "smtp")) + ("offline_access",),
    "generic": None,
}


class Granted:
    """An audience, the permissions in it, and the scope as it is told to the client."""

    def __init__(self, audience, permissions, told, mail=False):
        self.audience = audience
        self.permissions = permissions
        self.told = told
        self.mail = mail          # whether a mail server takes it


def app_only(cloud, scope, client):
    """Client credentials: exactly one resource and /.default."""
    if cloud in OTHER_SCOPES:
        return other(cloud, scope)
    parts = scope.split()
    if len(parts) > 1:
        raise Refusal(28000 if len({resource_of(p) for p in parts}) > 1 else 70011)
    if not scope.endswith("/.default"):
        raise Refusal(1002012, "It was '%s'." % scope)
    if scope == GRAPH_HOST + "/.default":
        return Granted(GRAPH_HOST, ["Mail.Send"], scope)
    resource = resource_of(scope)
    if scope == HVE_SCOPE and client["hve"]:
        return Granted(resource, ["Mail.Send"], scope, True)
    if scope not in APP_ONLY[cloud]:
        raise Refusal(70011 if resource in EXCHANGE[cloud] else 500011,
                      "It was '%s'." % scope)
    return Granted(resource, list(client["roles"]), scope, True)


def resource_of(part):
    """The resource of one scope; a bare name belongs to Graph."""
    return part.rpartition("/")[0] if "/" in part else GRAPH_HOST


def for_user(cloud, scope, client):
    """What a user's token is for."""
    if cloud in OTHER_SCOPES:
        return other(cloud, scope)
    return delegated(cloud, scope, client["delegated"])


def other(cloud, scope):
    """Providers whose scopes are words without a resource."""
    known = OTHER_SCOPES[cloud]
    names = scope.split()
    if not names:
        raise Refusal(900144, "'scope' is missing.")
    for name in names:
        if known is not None and name not in known:
            raise Refusal(70011, "It was '%s'." % name)
    return Granted(cloud, names, scope, any(n not in OPENID_SCOPES for n in names))


def delegated(cloud, scope, consented):
    """A user's scopes: one resource, known names, consented ones."""
    wanted = [p for p in scope.split() if p not in OPENID_SCOPES]
    if not wanted:
        if not scope.strip():
            raise Refusal(900144, "'scope' is missing.")
        return Granted(GRAPH_AUDIENCE, ["openid"], scope)
    resources = {resource_of(p) for p in wanted}
    names = [p.rpartition("/")[2] for p in wanted]
    if len(resources) > 1:
        raise Refusal(70011 if ".default" in names else 28000)
    resource = resources.pop()
    if ".default" in names:
        if len(names) > 1:
            raise Refusal(70011, "/.default stands alone.")
        names = list(consented)
    if resource == GRAPH_HOST:
        return Granted(GRAPH_AUDIENCE, names, " ".join(wanted))
    if resource not in EXCHANGE[cloud]:
        raise Refusal(500011, "It was '%s'." % resource)
    for name in names:
        if name not in MAIL_SCOPES:
            raise Refusal(70011, "Exchange has no '%s'." % name)
        if name not in consented:
            raise Refusal(65001, "It was asked for '%s'." % name)
    return Granted(resource, names, " ".join("%s/%s" % (resource, n) for n in names), True)
