"""Whose endpoint a request is for.

The real host names each have their own paths, and nothing else is there. Under any other
name (localhost, an address) Microsoft's global cloud answers, and the other providers below
their name: /generic/token, /google/authorize. An application, a tenant and a scope belong
to one cloud; in another they are unknown.
"""

import re

GLOBAL, US, CHINA = "global", "us", "china"
ENTRA_CLOUDS = (GLOBAL, US, CHINA)
SERVICES = ("generic", "google", "yahoo", "fastmail")
CLOUDS = ENTRA_CLOUDS + SERVICES

ENTRA_HOSTS = {
    "login.microsoftonline.com": GLOBAL,
    "login.microsoftonline.us": US,
    "login.partner.microsoftonline.cn": CHINA,
    "login.chinacloudapi.cn": CHINA,
}
LOGIN_HOST = {GLOBAL: "login.microsoftonline.com", US: "login.microsoftonline.us",
              CHINA: "login.partner.microsoftonline.cn"}
ENTRA_PATHS = (
    (re.compile(r"/([^/?#]+)/oauth2/v2\.0/token\Z"), "token"),
    (re.compile(r"/([^/?#]+)/oauth2/v2\.0/authorize\Z"), "authorize"),
    (re.compile(r"/([^/?#]+)/oauth2/v2\.0/devicecode\Z"), "device"),
    (re.compile(r"/([^/?#]+)/v2\.0/\.well-known/openid-configuration\Z"), "openid"),
    (re.compile(r"/\.well-known/oauth-authorization-server/([^/?#]+)/v2\.0\Z"), "rfc8414"),
)
OTHER_HOSTS = {
    "accounts.google.com": ("google", {
        "/o/oauth2/v2/auth": "authorize", "/.well-known/openid-configuration": "openid"}),
    "oauth2.googleapis.com": ("google", {
        "/token": "token", "/device/code": "device", "/revoke": "revoke"}),
    "api.login.yahoo.com": ("yahoo", {
        "/oauth2/request_auth": "authorize", "/oauth2/get_token": "token",
        "/oauth2/revoke": "revoke", "/.well-known/openid-configuration": "openid"}),
    "api.fastmail.com": ("fastmail", {
        "/oauth/authorize": "authorize", "/oauth/refresh": "token",
        "/oauth/revoke": "revoke"}),
}
PREFIXED = re.compile(r"/(%s)/(?:(token|authorize|device|revoke)|"
                      r"\.well-known/(openid)-configuration)\Z" % "|".join(SERVICES))
PREFIXED_8414 = re.compile(r"/\.well-known/oauth-authorization-server/(%s)\Z" %
                           "|".join(SERVICES))
FLOW_PATH = "/login/flow"
# What each endpoint is asked with; "flow" is a page's link or its form.
METHODS = {"token": ("POST",), "device": ("POST",), "revoke": ("POST",),
           "authorize": ("GET",), "openid": ("GET",), "rfc8414": ("GET",),
           "flow": ("GET", "POST")}


class Where:
    """Service, endpoint, tenant and the address as the client wrote it."""

    def __init__(self, scheme, host, target):
        self.scheme = scheme
        self.host = host
        self.path, _, self.query = target.partition("?")
        self.cloud = ENTRA_HOSTS.get(self.name, GLOBAL)
        self.endpoint = None      # None: nothing is at this path
        self.tenant_name = None   # as in the path, for Microsoft alone
        self.find()

    @property
    def name(self):
        """The host without a port."""
        return re.sub(r":\d+\Z", "", self.host)

    @property
    def base(self):
        """https://host[:port]"""
        return "%s://%s" % (self.scheme, self.host)

    @property
    def url(self):
        """The whole address, without the query."""
        return self.base + self.path

    @property
    def plain(self):
        """True for those that are not Microsoft: errors of RFC 6749 and no numbers."""
        return self.cloud in SERVICES

    def find(self):
        """Sets endpoint, and cloud and tenant with it."""
        if self.path == FLOW_PATH:
            self.endpoint = "flow"
        elif self.name in OTHER_HOSTS:
            self.cloud, paths = OTHER_HOSTS[self.name]
            self.endpoint = paths.get(self.path)
        elif not self.find_entra() and self.name not in ENTRA_HOSTS:
            self.find_prefixed()

    def find_entra(self):
        """One of Microsoft's paths?"""
        for pattern, endpoint in ENTRA_PATHS:
            found = pattern.match(self.path)
            if found:
                self.tenant_name, self.endpoint = found.group(1), endpoint
                return True
        return False

    def find_prefixed(self):
        """Another provider, below its name."""
        found = PREFIXED.match(self.path)
        if found:
            self.cloud, self.endpoint = found.group(1), found.group(2) or found.group(3)
            return
        found = PREFIXED_8414.match(self.path)
        if found:
            self.cloud, self.endpoint = found.group(1), "rfc8414"
