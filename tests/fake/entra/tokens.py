"""Issued tokens: access tokens shaped like Exchange's, refresh tokens in families.

Nothing here is locked; the token endpoint and the admin interface hold State.lock.
"""

import base64
import json
import secrets
import time
import uuid

from .clouds import LOGIN_HOST, SERVICES
from .errors import Refusal

KEY_ID = secrets.token_urlsafe(20)
SIGNATURE_SIZE = 342  # base64url of 256 bytes: an RSA key with 2048 bits
# In every token, where it can be read: tests look for it where no token belongs.
CANARY = "CANARY"
OPAQUE_STARTS = {"google": "ya29.", "fastmail": "fma1-"}


def encode(raw):
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def compact(value):
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":")).encode()


def make_jwt(claims, size=0):
    """A JWT with a random signature, padded to about `size` characters."""
    header = encode(compact({"typ": "JWT", "alg": "RS256", "x5t": KEY_ID, "kid": KEY_ID}))
    signature = (CANARY + secrets.token_urlsafe(SIGNATURE_SIZE))[:SIGNATURE_SIZE]
    claims = dict(claims, aio="")
    room = (size - len(header) - len(signature) - 2) * 3 // 4
    missing = room - len(compact(claims))
    if missing > 0:
        claims["aio"] = secrets.token_urlsafe(missing)[:missing]
    return "%s.%s.%s" % (header, encode(compact(claims)), signature)


