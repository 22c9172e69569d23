"""The secrets of a sign-up until they have been shown: what kills it between the server's yes and the screen loses nothing.

>>> unshown = Unshown("https://post.example", "alan", "six words", "0000-…")
>>> profile = Profile.at(folder / "alan")
>>> keep_unshown(profile, unshown)
>>> find_unshown(profile, "alan") == unshown
True
>>> forget_unshown(profile, "alan")
>>> find_unshown(profile, "alan") is None
True
"""

from contextlib import suppress
from pathlib import Path

import msgspec

from restante.client.files import flush_folder, make_private, write_private
from restante.client.profile import Profile
from restante.protocol import ijson


class Unshown(msgspec.Struct, frozen=True):
    """``passphrase`` is None when it is one's own, which need not be shown."""

    server: str
    name: str
    passphrase: str | None
    recovery_code: str

    def __repr__(self) -> str:
        return f"Unshown({self.name})"


def keep_unshown(profile: Profile, unshown: Unshown) -> None:
    """Stores before the server is asked; readable by the owner only."""
    write_private(make_private(profile.folder) / _file(unshown.name), ijson.encode(unshown))


def find_unshown(profile: Profile, name: str) -> Unshown | None:
    """Finds what an earlier attempt could not show."""
    try:
        return ijson.decode((profile.folder / _file(name)).read_bytes(), Unshown)
    except (OSError, ijson.BadJson):
        return None


def forget_unshown(profile: Profile, name: str) -> None:
    """Removes it, and a profile that holds nothing else."""
    path = profile.folder / _file(name)
    if path.exists():
        path.unlink()
        flush_folder(profile.folder)
    with suppress(OSError):
        Path.rmdir(profile.folder)


def _file(name: str) -> str:
    return f"sign-up-{name}.json"
