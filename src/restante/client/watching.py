"""A received video in a player: through a pipe while it arrives, or from a private file.

>>> message = Mailbox(account).inbox()[0].require()
>>> play_piped(account.session, message, [sys.executable, "-c", "import sys; sys.stdin.buffer.read()"])
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from restante.client.downloads import plaintext
from restante.client.errors import ClientError, NoPlayer, PlayerFailed
from restante.client.http import Session
from restante.client.incoming import Mailbox
from restante.client.opened import Message
from restante.signing.errors import ProtocolError

__all__ = ["Mailbox", "play_file", "play_piped", "sys"]


def play_piped(
    session: Session,
    message: Message,
    command: Sequence[str],
    *,
    on_end: Callable[[int], object] = lambda _: None,
) -> None:
    """Feeds a player as fast as it takes; holds no more than a part. Closed early, it is content.

    A video that is cut off or damaged is played up to that place, of which ``on_end`` is told in milliseconds, about;
    then its error is raised. Raises NoPlayer, PlayerFailed, VideoError, Unreachable or ServerProblem.
    """
    with _started(command, stdin=subprocess.PIPE) as player:
        try:
            trouble = _feed(player, session, message, on_end)
            code = player.wait()
        except BaseException:
            player.terminate()
            raise
    if trouble is not None:
        raise trouble
    if code != 0:
        raise PlayerFailed(command[0])


def play_file(path: Path, command: Sequence[str]) -> None:
    """Gives a player a file and waits for its end. Raises NoPlayer or PlayerFailed."""
    with _started([*command, str(path)], stdin=subprocess.DEVNULL) as player:
        try:
            code = player.wait()
        except BaseException:
            player.terminate()
            raise
    if code != 0:
        raise PlayerFailed(command[0])


def _feed(
    player: "subprocess.Popen[bytes]", session: Session, message: Message, on_end: Callable[[int], object]
) -> ProtocolError | ClientError | None:
    """Returns what ended the video early, if anything but the person did."""
    video = message.details.video
    assert video is not None
    assert player.stdin is not None
    fed = 0
    try:
        for piece in plaintext(session, message):
            player.stdin.write(piece)
            fed += len(piece)
    except BrokenPipeError:
        return None
    except (ProtocolError, ClientError) as trouble:
        on_end(video.ms * fed // video.size)
        return trouble
    finally:
        with suppress(BrokenPipeError):
            player.stdin.close()
    return None


def _started(command: Sequence[str], *, stdin: int) -> "subprocess.Popen[bytes]":
    """Starts a player; what it says goes to stderr, since stdout is data."""
    try:
        return subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL)  # noqa: S603 - the person's own choice
    except (FileNotFoundError, PermissionError) as error:
        raise NoPlayer(command[0]) from error