def make_opaque(size, start="EwB"):
    """As personal accounts and other providers give them: nothing to decode."""
    raw = secrets.token_bytes(max(size, 40) * 3 // 4)
    return (start + CANARY + base64.b64encode(raw).decode().rstrip("="))[:max(size, 40)]


def issuer_of(where, tenant):
    """`iss` of an id_token."""
    if where.cloud == "google":
        return "https://accounts.google.com"
    if where.plain:
        return "%s/%s" % (where.base, where.cloud)
    return "https://%s/%s/v2.0" % (LOGIN_HOST[where.cloud], tenant)


def identifier(user, client_id):
    """`sub`: the same for a user at one client, and says nothing."""
    return encode(uuid.uuid5(uuid.NAMESPACE_URL, client_id + " " + user).bytes)


class AccessToken:
    """What the service remembers of an access token."""

    def __init__(self, client_id, user, granted, expires_at):
        self.client_id = client_id
        self.user = user          # None: the application itself
        self.granted = granted
        self.expires_at = expires_at

    def usable(self):
        """Whether a mail server would take it now."""
        return self.granted.mail and time.time() < self.expires_at


class Family:
    """All refresh tokens that descend from one sign-in."""

    def __init__(self, client_id, user, scope, platform=None):
        self.client_id = client_id
        self.user = user
        self.scope = scope
        self.platform = platform  # of the redirect URI; None: the client's settings count
        self.dead = None          # AADSTS number once it is


class Tokens:
    """Everything issued so far."""

    def __init__(self, directory):
        self.directory = directory
        self.access = {}          # token: AccessToken
        self.refresh = {}         # token: [Family, superseded]
        self.families = []

    def claims(self, tenant, client_id, user, granted, now, life):
        """The claims of a v1.0 token for Exchange."""
        cloud = self.directory.clients[client_id]["cloud"]
        tenant = self.directory.home_tenant(cloud, tenant, user)
        claims = {
            "aud": granted.audience, "iss": "https://sts.windows.net/%s/" % tenant,
            "iat": int(now), "nbf": int(now) - 300, "exp": int(now + life),
            "appid": client_id, "tid": tenant, "ver": "1.0",
            "oid": str(uuid.uuid5(uuid.NAMESPACE_DNS, user or client_id)),
            "uti": secrets.token_urlsafe(16), "app_displayname": "Mail relay",
        }
        public = self.directory.clients[client_id]["public"]
        if user is None:
            claims.update(idtyp="app", appidacr="1", sub=claims["oid"])
            if granted.permissions:
                claims["roles"] = granted.permissions
        else:
            claims.update(idtyp="user", appidacr="0" if public else "1", upn=user,
                          unique_name=user, scp=" ".join(granted.permissions),
                          name=user.partition("@")[0], sub=secrets.token_urlsafe(32))
        return claims

    def issue_access(self, tenant, client_id, user, granted, life=None, size=None):
        """A new access token and its life in seconds."""
        client = self.directory.clients[client_id]
        life = client["expires_in"] if life is None else life
        size = client["token_size"] if size is None else size
        now = time.time()
        personal = user is not None and self.directory.users[user]["personal"]
        if client["cloud"] in SERVICES:
            token = make_opaque(size, OPAQUE_STARTS.get(client["cloud"], ""))
        elif client["token"] == "opaque" or personal:
            token = make_opaque(size)
        else:
            token = make_jwt(self.claims(tenant, client_id, user, granted, now, life), size)
        self.access[token] = AccessToken(client_id, user, granted, now + life)
        return token, life

    def id_token(self, request, user, scope, life, nonce=None):
        """Who signed in; `profile` and `email` say more (OpenID Connect Core 5.4)."""
        where, now = request.where, int(time.time())
        tenant = self.directory.home_tenant(where.cloud, request.tenant, user)
        claims = {"aud": request.client_id, "iat": now, "nbf": now, "exp": now + life,
                  "iss": issuer_of(where, tenant),
                  "sub": identifier(user, request.client_id)}
        if nonce is not None:
            claims["nonce"] = nonce
        if not where.plain:
            claims.update(tid=tenant, ver="2.0")
        if "profile" in scope:
            claims.update(name=user.partition("@")[0], preferred_username=user)
            if not where.plain:
                claims["oid"] = str(uuid.uuid5(uuid.NAMESPACE_DNS, user))
            if where.cloud == "google":
                del claims["preferred_username"]
        if "email" in scope:
            claims["email"] = user
        if self.directory.users[user]["upn"]:
            claims["upn"] = self.directory.users[user]["upn"]
        return make_jwt(claims)

    def new_family(self, client_id, user, scope, platform=None):
        """A sign-in that will be refreshed."""
        family = Family(client_id, user, scope, platform)
        self.families.append(family)
        return family

    def new_refresh(self, client_id, user, scope):
        """The first refresh token of a sign-in."""
        return self.add_refresh(self.new_family(client_id, user, scope))

    def add_refresh(self, family):
        """One more refresh token in the family."""
        token = "1.AX" + CANARY + secrets.token_urlsafe(780)
        self.refresh[token] = [family, False]
        return token

    def find(self, token):
        """The family of a refresh token, or None."""
        return self.refresh[token][0] if token in self.refresh else None

    def use_refresh(self, token, client_id):
        """(family, replacement or None) of a refresh token that is still good."""
        if token not in self.refresh:
            raise Refusal(70000, "No such refresh token.")
        family, superseded = self.refresh[token]
        if family.client_id != client_id:
            raise Refusal(70000, "It was issued to another application.")
        if family.dead:
            raise Refusal(family.dead)
        if self.directory.users[family.user]["disabled"]:
            raise Refusal(50057)
        rotation = self.directory.rotation(client_id, family.user)
        if superseded:
            if rotation == "family":
                family.dead = 50173
            raise Refusal(70000, "It was used before.")
        if rotation == "none":
            return family, None
        if rotation in ("strict", "family"):
            self.refresh[token][1] = True
        return family, self.add_refresh(family)

    def end(self, number, client_id=None, user=None):
        """Ends the sign-ins of a client, a user, or all: AADSTS number from now on."""
        ended = [f for f in self.families
                 if client_id in (None, f.client_id) and user in (None, f.user)]
        for family in ended:
            family.dead = number
        return len(ended)

    def expire(self, client_id=None, user=None):
        """Makes access tokens end now, for Exchange; clients are not told."""
        now = time.time()
        ended = [t for t in self.access.values() if t.expires_at > now and
                 client_id in (None, t.client_id) and user in (None, t.user)]
        for token in ended:
            token.expires_at = now
        return len(ended)

    def introspect(self, text, mailbox=None):
        """RFC 7662, as a mail server asks. For a mailbox the token may open, `username` is
        the mailbox; otherwise whoever the token belongs to, so that the server refuses."""
        token = self.access.get(text)
        if token is None or not token.usable():
            return {"active": False}
        username = token.user or token.client_id
        if mailbox and self.directory.may_open(token, mailbox):
            username = mailbox.lower()
        return {"active": True, "username": username, "client_id": token.client_id,
                "exp": int(token.expires_at), "aud": token.granted.audience,
                "scope": " ".join(token.granted.permissions), "token_type": "Bearer"}
