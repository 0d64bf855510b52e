"""What a scope asks for, as Exchange and Entra understand it."""

from .errors import Refusal

EXCHANGE_HOSTS = ("https://outlook.office.com", "https://outlook.office365.com")
APP_ONLY_SCOPE = "https://outlook.office365.com/.default"
GRAPH_HOST = "https://graph.microsoft.com"
GRAPH_AUDIENCE = "00000003-0000-0000-c000-000000000000"
MAIL_SCOPES = ("SMTP.Send", "IMAP.AccessAsUser.All", "POP.AccessAsUser.All")
OPENID_SCOPES = ("openid", "profile", "email", "offline_access")


class Granted:
    """An audience, the permissions in it, and the scope as it is told to the client."""

    def __init__(self, audience, permissions, told, openid=False):
        self.audience = audience
        self.permissions = permissions
        self.told = told
        self.openid = openid


def app_only(scope, roles):
    """Client credentials: exactly one resource and /.default."""
    parts = scope.split()
    if len(parts) > 1:
        raise Refusal(28000 if len({resource_of(p) for p in parts}) > 1 else 70011)
    if not scope.endswith("/.default"):
        raise Refusal(1002012, "It was '%s'." % scope)
    if scope == GRAPH_HOST + "/.default":
        return Granted(GRAPH_HOST, ["Mail.Send"], scope)
    if scope != APP_ONLY_SCOPE:
        if resource_of(scope) in EXCHANGE_HOSTS:
            raise Refusal(70011, "It was '%s'." % scope)
        raise Refusal(500011, "It was '%s'." % scope)
    return Granted("https://outlook.office365.com", list(roles), scope)


def resource_of(part):
    """The resource of one scope; a bare name belongs to Graph."""
    return part.rpartition("/")[0] if "/" in part else GRAPH_HOST


def delegated(scope, consented):
    """A user's scopes: one resource, known names, consented ones."""
    wanted = [p for p in scope.split() if p not in OPENID_SCOPES]
    openid = "openid" in scope.split()
    if not wanted:
        if not scope.strip():
            raise Refusal(900144, "'scope' is missing.")
        return Granted(GRAPH_AUDIENCE, ["openid"], scope, openid)
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
        return Granted(GRAPH_AUDIENCE, names, " ".join(wanted), openid)
    if resource not in EXCHANGE_HOSTS:
        raise Refusal(500011, "It was '%s'." % resource)
    for name in names:
        if name not in MAIL_SCOPES:
            raise Refusal(70011, "Exchange has no '%s'." % name)
        if name not in consented:
            raise Refusal(65001, "It was asked for '%s'." % name)
    return Granted(resource, names, " ".join("%s/%s" % (resource, n) for n in names), openid)
