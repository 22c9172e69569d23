"""Reads protocol/vectors/: `key: value` lines, an empty line, the bytes."""

import json
from dataclasses import dataclass
from pathlib import Path

from restante.signing.errors import ProtocolError

FOLDER = Path(__file__).parents[2] / "protocol" / "vectors"


@dataclass(frozen=True)
class Vector:
    name: str
    keys: dict[str, list[str]]
    body: bytes

    @property
    def expect(self):
        return self.keys["expect"][0]

    def text(self, key, default=None):
        return self.keys.get(key, [default])[0]

    def texts(self, key):
        return self.keys.get(key, [])

    def number(self, key):
        return int(self.keys[key][0])

    def json(self, key):
        return json.loads(self.keys[key][0]) if key in self.keys else None

    def refusal(self):
        return None if self.expect == "success" else self.expect


def family(name):
    paths = sorted(path for path in (FOLDER / name).iterdir() if path.suffix != ".age")
    assert paths, f"no vectors in {name}"
    return [read(path) for path in paths]


def read(path):
    head, _, body = path.read_bytes().partition(b"\n\n")
    keys = {}
    for line in head.decode().splitlines():
        key, _, value = line.partition(": ")
        keys.setdefault(key, []).append(value)
    return Vector(path.name, keys, body)


def values(name="values.json"):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def outcome(run):
    """What it returns and None, or None and the code of the error."""
    try:
        return run(), None
    except ProtocolError as caught:
        error = caught
    assert str(error)
    assert error.hint
    return None, error.code
