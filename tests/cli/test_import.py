"""An export goes on in another house; what is wrong with it is said, and nothing wrong gets in."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from restante.client import importing
from restante.client.archive import Archive
from restante.client.errors import ArchiveDamaged, ArchiveLocked, OtherKeys
from restante.client.importing import Exported, Taken
from restante.crypto.errors import RecoveryCodeTypo
from restante.protocol.wire_mine import Storage
from tests.cli.person import Person
from tests.serving import Server, serving

NEW = "new.example"


@dataclass(frozen=True)
class Move:
    """Ann and Bob of the old house, what Ann took along, and where she goes on."""

    ann: Person
    bob: Person
    export: Path
    ids: list[str]
    house: Server
    there: Person
    answer: dict


def moving(person: Person, export: Path, house: Server, folder: Path) -> tuple[Person, dict]:
    there = Person(person.name, folder, house.url, "there")
    words = ("import", export, "--server", house.url, "--leaving", person.profile.folder, "--json")
    result = there.ok(*words, RESTANTE_PASSPHRASE=person.passphrase)
    made, told = documents(result.out)
    there.passphrase, there.recovery_code = made["passphrase"], made["recovery_code"]
    return there, told


def documents(text: str) -> list[dict]:
    """One JSON document after the other."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text.rstrip()):
        value, end = decoder.raw_decode(text, at)
        found.append(value)
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return found


@pytest.fixture(scope="module")
def move(ann: Person, bob: Person, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Move]:
    folder = tmp_path_factory.mktemp("move")
    first = bob.send(ann.name, clip, "--caption", "a film")
    ann.inbox()
    bob.ok("reply", ann.send(bob.name, clip), "--text", "seen it")
    texts = [item["id"] for item in ann.inbox() if item["kind"] == "text"]
    ann.ok("keep", first)
    ann.ok("groups", "new", "family", bob.name)
    ann.ok("export", folder / "export")
    with serving(folder / "house", RESTANTE_SERVER_NAME=NEW) as house:
        there, told = moving(ann, folder / "export", house, folder)
        yield Move(ann, bob, folder / "export", [*texts, first], house, there, told)


@pytest.fixture(scope="module")
def exported(move: Move) -> Exported:
    with Archive.at(move.export) as archive:
        return importing.unlock(archive, code=move.ann.recovery_code)


def taken(move: Move, exported: Exported, path: Path) -> Taken:
    with Archive.at(path) as archive, move.there.account as account:
        return importing.take_over(account, exported, archive)


