#!/usr/bin/env python3
"""The tables of tests/cases/provoked: every row an error of the catalogue, provoked for an
account of its own, and the words that must then be found. For provoked-*.bats.
Python's standard library only.

  accounts TABLE                  sections of the accounts file
  passwords TABLE                 Postfix's password map, by sender
  order TABLE                     makes the stand-ins fail (ENTRA_ADMIN, EXCHANGE_ADMIN)
  list TABLE [WHERE]              ACCOUNT, layer, author of its message, by tabs
  check TABLE WHERE DIRECTORY     for each row found there: the file DIRECTORY/ACCOUNT holds
                                  its words and ACCOUNT.exit its exit; says what is missing
  log TABLE FILE DIRECTORY        Postfix's log: the lines of each row hold its words; they
                                  are written to DIRECTORY/ACCOUNT
  explained TABLE DIRECTORY       DIRECTORY/ACCOUNT holds what the row wants `explain` to say
  count TABLE... -- CATALOGUE     different rows found by status, doctor or in the mail log;
                                  fails when the catalogue has no such row

Row 7 of entra.tsv is the account entra7@contoso.com with an application of its own.
"""

import csv
import json
import os
import re
import sys
import urllib.request

COUNTED = {"status", "doctor", "maillog"}
WHERE = COUNTED | {"token", "fetch"}
SECRET = "relay~CANARY+value/with=odd%41 signs&more"
COLUMNS = ["layer", "code", "how", "where", "exit", "words"]
EXPLAINED = "explained"           # a further column


class Row:
    """One error."""

    def __init__(self, name, number, values):
        self.layer, self.code = values["layer"], values["code"]
        self.where = values["where"].split(",")
        self.exit = values["exit"]
        self.account = "%s%d@contoso.com" % (name, number)
        kind = sum(name.encode()) % 1000
        self.client = "%08d-%04d-4000-8000-000000000000" % (number, kind)
        self.orders = [tuple(o.partition(":")[::2]) for o in values["how"].split(" ; ")]
        self.kinds = dict(self.orders)
        self.words = [self.filled(w) for w in values["words"].split(" | ")]
        self.explained = [self.filled(w) for w in values.get(EXPLAINED, "").split(" | ")]
        if not set(self.where) <= WHERE or None in values.values():
            raise ValueError("%s row %d (%s)" % (name, number, self.code))

    def filled(self, text):
        """With this account's names."""
        for name, value in (("account", self.account), ("mailbox", self.account),
                            ("client", self.client)):
            text = text.replace("{%s}" % name, value)
        return text

    def section(self):
        """Of the accounts file; a ghost has none."""
        if "ghost" in self.kinds:
            return ""
        lines = ["provider = " + self.kinds.get("provider", "standin"),
                 "client_id = " + self.client]
        if "person" in self.kinds:
            lines.append('scope = "%s"' % os.environ["USER_SCOPE"])
        else:
            lines += ["grant = client_credentials",
                      'client_secret_file = "%s/secrets/relay"' % os.environ["WORK"]]
        if "maillog" in self.where and "denied" not in self.kinds:
            lines.append("allow_users = { postfix }")
        if "account" in self.kinds:
            lines.append(self.kinds["account"])
        return 'account "%s" {\n%s}\n' % (self.account,
                                          "".join("    %s\n" % line for line in lines))


def read(path):
    """The rows of a table."""
    name = os.path.basename(path).partition(".")[0]
    with open(path, encoding="utf-8") as stream:
        lines = [line for line in stream if line.strip() and not line.startswith("#")]
    reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    if reader.fieldnames not in (COLUMNS, COLUMNS + [EXPLAINED]):
        sys.exit("%s: the columns are not %s" % (path, " ".join(COLUMNS)))
    return [Row(name, number, values) for number, values in enumerate(reader, 1)]


def tell(stand_in, command, settings):
    """A command of a stand-in's admin interface; its reply."""
    url = "%s/admin/%s" % (os.environ[stand_in + "_ADMIN"], command)
    with urllib.request.urlopen(url, json.dumps(settings).encode(), timeout=10) as answer:
        return json.load(answer)


def fault(kind, text):
    """What the token endpoint answers instead (entra/faults.py); None: another order."""
    values = text.split(":")
    if kind == "aadsts":
        return {"fault": "aadsts", "number": int(values[0]), "status": int(values[1]),
                "error": values[2], "suberror": (values + [None])[3]}
    if kind == "oauth":
        error, status, *said = text.split(":", 2)
        return {"fault": "error", "error": error, "status": int(status),
                "error_description": (said or ["The server said no more."])[0]}
    if kind == "http":
        return {"fault": "status", "status": int(values[0])}
    return None


def order_entra(row):
    """The row's application, and how its requests end."""
    known = {"client": row.client, "secret": SECRET, "mailboxes": [row.account]}
    if "person" in row.kinds:
        known = {"client": row.client, "public": True}
    if "unknown" not in row.kinds:
        tell("ENTRA", "client", known)
    for kind, text in row.orders:
        refusal = fault(kind, text)
        if refusal is not None:
            tell("ENTRA", "fault", {"client": row.client, **refusal})
        elif kind == "client":
            tell("ENTRA", "client", {"client": row.client, **json.loads(text)})


