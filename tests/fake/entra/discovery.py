"""Metadata: OpenID Connect Discovery 1.0 and RFC 8414.

State.metadata (admin command `metadata`) holds how it differs from the truth: `issuer`,
`set` (members), `remove` (their names), `only` (openid or rfc8414: the other is not there).
"""

from . import pages
from .asked import Asked, json_answer


class Discovery(Asked):
    """GET .../.well-known/..."""

    def answer(self):
        """The metadata of the issuer in the path."""
        if self.refusal:
            raise self.refusal
        change = self.state.metadata
        if change.get("only") not in (None, self.where.endpoint):
            return pages.page(404, "Not found")
        value = self.other() if self.where.plain else self.entra()
        if "issuer" in change:
            value["issuer"] = change["issuer"]
        value.update(change.get("set", {}))
        for name in change.get("remove", ()):
            value.pop(name, None)
        return json_answer(200, value)

    def entra(self):
        """The issuer has the tenant's id, whatever the path says; at the shared tenants a
        placeholder, as the real one."""
        base, name = self.where.base, self.where.tenant_name
        home = self.state.directory.home_tenant(self.where.cloud, self.tenant)
        known = self.tenant == home
        return {
            "token_endpoint": "%s/%s/oauth2/v2.0/token" % (base, name),
            "token_endpoint_auth_methods_supported": [
                "client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": "%s/%s/discovery/v2.0/keys" % (base, name),
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": "%s/%s/v2.0" % (base, self.tenant if known else "{tenantid}"),
            "authorization_endpoint": "%s/%s/oauth2/v2.0/authorize" % (base, name),
            "device_authorization_endpoint": "%s/%s/oauth2/v2.0/devicecode" % (base, name),
            "tenant_region_scope": "EU" if known else None,
        }

    def other(self):
        """The other providers."""
        where = self.where
        real = {"google": ("https://accounts.google.com", {
            "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
            "device_authorization_endpoint": "https://oauth2.googleapis.com/device/code",
            "token_endpoint": "https://oauth2.googleapis.com/token",
            "revocation_endpoint": "https://oauth2.googleapis.com/revoke"}),
            "yahoo": ("https://api.login.yahoo.com", {
                "authorization_endpoint": "https://api.login.yahoo.com/oauth2/request_auth",
                "token_endpoint": "https://api.login.yahoo.com/oauth2/get_token"})}
        prefix = "%s/%s" % (where.base, where.cloud)
        issuer, endpoints = prefix, {
            "authorization_endpoint": prefix + "/authorize",
            "device_authorization_endpoint": prefix + "/device",
            "token_endpoint": prefix + "/token", "revocation_endpoint": prefix + "/revoke"}
        if where.cloud in real and not where.path.startswith("/" + where.cloud):
            issuer, endpoints = real[where.cloud]
        return {"issuer": issuer, **endpoints, "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic",
                                                          "client_secret_post"]}
