"""A received video as an ordinary .mp4.

>>> item = Mailbox(account).find("1")
>>> path = save_new(account.session, item.require(), folder / "hello.mp4")
>>> path.read_bytes()[4:8]
b'ftyp'
"""

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from restante import media
from restante.client.captions import normalised
from restante.client.downloads import plaintext
from restante.client.drafts import Draft
from restante.client.errors import SendError, TargetExists
from restante.client.files import place
from restante.client.http import Session
from restante.client.opened import Message
from restante.client.sealing import spooled_video


def save_new(session: Session, message: Message, target: Path) -> Path:
    """Saves under a name that is free. Raises TargetExists, VideoError, MediaError or OSError; then nothing is there."""
    return _save_new(plaintext(session, message), target)


def save_pieces_new(pieces: Iterator[bytes], target: Path) -> Path:
    """Saves a verified MP4 under a name that is free. Raises as ``save_new`` does."""
    return _save_new(pieces, target)


def save_replacing(session: Session, message: Message, target: Path) -> Path:
    """Saves in place of an earlier file, which stays untouched until the new one is complete."""
    return _save(plaintext(session, message), target, _replace)


def save_draft_new(draft: Draft, target: Path) -> Path:
    """Saves what a draft holds of its video, without the server. Raises TargetExists, MediaError or OSError."""
    return _save_new(spooled_video(draft), target)


def save_draft(draft: Draft, target: Path) -> Path:
    """Saves what a draft holds in place of an earlier file."""
    return _save(spooled_video(draft), target, _replace)


def save_captions(message: Message, video: Path) -> Path | None:
    """Writes the captions of a message beside its saved video, where players look for them: WebVTT of the same name.

    An earlier file of that name is replaced. None when there are none that can be read; then nothing is written.
    """
    try:
        words = normalised(message.details.captions or "")
    except SendError:
        return None
    target = video.with_suffix(".vtt")
    temporary = target.with_name(f".restante-{secrets.token_hex(8)}.part")
    try:
        temporary.write_text(words, encoding="utf-8")
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return target


def file_name(message: Message) -> str:
    """Makes a name of sender and date, such as ``ada-2026-11-22-1840.mp4`` (local time)."""
    when = datetime.fromtimestamp(message.opened.fields.created / 1000, UTC).astimezone()
    return f"{(message.sender or 'unsigned').replace('@', '-')}-{when:%Y-%m-%d-%H%M}.mp4"


def _save_new(pieces: Iterator[bytes], target: Path) -> Path:
    if target.exists():
        raise TargetExists(str(target))
    try:
        return _save(pieces, target, place)
    except FileExistsError as error:
        raise TargetExists(str(target)) from error


def _replace(temporary: Path, target: Path) -> None:
    temporary.replace(target)


def _save(pieces: Iterator[bytes], target: Path, finish: Callable[[Path, Path], object]) -> Path:
    """Writes beside the target; whether the video is whole is known before it gets its name."""
    temporary = target.with_name(f".restante-{secrets.token_hex(8)}.part")
    try:
        media.save(pieces, temporary)
        for _ in pieces:
            pass  # what the muxer did not ask for is verified all the same
        finish(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return target
