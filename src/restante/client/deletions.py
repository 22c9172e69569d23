"""The account's chain of deletions, checked: what was taken back, expired and removed, as the server noted it.

>>> [line.act for line in Deletions(account).all()]
[]

This device remembers the last line it has seen: a server that later tells another story is found out. What the chain proves is that
the server said so, at that place, and cannot unsay it; not that a disk holds nothing any more.
"""

import contextlib

import msgspec

from restante.client.account import Account
from restante.client.errors import AuditRewritten
from restante.client.files import write_private
from restante.protocol import audit, ijson
from restante.protocol.wire_messages import AuditLines

_FILE = "audit.json"
_PAGES = 1000


class Head(msgspec.Struct, frozen=True):
    """The last line that this device has seen."""

    seq: int
    sha256: str


class Deletions:
    """Reads the chain of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._path = account.profile.folder / _FILE

    def all(self) -> list[audit.Line]:
        """Every line that the server still has, the oldest first. Raises AuditRewritten."""
        texts = self._texts()
        try:
            whole = bool(texts) and '"seq":1,' in texts[0]
            lines = audit.follow(texts, seq=0, head=audit.START if whole else None)
            self._compare(lines, texts)
        except audit.ChainBroken as error:
            raise AuditRewritten(str(error)) from error
        return lines

    def _texts(self) -> list[str]:
        texts: list[str] = []
        after = 0
        for _ in range(_PAGES):
            page = self._account.session.get("/api/v1/account/audit", AuditLines, after=str(after))
            texts += [item.line for item in page.items]
            if not page.more or not page.items:
                break
            with contextlib.suppress(ijson.BadJson):
                after = ijson.decode(page.items[-1].line.encode(), audit.Line).seq
        return texts

    def _compare(self, lines: list[audit.Line], texts: list[str]) -> None:
        """What was seen before is still there, or gone from the front for its age; then remembers the end."""
        seen = self._read()
        by_seq = {line.seq: text for line, text in zip(lines, texts, strict=True)}
        if seen is not None:
            text = by_seq.get(seen.seq)
            if not lines or lines[-1].seq < seen.seq:
                raise audit.ChainBroken(f"line {seen.seq} is missing")
            if text is not None and audit.hash_of(text) != seen.sha256:
                raise audit.ChainBroken(f"line {seen.seq} is another one")
            following = next((line for line in lines if line.seq == seen.seq + 1), None)
            if following is not None and following.prev != seen.sha256:
                raise audit.ChainBroken(f"line {following.seq} follows another one")
        if lines:
            write_private(self._path, ijson.encode(Head(lines[-1].seq, audit.hash_of(texts[-1]))))

    def _read(self) -> Head | None:
        with contextlib.suppress(OSError, ijson.BadJson):
            return ijson.decode(self._path.read_bytes(), Head)
        return None
