"""Which redirect URI is registered, and as what platform.

Microsoft's rules: http://localhost stands for every port, its path counts; anything else is
compared as it is. Google takes any loopback address of a desktop client; RFC 8252 7.3, and
so the generic provider, ignores the port of every loopback address.
"""

import re
from urllib.parse import urlsplit

from .errors import Refusal

PLATFORMS = ("native", "web", "spa")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
# The characters a URI consists of; everything else must have been encoded in it.
SOUND = re.compile(r"[A-Za-z0-9:/?\[\]@!$&'()*+,;=%._~-]+\Z")


def default_for(public):
    """What is registered when nothing is said."""
    return {"native" if public else "web": ["http://localhost"]}


def without_port(uri, hosts):
    """The parts that count, or None when the port counts as well."""
    parts = urlsplit(uri)
    if parts.scheme != "http" or parts.hostname not in hosts or "@" in parts.netloc:
        return None
    return parts.hostname, parts.path or "/", parts.query, parts.fragment


def matches(registered, given, cloud):
    """Whether a redirect URI is the registered one."""
    if registered == given:
        return True
    hosts = LOOPBACK if cloud in ("google", "generic") else ("localhost",)
    one, other = without_port(registered, hosts), without_port(given, hosts)
    if one is None or other is None:
        return False
    return one == other or cloud == "google"


def platform_of(client, given, cloud):
    """The platform the redirect URI is registered for; raises Refusal."""
    registered = client["redirects"]
    if not any(registered.values()):
        raise Refusal(500113)
    if not given:
        raise Refusal(900971)
    try:
        sound = SOUND.match(given) and "#" not in given and urlsplit(given).port != 0
    except ValueError:
        sound = False
    for platform in PLATFORMS if sound else ():
        if any(matches(uri, given, cloud) for uri in registered.get(platform, ())):
            return platform
    raise Refusal(50011, "It was '%s'." % given)


def with_query(uri, query):
    """Where the browser is sent: a URI without a path comes back with one."""
    parts = urlsplit(uri)
    uri = parts._replace(path=parts.path or "/").geturl()
    return uri + ("&" if parts.query else "?") + query