def test_what_was_received_is_there_and_what_was_sent_is_not(move: Move, tmp_path: Path) -> None:
    assert move.answer["acct"] == f"{move.ann.name}@{NEW}"
    assert (move.answer["written"], move.answer["sent"], move.answer["failed"]) == (2, 1, [])
    inbox = move.there.inbox()
    assert {item["id"] for item in inbox} == set(move.ids)
    film = next(item for item in inbox if item["kind"] == "video")
    assert (film["from"], film["caption"], film["trust"]) == (move.bob.name, "a film", "pinned")
    move.there.ok("save", film["id"], "-o", tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").stat().st_size > 1000
    assert move.there.sent() == []


def test_contacts_groups_and_what_was_kept_came_along(move: Move) -> None:
    assert f"{move.bob.name}@localhost" in move.there.ok("contacts", "--json").out
    assert "family" in move.there.ok("groups").out
    assert "★" in move.there.ok("inbox").out or "*" in move.there.ok("inbox").out


def test_a_second_import_finds_everything_there(move: Move, exported: Exported) -> None:
    again = taken(move, exported, move.export)
    assert (again.written, again.skipped) == (0, 2)


def test_who_knew_the_old_address_is_told(move: Move) -> None:
    told = move.bob.ok("contacts", "add", f"{move.ann.name}")
    assert f"goes on as {move.ann.name}@{NEW}" in told.err


def test_who_moved_too_recognises_them_by_the_key(move: Move, clip: Path, tmp_path: Path) -> None:
    move.bob.ok("export", tmp_path / "export")
    there, _ = moving(move.bob, tmp_path / "export", move.house, tmp_path)
    sent = move.there.send(there.name, clip)
    shown = there.ok("inbox", "--json")
    assert f"{move.ann.name}@localhost goes on as {move.ann.name}@{NEW}" in shown.err
    item = next(item for item in shown.json if item["id"] == sent)
    assert item["request"] is False


def test_only_the_exported_accounts_owner_opens_it(move: Move) -> None:
    with Archive.at(move.export) as archive:
        with pytest.raises(ArchiveLocked):
            importing.unlock(archive, passphrase="six other words than those of ann")
        with pytest.raises(ArchiveLocked):
            importing.unlock(archive, code=move.bob.recovery_code)
        with pytest.raises(RecoveryCodeTypo):
            importing.unlock(archive, code=mistyped(move.ann.recovery_code))


def mistyped(code: str) -> str:
    return code[:-1] + ("0" if code[-1] != "0" else "1")


def test_an_account_with_other_keys_takes_nothing_over(move: Move, exported: Exported) -> None:
    with Archive.at(move.export) as archive, move.bob.account as account, pytest.raises(OtherKeys):
        importing.take_over(account, exported, archive)


def test_a_zip_file_is_read_without_unpacking_and_refused_when_cut(
    move: Move, exported: Exported, tmp_path: Path
) -> None:
    packed = Path(shutil.make_archive(str(tmp_path / "export"), "zip", move.export))
    assert taken(move, exported, packed).skipped == 2
    whole = packed.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.zip").write_bytes(whole[:size])
        with pytest.raises(ArchiveDamaged), Archive.at(tmp_path / "cut.zip") as archive:
            importing.unlock(archive, code=move.ann.recovery_code)


def test_a_zip_of_zeros_is_refused_at_the_limit(move: Move, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("account/ways.json", bytes(2**24))
    with Archive.at(bomb) as archive, pytest.raises(ArchiveDamaged, match="too large"):
        importing.unlock(archive, code=move.ann.recovery_code)


def bent(move: Move, folder: Path) -> Path:
    """A copy of the export with one message, under an id that the new house does not have."""
    shutil.copytree(move.export, folder)
    for path in folder.glob("msg_*"):
        if path.name != move.ids[-1]:
            shutil.rmtree(path)
    return folder / move.ids[-1]


OTHER = "msg_" + "b" * 25 + "a"
BAD = {
    "cut": ("envelope.signed", lambda data: data[:-1], "signature-bad"),
    "empty": ("envelope.signed", lambda _: b"", "container-malformed"),
    "huge": ("envelope.signed", lambda data: data + bytes(2**15), "archive-damaged"),
    "of-another-id": ("envelope.signed", lambda data: data, "message-mislabelled"),
}


@pytest.mark.parametrize(("file", "change", "code"), BAD.values(), ids=BAD)
def test_a_message_that_is_not_what_was_signed_is_refused(
    file, change, code, move: Move, exported: Exported, tmp_path: Path
) -> None:
    folder = bent(move, tmp_path / "bent")
    (folder / file).write_bytes(change((folder / file).read_bytes()))
    folder.rename(folder.with_name(OTHER))
    assert [trouble.code for _, trouble in taken(move, exported, tmp_path / "bent").failed] == [code]
    assert OTHER not in {item["id"] for item in move.there.inbox()}


@pytest.mark.parametrize(
    ("file", "change", "code"),
    [
        ("details.age", lambda data: data[:-1], "details-swapped"),
        ("details.age", lambda data: data + bytes(2**17), "archive-damaged"),
        ("video.age", lambda data: data[:-1], "video-cut-off"),
        ("video.age", lambda data: data[:900] + bytes([data[900] ^ 1]) + data[901:], "video-part-swapped"),
    ],
    ids=["details-cut", "details-huge", "video-cut", "video-flipped"],
)
def test_bytes_that_the_sender_did_not_sign_are_not_stored(
    file, change, code, move: Move, exported: Exported, tmp_path: Path
) -> None:
    """In a house that does not have the message yet: there nothing is skipped."""
    folder = bent(move, tmp_path / "bent")
    (folder / file).write_bytes(change((folder / file).read_bytes()))
    with Archive.at(tmp_path / "bent") as archive, move.there.account as account:
        reader = importing._Reader(account, exported, archive, importing.People(account))
        report = Taken()
        importing._take_message(reader, folder.name, report)
        stored = account.session.get("/api/v1/account/storage", Storage)
    assert [trouble.code for _, trouble in report.failed] == [code]
    assert stored.unsent_bytes == 0


def test_links_to_elsewhere_and_names_that_are_none_are_not_followed(
    move: Move, exported: Exported, tmp_path: Path
) -> None:
    folder = bent(move, tmp_path / "bent")
    (tmp_path / "bent" / "msg_x").mkdir()
    (tmp_path / "bent" / "..evil").mkdir()
    (tmp_path / "bent" / OTHER).symlink_to(folder)
    with Archive.at(tmp_path / "bent") as archive:
        assert archive.messages() == [folder.name]
        outside = tmp_path / "outside"
        outside.write_bytes(b"outside")
        (folder / "key.txt").unlink()
        (folder / "key.txt").symlink_to(outside)
        for name in (f"{folder.name}/key.txt", f"{OTHER}/envelope.signed", f"../{outside.name}"):
            with pytest.raises(ArchiveDamaged):
                archive.read(name, limit=100)


def test_another_accounts_messages_and_state_do_not_get_in(
    move: Move, exported: Exported, tmp_path: Path
) -> None:
    move.bob.ok("export", tmp_path / "bobs")
    shutil.copytree(move.export, tmp_path / "bent")
    for path in (tmp_path / "bent").glob("msg_*"):
        shutil.rmtree(path)
    for path in (tmp_path / "bobs").glob("msg_*"):
        path.rename(tmp_path / "bent" / path.name)
    shutil.copy(tmp_path / "bobs/account/state/contacts.age", tmp_path / "bent/account/state/contacts.age")
    report = taken(move, exported, tmp_path / "bent")
    assert report.written == 0
    codes = {trouble.code for _, trouble in report.failed}
    assert "shard-damaged" in codes
    assert codes <= {"shard-damaged", "wrong-recipient", "wrong-signer"}
    assert codes != {"shard-damaged"}