def sign_in(row):
    """The person signs in: the refresh token, into a file for `import`; then it is spoilt."""
    tell("ENTRA", "user", {"user": row.account})
    told = tell("ENTRA", "sign-in", {"client": row.client, "user": row.account})
    path = os.path.join(os.environ["WORK"], "secrets", row.account)
    with open(path, "w", encoding="ascii") as stream:
        stream.write(told["refresh_token"] + "\n")
    kind, _, value = row.kinds["person"].partition(":")
    if kind == "user":
        tell("ENTRA", "user", {"user": row.account, **json.loads(value)})
    elif kind == "client":
        tell("ENTRA", "client", {"client": row.client, **json.loads(value)})
    else:
        tell("ENTRA", "revoke", {"client": row.client, "number": int(value)})


def order_exchange(row):
    """The row's mailbox, and how its sessions end."""
    tell("EXCHANGE", "mailbox", {"mailbox": row.account})
    for kind, text in row.orders:
        if kind == "fail":
            tell("EXCHANGE", "fail", {"fail": text, "mailbox": row.account})
        elif kind == "box":
            tell("EXCHANGE", "mailbox", {"mailbox": row.account, **json.loads(text)})
        elif kind in ("say", "challenge"):
            at, _, reply = text.partition(":")
            settings = {"protocol": row.layer, "at": at, "text": reply,
                        "mailbox": row.account}
            if kind == "challenge":
                settings["challenge"] = '{"status":"401","schemes":"bearer","scope":"mail"}'
            tell("EXCHANGE", "fail", settings)


def order(path):
    """All rows of a table."""
    for row in read(path):
        order_entra(row)
        if "person" in row.kinds:
            sign_in(row)
        if "EXCHANGE_ADMIN" in os.environ:
            order_exchange(row)


def missing(row, where, text, words=None):
    """Complains of each word that is not there; how many."""
    flat = re.sub(r"\s+", " ", text)
    gone = [word for word in words or row.words if re.sub(r"\s+", " ", word) not in flat]
    for word in gone:
        print("%s %s (%s, %s): not found: %s\n    in: %.700s" % (
            row.layer, row.code, row.account, where, word, flat))
    return len(gone)


def contents(*path):
    """Of a file; a missing one is empty."""
    try:
        with open(os.path.join(*path), encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""


def failures(report):
    """What `doctor` says is wrong, with the remedies."""
    return "".join(re.findall(r"^  \u2717 .*\n(?:      .*\n)*", report, re.MULTILINE))


def check(path, where, directory):
    """All rows that are to be found there. Every row's exit is looked at, where one was
    written down."""
    wrong = 0
    for row in read(path):
        ended = contents(directory, row.account + ".exit").strip()
        if ended not in ("", row.exit):
            print("%s %s (%s): ended with %s" % (row.layer, row.code, row.account, ended))
            wrong += 1
        if where in row.where:
            text = contents(directory, row.account)
            text = failures(text) if where == "doctor" else text
            wrong += missing(row, where, text, row.words + row.explained)
    return wrong


def check_log(path, file, directory):
    """The recipient of each row's message is its account at example.net; the plugin's own
    lines name the account."""
    log = contents(file).splitlines(True)
    wrong = 0
    for row in read(path):
        if "maillog" not in row.where:
            continue
        to = "to=<%s@example.net>" % row.account.partition("@")[0]
        mine = [l for l in log if to in l or row.account in l and "mailbearer" in l]
        with open(os.path.join(directory, row.account), "w", encoding="utf-8") as stream:
            stream.writelines(mine)
        wrong += missing(row, "maillog", "".join(mine))
        if not any(to in l and "status=" + row.exit in l for l in mine):
            print("%s %s (%s): not %s" % (row.layer, row.code, row.account, row.exit))
            wrong += 1
    return wrong


def check_explained(path, directory):
    """What `explain` made of a row's lines."""
    return sum(missing(row, "explain", contents(directory, row.account), row.explained)
               for row in read(path) if "maillog" in row.where)


def count(paths, catalogue):
    """Different rows that count, and none the catalogue does not have."""
    with open(catalogue, encoding="ascii") as stream:
        known = {tuple(line.split("\t")[:2]) for line in stream if line[0] not in "#\n"}
    rows = [row for path in paths for row in read(path)]
    strange = [row for row in rows if (row.layer, row.code) not in known]
    for row in strange:
        print("not in the catalogue: %s %s" % (row.layer, row.code))
    print(len({(r.layer, r.code) for r in rows if COUNTED & set(r.where)}))
    return len(strange)


def show(action, path, where=None):
    """What the tests read."""
    for row in read(path):
        if where is not None and where not in row.where:
            continue
        if action == "accounts":
            print(row.section())
        elif action == "passwords":
            print("%s %s:agent:" % (row.account, row.account))
        else:
            print("\t".join((row.account, row.layer, row.kinds.get("from", row.account),
                             "person" if "person" in row.kinds else "application")))


CHECKS = {"check": check, "log": check_log, "explained": check_explained}


def main():
    """One action."""
    action, *rest = sys.argv[1:]
    if action == "order":
        order(*rest)
    elif action == "count":
        return 1 if count(rest[:rest.index("--")], rest[-1]) else 0
    elif action in CHECKS:
        return 1 if CHECKS[action](*rest) else 0
    else:
        show(action, *rest)
    return 0


if __name__ == "__main__":
    sys.exit(main())
