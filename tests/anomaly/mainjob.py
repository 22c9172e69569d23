"""The main job with everything secret in it written down: by real commands, on a real server."""

import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from restante.client.account import Account
from restante.client.downloads import plaintext
from restante.client.incoming import Mailbox
from restante.client.opened import Message
from restante.client.shards import load_shard
from restante.crypto.age import HybridIdentity, X25519Identity
from restante.crypto.kdf import argon2id, unlock_access
from restante.crypto.passphrase import normalise
from restante.crypto.recovery import read_code
from restante.crypto.state import Contacts
from restante.protocol import ijson
from restante.protocol.encoding import unb64
from tests.anomaly.canaries import Canary
from tests.api.people import new_client
from tests.cli.person import Person
from tests.serving import Server

PIECE = 24
SAMPLES = 24
BECH32 = "-1"
"""What ends the readable part of an age identity."""


@dataclass
class MainJob:
    """ann sends to bob, who was away; ``program`` is a folder with another build of the client."""

    server: Server
    folder: Path
    film: Path
    program: Path | None = None
    by_way_of: str | None = None
    """The address of whoever stands before the server and listens."""
    sent: str = ""
    """The id of what ann sent."""
    said: list[bytes] = field(default_factory=list)
    """What the commands wrote to the terminal."""
    caption: str = field(default_factory=lambda: f"caption {secrets.token_urlsafe(24)}")
    file_name: str = field(default_factory=lambda: f"film-{secrets.token_hex(16)}.mp4")
    passphrase: str = field(default_factory=lambda: f"an otter {secrets.token_hex(16)}")

    def __post_init__(self) -> None:
        build = {} if self.program is None else {"PYTHONPATH": str(self.program)}
        url = self.by_way_of or self.server.url
        self.ann = Person("ann", self.folder, url, extra=build)
        self.bob = Person("bob", self.folder, url, extra=build)

    def run(self) -> list[Canary]:
        """Does the job and returns every secret of it."""
        film = self.folder / self.file_name
        shutil.copy(self.film, film)
        self.ann.sign_up(RESTANTE_PASSPHRASE=self.passphrase)
        self.bob.sign_up()
        sent = self.ann.spawn("send", "bob", film, "--caption", self.caption)
        assert sent.code == 0, sent.err
        self.sent = sent.out.strip()
        self.said += [sent.out.encode(), sent.err.encode()]
        (item,) = self.bob.inbox()
        assert (item["caption"], item["state"]) == (self.caption, "stored")
        saved = self.bob.ok("save", "1", "-o", self.folder / "saved.mp4")
        self.said += [saved.out.encode(), saved.err.encode()]
        assert self.ann.sent()[0]["state"] == "played"
        return list(self._canaries())

    def _canaries(self) -> Iterator[Canary]:
        yield Canary("caption", self.caption.encode())
        yield Canary("file name", self.file_name.encode())
        for person, passphrase in ((self.ann, self.passphrase), (self.bob, self.bob.passphrase)):
            with person.account as account:
                yield from of_account(account)
                yield from of_ways_in(account, person.name, passphrase, person.recovery_code)
                yield _capability(account)
        with self.bob.account as account:
            message = Mailbox(account).inbox()[0].require()
            yield from of_message(message)
            yield from pieces("video", b"".join(plaintext(account.session, message)))
        with self.ann.account as account:
            yield _signature("sent copy", Mailbox(account).sent()[0].require())


def of_account(account: Account) -> Iterator[Canary]:
    keyring, kept = account.keyring, account.profile.secrets()
    yield from _binary("signing key", unb64(keyring.sign))
    for entry in keyring.enc:
        yield from of_identity("encryption identity", HybridIdentity.parse(entry.identity))
    yield from of_identity("state identity", keyring.state_identity)
    yield from of_identity("device identity", X25519Identity.parse(kept.identity))
    yield from of_text("session token", kept.token, unb64(kept.token), told=True)
    contacts = load_shard(account, "contacts", Contacts)
    assert contacts.contacts, "there is a pin in it"
    yield Canary("contacts", ijson.encode(contacts)[:64])  # beyond are public keys, which the server has


def of_ways_in(account: Account, name: str, passphrase: str, code: str) -> Iterator[Canary]:
    with new_client(account.session.url) as nobody:
        salt = unb64(nobody.get(f"/api/v1/sign-in/{name}/salt").json()["salt"])
    stretched = argon2id(normalise(passphrase).encode(), salt=salt)
    yield Canary("passphrase", passphrase.encode())
    yield from _binary("stretched passphrase", stretched)
    yield from of_text("recovery code", code, read_code(code))
    yield from of_text("recovery code", code.replace("-", ""), code.lower().encode())
    for secret in (stretched, read_code(code)):
        access = unlock_access(secret)
        yield from of_identity("unlock identity", access.identity)
        yield Canary("unlock bearer", access.bearer, told=True)


def of_message(message: Message) -> Iterator[Canary]:
    details = message.details
    assert details.poster is not None
    yield from of_identity("message key", message.opened.key)
    yield _signature("envelope", message)
    yield from pieces("details", ijson.encode(details))
    yield from pieces("poster", unb64(details.poster.data))


def _signature(kind: str, message: Message) -> Canary:
    """The line of an envelope that is nowhere else: what it says is partly known to the server."""
    return Canary(kind, message.opened.container.split(b"\n", 3)[2])


def _capability(account: Account) -> Canary:
    """Of an upload that is there while the search runs."""
    headers = {"tus-resumable": "1.0.0", "upload-defer-length": "1"}
    with new_client(account.session.url, account.session.token) as client:
        answer = client.post("/api/v1/uploads", headers=headers)
    assert answer.status_code == 201, answer.text
    return Canary("upload capability", answer.headers["upload-capability"].encode(), told=True)


def of_identity(kind: str, identity: X25519Identity | HybridIdentity) -> Iterator[Canary]:
    text = str(identity).rpartition(BECH32)[2]
    seed = identity._key if isinstance(identity, X25519Identity) else identity._seed
    yield from of_text(kind, text, text.lower().encode(), seed)


def of_text(kind: str, text: str, *others: bytes, told: bool = False) -> Iterator[Canary]:
    for value in (text.encode(), *others):
        yield Canary(kind, value, told)


def _binary(kind: str, value: bytes) -> Iterator[Canary]:
    assert len(value) == 32
    yield Canary(kind, value)


def pieces(kind: str, content: bytes) -> Iterator[Canary]:
    """Samples of all of it; not of the padding, nor of what is alike in every file."""
    step = max(PIECE, len(content) // SAMPLES)
    pieces = [content[at : at + PIECE] for at in range(0, len(content) - PIECE, step)]
    telling = [piece for piece in pieces if len(set(piece)) > PIECE // 2]
    assert telling, kind
    return (Canary(kind, piece) for piece in telling)
