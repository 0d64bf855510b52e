"""RSA signatures and X.509 certificates, as far as checking a client assertion needs them:
RS256 and PS256 (RFC 7518 3.3, 3.5; RFC 8017), DER. Python's integers do the work; nothing
here withstands an attacker, and need not.
"""

import base64
import calendar
import hashlib
import subprocess
import time

SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
HASH = 32


def der_parts(raw):
    """[(tag, content, whole), ...] of a DER sequence's content."""
    parts, at = [], 0
    while at < len(raw):
        tag, size, head = raw[at], raw[at + 1], 2
        if size & 0x80:
            count = size & 0x7f
            size = int.from_bytes(raw[at + 2:at + 2 + count], "big")
            head += count
        parts.append((tag, raw[at + head:at + head + size], raw[at:at + head + size]))
        at += head + size
    return parts


def der_time(tag, text):
    """Epoch seconds of a UTCTime (0x17) or a GeneralizedTime."""
    text = text.decode()
    if tag == 0x17:
        text = ("19" if text[:2] >= "50" else "20") + text
    return calendar.timegm(time.strptime(text, "%Y%m%d%H%M%SZ"))


def encode(raw):
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Certificate:
    """Thumbprints, validity and public key of a certificate that was registered."""

    def __init__(self, der):
        self.sha1 = encode(hashlib.sha1(der).digest())       # header x5t
        self.sha256 = encode(hashlib.sha256(der).digest())   # header x5t#S256
        body = der_parts(der_parts(der_parts(der)[0][1])[0][1])
        if body[0][0] == 0xa0:    # the version, when it is not 1
            body = body[1:]
        self.not_before, self.not_after = (der_time(*part[:2])
                                           for part in der_parts(body[3][1]))
        bits = der_parts(body[5][1])[1][1][1:]
        numbers = der_parts(der_parts(bits)[0][1])
        self.modulus, self.exponent = (int.from_bytes(n[1], "big") for n in numbers)

    @classmethod
    def load(cls, path):
        """The first certificate of a PEM file; the file may hold a key as well."""
        with open(path, encoding="ascii") as stream:
            text = stream.read()
        _, found, rest = text.partition("-----BEGIN CERTIFICATE-----")
        if not found:
            raise ValueError("no certificate in " + path)
        return cls(base64.b64decode(rest.partition("-----END")[0]))

    def raw_verify(self, signature):
        """The encoded message behind a signature, or None."""
        size = (self.modulus.bit_length() + 7) // 8
        number = int.from_bytes(signature, "big")
        if len(signature) != size or number >= self.modulus:
            return None
        return pow(number, self.exponent, self.modulus).to_bytes(size, "big")

    def verify(self, alg, message, signature):
        """Whether the signature is this key's."""
        encoded = self.raw_verify(signature)
        if encoded is None:
            return False
        digest = hashlib.sha256(message).digest()
        if alg == "RS256":
            return encoded == pkcs1(digest, len(encoded))
        return pss(encoded, digest, self.modulus.bit_length() - 1)


def pkcs1(digest, size):
    """EMSA-PKCS1-v1_5."""
    tail = SHA256_PREFIX + digest
    return b"\x00\x01" + b"\xff" * (size - len(tail) - 3) + b"\x00" + tail


def mask(seed, size):
    """MGF1 with SHA-256."""
    blocks = (hashlib.sha256(seed + i.to_bytes(4, "big")).digest()
              for i in range(size // HASH + 1))
    return b"".join(blocks)[:size]


def pss(encoded, digest, bits):
    """EMSA-PSS-VERIFY; the salt is as long as the hash (RFC 7518 3.5)."""
    encoded = encoded[-((bits + 7) // 8):]
    room = len(encoded) - HASH - 1
    masked, told = encoded[:room], encoded[room:-1]
    unused = 8 * len(encoded) - bits
    if encoded[-1] != 0xbc or masked[0] >> (8 - unused):
        return False
    block = bytearray(a ^ b for a, b in zip(masked, mask(told, room)))
    block[0] &= 0xff >> unused
    if any(block[:room - HASH - 1]) or block[room - HASH - 1] != 1:
        return False
    salt = bytes(block[-HASH:])
    return hashlib.sha256(b"\x00" * 8 + digest + salt).digest() == told


class Key:
    """A key pair of our own, for what an external issuer signs."""

    def __init__(self):
        made = subprocess.run(["openssl", "genrsa", "-traditional", "2048"], check=True,
                              capture_output=True).stdout.decode()
        text = made.partition("KEY-----")[2].partition("-----END")[0]
        numbers = der_parts(der_parts(base64.b64decode(text))[0][1])
        self.modulus, self.exponent, self.private = (
            int.from_bytes(n[1], "big") for n in numbers[1:4])

    def sign(self, message):
        """RS256."""
        size = (self.modulus.bit_length() + 7) // 8
        number = int.from_bytes(pkcs1(hashlib.sha256(message).digest(), size), "big")
        return pow(number, self.private, self.modulus).to_bytes(size, "big")
