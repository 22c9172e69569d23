"""The forms that all families share: base64url, compact JSON, containers, people, and the set of vector files."""

import base64
import hashlib
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from generating import age

NOW = 1_800_000_000_000
DAY = 86_400_000
HOST = "post.example"
PAD = 4096


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sha256(data):
    return hashlib.sha256(data).digest()


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def an_id(prefix, label):
    return f"{prefix}_" + base64.b32encode(age.drawn(label, 16)).decode().rstrip("=").lower()


def fp(public):
    return b64(sha256(b"restante/1 fp\x00" + public)[:16])


class Person:
    """Fixed keys of somebody called so."""

    def __init__(self, name, *, generation=""):
        self.name = name
        self.acct = f"{name}@{HOST}"
        self.seed = age.drawn(f"{name} sign{generation}", 32)
        self.key = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public = self.key.public_key().public_bytes_raw()
        self.sign = b64(self.public)
        self.pq = age.drawn(f"{name} pq{generation}", 32)
        self.x25519 = age.drawn(f"{name} x25519", 32)
        self.state = age.drawn(f"{name} state", 32)


def container(kind, payload, person=None):
    """TYPE LF SIGNER LF SIG LF PAYLOAD; bytes are taken as they are, anything else as JSON."""
    payload = payload if isinstance(payload, bytes) else compact(payload)
    if person is None:
        return b"\n".join((kind.encode(), b"-", b"-", payload))
    signer = person.sign.encode()
    signature = person.key.sign(b"\x00".join((kind.encode(), signer, payload)))
    return b"\n".join((kind.encode(), signer, b64(signature).encode(), payload))


def padded(kind, content, person=None):
    bare = len(container(kind, {**content, "pad": ""}, person))
    return container(kind, {**content, "pad": "0" * (-bare % PAD)}, person)


class Vectors:
    """Collects files; ``random`` ones are kept when they exist, because they cannot be made the same again."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.files = {}
        self.random = set()

    def add(self, name, expect, spec, body, *, random=False, **keys):
        """Adds a file; a list as value repeats its key, ``_`` in a key stands for ``-``."""
        lines = [f"expect: {expect}", f"spec: {spec}"]
        for key, value in keys.items():
            for item in value if isinstance(value, list) else [value]:
                text = compact(item).decode() if isinstance(item, dict) else item
                lines.append(f"{key.rstrip('_').replace('_', '-')}: {text}")
        self.files[name] = "\n".join(lines).encode() + b"\n\n" + body
        if random:
            self.random.add(name)

    def add_json(self, name, value):
        self.files[name] = json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"

    def add_raw(self, name, body):
        self.files[name] = body
