"""Which program plays a video, and how it gets it."""

import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from restante.client.errors import NoPlayer

PIPE_WORD = "-"
_PIPED = {
    "mpv": ["--really-quiet", "--force-window=immediate", "--force-media-title=Restante", PIPE_WORD],
    "ffplay": ["-loglevel", "error", "-autoexit", "-window_title", "Restante", PIPE_WORD],
}


class Feeding(Enum):
    """How a player gets the video."""

    PIPE = "pipe"
    FILE = "file"
    LEFT_ALONE = "file, by a program that does not wait for its end"


@dataclass(frozen=True, slots=True)
class Player:
    """A command line; a file comes as its last word."""

    command: list[str]
    feeding: Feeding

    def with_captions(self, file: Path) -> list[str]:
        """Returns the command line that also shows captions, where the player can take them beside a pipe."""
        if Path(self.command[0]).stem != "mpv":
            return self.command
        return [self.command[0], f"--sub-file={file}", *self.command[1:]]


Which = Callable[[str], str | None]


def choose_player(wanted: str | None, *, platform: str = sys.platform, which: Which = shutil.which) -> Player:
    """Chooses the player that was named; or mpv or ffplay; or what the system opens videos with. Raises NoPlayer."""
    if wanted is not None:
        return _named(wanted, platform, which)
    for name, words in _PIPED.items():
        if which(name):
            return Player([name, *words], Feeding.PIPE)
    return _opener(platform, which)


def _named(wanted: str, platform: str, which: Which) -> Player:
    """Reads a command line as the system's own shell would."""
    words = shlex.split(wanted, posix=platform != "win32")
    if not words or not which(words[0]):
        raise NoPlayer(wanted)
    if PIPE_WORD in words:
        return Player(words, Feeding.PIPE)
    extra = _PIPED.get(Path(words[0]).stem)
    return Player([*words, *extra], Feeding.PIPE) if extra else Player(words, Feeding.FILE)


def _opener(platform: str, which: Which) -> Player:
    if platform == "darwin":
        return Player(["open", "-W", "-n"], Feeding.FILE)
    if platform == "win32":
        return Player(["cmd", "/c", "start", "", "/wait"], Feeding.FILE)
    if which("xdg-open"):
        return Player(["xdg-open"], Feeding.LEFT_ALONE)
    raise NoPlayer
