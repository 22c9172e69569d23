"""Who is there when a server lies: an honest sender, the victim, and an accomplice of the server's with an account."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from restante.client.account import Account, now_ms
from restante.client.record_chain import fetch_chain
from restante.crypto.age import seal, unseal
from restante.crypto.age.keys import parse_recipient
from restante.protocol import ijson, wire
from restante.protocol.encoding import b64, unb64
from restante.signing import records
from restante.signing.keys import SigningKey, fp
from restante.signing.records import EncryptionKey, Record
from tests.cli.middleman import Middleman, middleman
from tests.cli.person import Person
from tests.serving import Server


@dataclass
class Stage:
    """``bob`` is who is lied to; the middleman stands between him and the server, and nobody else."""

    man: Middleman
    trap: Middleman
    """Elsewhere: nobody is to come here."""
    ann: Person
    bob: Person
    mallory: Person
    clip: Path
    honest: list[bytes] = field(default_factory=list)
    """Ann's records as they are."""
    forked: bytes = b""
    """A second record under the number of her last one: her own signature, as with a stolen key."""
    bobs: Record | None = None
    accomplice: SigningKey = field(default_factory=SigningKey.generate)
    accomplices_enc: EncryptionKey | None = None
    foreign_keyring: bytes = b""
    invitation: tuple[str, str] = ("", "")
    """The accomplice's address and the fingerprint of her key, as her link names them."""
    passed_on: bytes = b""
    """What ann sent to the accomplice, sealed anew to bob; made beforehand, since a liar has no hands free."""
    other: str = ""
    """A message to bob, left before the first lie."""
    known: set[str] = field(default_factory=set)
    """Messages that the server does not lie about."""

    def begin(self) -> "Stage":
        """Lets ann renew her record, so that there is a history, and collects what the lies are made of."""
        with self.ann.account as account:
            first = fetch_chain(account.session, self.ann.name, account.acct)[-1]
            second, self.forked = (
                account.keyring.record(now_ms=now_ms() + ahead, previous=first) for ahead in (0, 1)
            )
            _put_record(account, second)
            self.honest = [first.raw, second]
        with self.bob.account as account:
            self.bobs = fetch_chain(account.session, self.bob.name, account.acct)[-1]
        with self.mallory.account as account:
            self.foreign_keyring = account.session.call("GET", "/api/v1/account/keyring").body
            self.invitation = (account.acct, fp(account.keyring.signing_key.public))
            self.accomplices_enc = records.read(account.keyring.record(now_ms=now_ms())).fields.enc[0]
        self.passed_on = self._leaves_for_mallory()
        return self

    @property
    def ann_acct(self) -> str:
        return records.read(self.honest[0]).acct

    def leaves(self, caption: str = "") -> str:
        """Ann leaves bob a video. Returns the id."""
        return self.ann.send(self.bob.name, self.clip, "--caption", caption or "for bob")

    def _leaves_for_mallory(self) -> bytes:
        """Ann sends the accomplice a video, and bob gets its envelope, sealed anew to him."""
        self.ann.send(self.mallory.name, self.clip)
        with self.mallory.account as account:
            page = account.session.get("/api/v1/inbox", wire.Inbox, envelopes="inline")
            envelope = unb64(page.items[0].envelope or "")
            return self.sealed_to_bob(unseal(envelope, *account.keyring.identities, stanzas=1))

    def sealed_to_bob(self, plaintext: bytes) -> bytes:
        """What anybody can: his recipient is public."""
        assert self.bobs is not None
        return seal(plaintext, parse_recipient(self.bobs.current_recipient(now_ms())))


@contextmanager
def staged(server: Server, people: tuple[Person, Person, Person], clip: Path) -> Iterator[Stage]:
    ann, bob, mallory = people
    with middleman(server.url) as man, middleman(server.url) as trap:
        yield Stage(man, trap, ann, bob, mallory, clip).begin()


def _put_record(account: Account, record: bytes) -> None:
    body = ijson.encode(wire.PutRecord(b64(record)))
    headers = {"content-type": "application/json"}
    account.session.call("PUT", "/api/v1/account/record", content=body, headers=headers)


def altered(record: bytes, **fields: object) -> records.RecordFields:
    """The fields of a record, some of them others."""
    return msgspec.structs.replace(records.read(record).fields, **fields)
