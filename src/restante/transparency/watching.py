"""What a client does with a log: it believes the first checkpoint, and from then on only what continues it.

>>> from restante.signing.keys import SigningKey
>>> from restante.transparency.merkle import leaf_hash
>>> key, entry = SigningKey(bytes(32)), entry_of("ann@post.example", b"record")
>>> name = origin_of("post.example")
>>> note = sign_note(Checkpoint(name, 1, leaf_hash(entry)).text, name, key)
>>> seen = follow(None, NoteKey(name, key.public), note, origin=name, fetch=lambda tile: b"")
>>> seen.checkpoint.size
1
>>> check_included(seen.checkpoint, [(0, entry)], fetch=lambda tile: leaf_hash(entry))
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from restante.transparency.checkpoints import Checkpoint, origin_of
from restante.transparency.entries import entry_of
from restante.transparency.errors import (
    LogForked,
    LogKeyChanged,
    LogMalformed,
    LogOmission,
    LogRolledBack,
    LogSignatureBad,
    LogUnwitnessed,
)
from restante.transparency.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from restante.transparency.notes import NoteKey, SignedNote, sign_note
from restante.transparency.tiles import Tile, TileNodes, read_bundle, width_at

__all__ = ["Seen", "check_included", "entry_of", "follow", "origin_of", "read_entries", "sign_note"]

Fetch = Callable[[Tile], bytes]


@dataclass(frozen=True, slots=True)
class Seen:
    """The last checkpoint that was believed, the key that signed it, and the whole note, which proves it to others."""

    key: NoteKey
    checkpoint: Checkpoint
    note: bytes


def recall(key: str, note: bytes) -> Seen:
    """Opens what was kept of a checkpoint. Raises LogError."""
    parsed = NoteKey.parse(key)
    return Seen(parsed, Checkpoint.read(SignedNote.read(note).text_signed_by(parsed)), note)


def follow(
    seen: Seen | None,
    key: NoteKey,
    note: bytes,
    *,
    origin: str,
    fetch: Fetch,
    witnesses: Iterable[NoteKey] = (),
) -> Seen:
    """Checks a new checkpoint, and that it continues the one seen before. Raises LogError."""
    if seen is not None and key != seen.key:
        raise LogKeyChanged
    signed = SignedNote.read(note)
    checkpoint = Checkpoint.read(signed.text_signed_by(key))
    if checkpoint.origin != origin or key.name != origin:
        raise LogMalformed("another log's checkpoint")
    for witness in witnesses:
        _check_witness(signed, witness)
    if seen is not None:
        _check_continues(seen.checkpoint, checkpoint, fetch)
    return Seen(key, checkpoint, note)


def check_included(checkpoint: Checkpoint, claims: Iterable[tuple[int, bytes]], *, fetch: Fetch) -> None:
    """Checks that entries stand at their places in the log. Raises LogOmission or LogMalformed."""
    size, nodes = checkpoint.size, TileNodes(checkpoint.size, fetch)
    for index, entry in claims:
        if not 0 <= index < size:
            raise LogOmission
        proof = inclusion_proof(index, size, nodes)
        if not verify_inclusion(leaf_hash(entry), index, size, proof, checkpoint.root):
            raise LogOmission


def read_entries(checkpoint: Checkpoint, *, fetch: Fetch) -> list[bytes]:
    """Reads all entries of the log and checks them against its root. Raises LogMalformed or LogForked."""
    entries: list[bytes] = []
    while len(entries) < checkpoint.size:
        index = len(entries) // 256
        width = width_at(0, index, checkpoint.size)
        bundle = read_bundle(fetch(Tile("entries", index, width)))
        if len(bundle) != width:
            raise LogMalformed("a bundle of entries")
        entries += bundle
    if _root_of(entries) != checkpoint.root:
        raise LogForked
    return entries


def _root_of(entries: Sequence[bytes]) -> bytes:
    rows = [[leaf_hash(entry) for entry in entries]]
    while len(rows[-1]) > 1:
        below = rows[-1]
        rows.append([node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
    return root(len(entries), lambda level, index: rows[level][index])


def _check_witness(note: SignedNote, witness: NoteKey) -> None:
    try:
        note.text_signed_by(witness)
    except LogSignatureBad as error:
        raise LogUnwitnessed(witness.name) from error


def _check_continues(old: Checkpoint, new: Checkpoint, fetch: Fetch) -> None:
    if new.size < old.size:
        raise LogRolledBack
    if 0 < old.size < new.size:
        proof = consistency_proof(old.size, new.size, TileNodes(new.size, fetch))
    else:
        proof = []
    if not verify_consistency(old.size, new.size, proof, old.root, new.root):
        raise LogForked
