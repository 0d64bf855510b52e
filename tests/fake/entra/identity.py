"""Managed identity: what the machine's metadata service answers. No sockets here.

Azure VM (IMDS) and Azure Arc have one path and differ by api-version; App Service has its
own path and header. Admin command `identity` sets: `system` (the client the machine is),
`clients` (user-assigned ones), `directory` (of Arc's keys), `realm` (another path told than
the key's), `header` (App Service's secret), `expires_in`, `texts` (false: numbers are
numbers), `statuses` (replies before the true one, e.g. [404, 410, 429, 500]).
"""

import os
import re
import secrets
import time
import uuid
from urllib.parse import parse_qsl

from . import scopes
from .asked import json_answer
from .errors import Refusal
from .tokens import CANARY

PATH = "/metadata/identity/oauth2/token"
APP_SERVICE_PATH = "/msi/token"
IMDS, ARC, APP_SERVICE = "imds", "arc", "app_service"
VERSIONS = {"2018-02-01": IMDS, "2019-11-01": ARC, "2020-06-01": ARC}
SETTINGS = {"system": None, "clients": [], "directory": "/var/opt/azcmagent/tokens",
            "realm": None, "header": "CANARY-app-service-header", "expires_in": 86399,
            "texts": True, "statuses": [], "retry_after": None}


class Denied(Exception):
    """The service says no."""

    def __init__(self, status, error, text, headers=None):
        super().__init__(error)
        self.answer = json_answer(status, {"error": error, "error_description": text},
                                  headers)


class Machine:
    """The machine and what it is known as."""

    def __init__(self, directory):
        self.settings = dict(SETTINGS)
        self.directory = directory
        self.proofs = {}          # contents of a key: its path

    def set(self, changes):
        """The admin command."""
        unknown = set(changes) - set(SETTINGS)
        if unknown:
            raise ValueError("unknown: " + ", ".join(sorted(unknown)))
        self.settings = {**SETTINGS, **changes}

    def answer(self, path, query, headers, tokens):
        """(kind, Answer) of a GET."""
        kind = "unknown"
        try:
            fields = dict(parse_qsl(query, strict_parsing=True))
            kind = self.kind(path, fields)
            self.check_caller(kind, headers)
            if self.settings["statuses"]:
                return kind, self.trouble(self.settings["statuses"].pop(0))
            if kind == ARC:
                self.check_proof(headers)
            return kind, json_answer(200, self.reply(kind, fields, tokens))
        except ValueError:
            return kind, Denied(400, "invalid_request", "The query is malformed.").answer
        except Denied as denied:
            return kind, denied.answer

    @staticmethod
    def kind(path, fields):
        """Which of the services is asked."""
        version = fields.get("api-version")
        if path == APP_SERVICE_PATH and version == "2019-08-01":
            return APP_SERVICE
        if path == PATH and version in VERSIONS:
            return VERSIONS[version]
        if path in (PATH, APP_SERVICE_PATH):
            raise Denied(400, "invalid_request", "api-version is not supported.")
        raise Denied(404, "not_found", "Nothing is at this path.")

    def check_caller(self, kind, headers):
        """What keeps requests away that were forged elsewhere."""
        if "X-Forwarded-For" in headers:
            raise Denied(400, "invalid_request", "The request was forwarded.")
        if kind == APP_SERVICE:
            if headers.get("X-IDENTITY-HEADER") != self.settings["header"]:
                raise Denied(403, "forbidden", "X-IDENTITY-HEADER is wrong.")
        elif headers.get("Metadata", "").lower() != "true":
            raise Denied(400, "invalid_request", "Required metadata header not specified")

    def trouble(self, status):
        """404, 410, 429, 5xx: what a client has to try again."""
        wait = self.settings["retry_after"]
        return json_answer(status, {"error": "unavailable", "error_description": "Later."},
                           {} if wait is None else {"Retry-After": str(wait)})

    def check_proof(self, headers):
        """Arc: whoever can read the key's file may have the token, once for each key."""
        told = re.fullmatch(r"Basic (\S+)", headers.get("Authorization", ""))
        path = self.proofs.pop(told.group(1), None) if told else None
        if path is None:
            raise Denied(401, "unauthorized", "Read the file and send it.",
                         {"WWW-Authenticate": "Basic realm=" + self.new_proof()})
        os.unlink(path)

    def new_proof(self):
        """Writes a key; returns the path that is told."""
        directory = self.settings["directory"]
        path = os.path.join(directory, "%s.key" % uuid.uuid4())
        contents = CANARY + secrets.token_hex(24)
        os.makedirs(directory, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "w",
                  encoding="ascii") as stream:
            stream.write(contents)
        self.proofs[contents] = path
        return self.settings["realm"] or path

    def client_of(self, kind, fields):
        """The client id of the identity."""
        client_id = self.settings["system"]
        if "client_id" in fields:
            if kind == ARC:
                raise Denied(400, "invalid_request", "Arc has the machine's identity only.")
            client_id = fields["client_id"]
            if client_id not in self.settings["clients"]:
                client_id = None
        if client_id not in self.directory.clients:
            raise Denied(400, "invalid_request", "Identity not found")
        return client_id

    def reply(self, kind, fields, tokens):
        """The token; numbers are texts."""
        client_id = self.client_of(kind, fields)
        client = self.directory.clients[client_id]
        resource = fields.get("resource", "")
        try:
            granted = scopes.app_only(client["cloud"], resource + "/.default", client)
        except Refusal as refusal:
            raise Denied(400, "invalid_resource",
                         "AADSTS%d: %s" % (refusal.number, refusal.text)) from None
        tenant = self.directory.home_tenant(client["cloud"])
        token, life = tokens.issue_access(tenant, client_id, None, granted,
                                          self.settings["expires_in"])
        shown = str if self.settings["texts"] else int
        now = int(time.time())
        reply = {"access_token": token, "expires_on": shown(now + life),
                 "resource": resource, "token_type": "Bearer", "client_id": client_id}
        if kind == APP_SERVICE:
            return reply
        reply.update(expires_in=shown(life), ext_expires_in=shown(life),
                     not_before=shown(now - 300), refresh_token="")
        return reply
