r"""The manifest of a built web app: what each of its files must be, and how it must be sent (docs/reference/web-manifest.md).

>>> text = Manifest("0.1.0", {"page": "default-src 'none'"}, (Entry("/index.html", "00" * 32, 5, "page", "text/html"),)).text
>>> read(text).files[0].path
'/index.html'
"""

import re
from dataclasses import dataclass

NAME = "release.note"
HEADING = "restante/1 web"
_VERSION = re.compile(r"version ([!-~]{1,64})\Z")
_POLICY = re.compile(r"policy ([a-z-]{1,32}) ([ -~]{1,2048})\Z")
_FILE = re.compile(
    r"file ([0-9a-f]{64}) (0|[1-9][0-9]{0,9}) ([a-z-]{1,32}) ([a-z0-9.+/-]{1,64}) (/[!-~]{1,255})\Z"
)


class BadManifest(ValueError):
    """The text is no manifest."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: ``sha256`` in hexadecimal; ``policy`` names the Content-Security-Policy that it must come with."""

    path: str
    sha256: str
    size: int
    policy: str
    type: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """All files, compressed copies under their own names (``.br``, ``.gz``) among them."""

    version: str
    policies: dict[str, str]
    files: tuple[Entry, ...]

    @property
    def text(self) -> str:
        """What is signed."""
        lines = [HEADING, f"version {self.version}"]
        lines += [f"policy {name} {self.policies[name]}" for name in sorted(self.policies)]
        ordered = sorted(self.files, key=lambda file: file.path)
        lines += [f"file {one.sha256} {one.size} {one.policy} {one.type} {one.path}" for one in ordered]
        return "\n".join([*lines, ""])


def read(text: str) -> Manifest:
    """Reads a manifest. Raises BadManifest."""
    heading, version, *lines = [*text.removesuffix("\n").split("\n"), "", ""][: max(2, text.count("\n"))]
    found = _VERSION.match(version)
    if heading != HEADING or not found:
        raise BadManifest("this is no manifest of a web app")
    policies, files = {}, []
    for line in lines:
        if policy := _POLICY.match(line):
            policies[policy[1]] = policy[2]
        elif file := _FILE.match(line):
            files.append(Entry(file[5], file[1], int(file[2]), file[3], file[4]))
        else:
            raise BadManifest(f"a line that is none: {line[:40]}")
    if not files or any(one.policy not in policies for one in files):
        raise BadManifest("no files, or a policy that is not told")
    if len({one.path for one in files}) != len(files):
        raise BadManifest("a file twice")
    return Manifest(found[1], policies, tuple(files))
