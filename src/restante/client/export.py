"""Everything that is in the mailbox, as standard files that need neither Restante nor the server.

    >>> report = export(account, folder / "export")
    >>> report.written, report.failed
    (1, [])

The folder ``account`` has what belongs to no single message: contacts, settings, account records, what the server noted of
deletions, and what it says that it knows, as JSON; and what importing.py takes over on another server: keyring and state shards, sealed as
the server has them. Each message gets a folder of its own: ``video.age`` and ``details.age`` as the server has them, verified;
``video.mp4``, ready to be played; ``key.txt``, the message key as an age identity file (0600); ``envelope.signed``, the decrypted signed container; and a
README that says how to open them with the stock ``age`` program. A folder is complete as soon as it has its name.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from restante import media
from restante.client import device_keyring
from restante.client.account import Account
from restante.client.deletions import Deletions
from restante.client.downloads import verified_ciphertext
from restante.client.errors import AuditRewritten, ServerProblem
from restante.client.files import flush, flush_folder, make_private, write_private
from restante.client.incoming import Mailbox
from restante.client.known import ask_known
from restante.client.opened import Item, Message, Trouble
from restante.client.opening import fetch_details
from restante.client.shards import load_shard, sealed_shards
from restante.crypto.state import CONTACTS, SETTINGS, Contacts, Settings
from restante.crypto.video import VideoOpener
from restante.protocol import wire
from restante.protocol.audit import Line
from restante.protocol.limits import PART_BYTES
from restante.signing.errors import ProtocolError

ACCOUNT = "account"
"""The folder of what belongs to no single message."""
WAYS, KEYRING, STATE = "ways.json", "keyring.age", "state"
"""Files and a folder in it: whose keyring it is and the salt of the passphrase; the sealed keyring; the sealed shards."""
_PART = ".part"
_README = """This folder holds one message, {id}.

  from     {sender}
  to       {to}
  made     {made}
  caption  {caption}

video.mp4        the video{no_video}
video.age        the same, encrypted, as it was sent{no_video}
details.age      the encrypted description: caption, poster, length, hash of each part of video.age
key.txt          the message key that opens the encrypted files: keep it as you would keep the video itself
envelope.signed  what the sender signed: type, the sender's Ed25519 key, the signature, and JSON

Open them with the program `age` (https://age-encryption.org):

    age -d -i key.txt -o fragmented.mp4 video.age
    age -d -i key.txt -o details.json details.age
"""


class Ways(msgspec.Struct, frozen=True):
    """Of which account the export is, and what a passphrase is stretched with: nothing secret."""

    server: str
    acct: str
    salt: str


@dataclass(slots=True)
class Report:
    """What an export did; ``failed`` names the messages that could not be written, and why."""

    written: int = 0
    skipped: int = 0
    failed: list[tuple[Item, Trouble]] = field(default_factory=list)


def export(account: Account, target: Path, *, tell: Callable[[Item], object] = lambda _: None) -> Report:
    """Writes each message that is not there yet; running it again goes on where it ended. Raises OSError, Unreachable."""
    mailbox, report = Mailbox(account), Report()
    make_private(target)
    _write_account(account, target / ACCOUNT)
    for item in _unique([*mailbox.inbox(), *mailbox.sent()]):
        folder = target / item.id
        if folder.exists():
            report.skipped += 1
            continue
        tell(item)
        try:
            _write(account, item.require(), folder)
            report.written += 1
        except (ProtocolError, ServerProblem) as trouble:
            report.failed.append((item, trouble))
    return report


def _unique(items: list[Item]) -> Iterator[Item]:
    """A message to oneself stands in both boxes; it is exported as received."""
    seen: set[str] = set()
    for item in items:
        if item.id not in seen and item.state != "deleted":
            seen.add(item.id)
            yield item


def _write(account: Account, message: Message, folder: Path) -> None:
    part = folder.with_name(folder.name + _PART)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(part)
    make_private(part)
    try:
        _fill(account, message, part)
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part)
        raise
    flush_folder(folder.parent)


def _fill(account: Account, message: Message, folder: Path) -> None:
    sealed = fetch_details(account, message.id)
    message.opened.open_details(sealed)
    write_private(folder / "details.age", sealed)
    write_private(folder / "key.txt", f"# message key of {message.id}\n{message.opened.key}\n".encode())
    write_private(folder / "envelope.signed", message.opened.container)
    write_private(folder / "README.txt", _readme(message).encode())
    if message.details.video is not None:
        with (folder / "video.age").open("xb") as file:
            for piece in verified_ciphertext(account.session, message):
                file.write(piece)
            file.flush()
            flush(file.fileno())
        media.save(_opened(message, folder / "video.age"), folder / "video.mp4")


def _opened(message: Message, sealed: Path) -> Iterator[bytes]:
    assert message.details.video is not None
    opener = VideoOpener(message.opened.key, message.details.video.manifest())
    with sealed.open("rb") as file:
        while piece := file.read(PART_BYTES):
            yield opener.update(piece)
    yield opener.finish()


def _write_account(account: Account, folder: Path) -> None:
    """Each time anew: it is small, and of the moment."""
    make_private(folder)
    _write_keys(account, folder)
    for name, value in {
        "contacts": load_shard(account, CONTACTS, Contacts).contacts,
        "settings": load_shard(account, SETTINGS, Settings).settings,
        "records": account.session.get(f"/api/v1/accounts/{account.identity.name}/records", wire.Records),
        "known": ask_known(account),
        "audit": _audit(account),
    }.items():
        write_private(folder / f"{name}.json", msgspec.json.format(msgspec.json.encode(value), indent=2))


def _write_keys(account: Account, folder: Path) -> None:
    """Keyring and shards as they are, sealed: the passphrase or the recovery code opens them."""
    identity = account.identity
    salt = account.session.get(f"/api/v1/sign-in/{identity.name}/salt", wire.Salt).salt
    ways = Ways(server=identity.server, acct=account.acct, salt=salt)
    write_private(folder / WAYS, msgspec.json.encode(ways))
    write_private(folder / KEYRING, device_keyring.fetch(account.session).sealed)
    state = make_private(folder / STATE)
    for name, sealed in sealed_shards(account):
        write_private(state / f"{name}.age", sealed)


def _audit(account: Account) -> list[Line]:
    """A chain that was rewritten is told, and keeps nothing else from being exported."""
    try:
        return Deletions(account).all()
    except AuditRewritten as error:
        account.notice(f"{error}: the list of deletions was not exported")
        return []


def _readme(message: Message) -> str:
    fields = message.opened.fields
    made = datetime.fromtimestamp(fields.created / 1000, UTC)
    return _README.format(
        id=message.id,
        sender=fields.from_.acct if fields.from_ else "somebody unsigned",
        to=", ".join(fields.sent_to or [fields.to.acct or ""]),
        made=f"{made:%Y-%m-%d %H:%M:%S} UTC",
        caption=message.details.caption or "",
        no_video="" if message.details.video else " (this message has none)",
    )
