"""A device, opened: its frames as they come, and in words why it gives none."""

import contextlib
import ctypes
import errno
import os
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.video.frame import VideoFrame

from restante.media.devices import Device, Kind, Opening, System, openings
from restante.media.errors import DeviceBusy, DeviceError, DeviceFailed, DeviceRefused
from restante.media.packets import AnyPacket

_TRY_ANOTHER_WAY = {errno.EINVAL, errno.EIO, errno.ENOTTY, errno.ENOSYS}
_NOT_YET_S = 0.005
_ALSA_CONFIG = "ALSA_CONFIG_PATH"
_ALSA_FOLDERS = ("/usr/share/alsa", "/etc/alsa")
_SAY_NOTHING = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)(lambda *_: None)


@contextlib.contextmanager
def plugged(device: Device, system: System) -> Iterator[Iterator[VideoFrame | AudioFrame]]:
    """Gives the frames of a device until it is lost. Raises DeviceError when it cannot be opened."""
    if device.kind is Kind.MICROPHONE and system is System.LINUX:
        _prepare_alsa()
    with _open(device, openings(device, system)) as container:
        yield _frames(container, device.kind)


def _open(device: Device, ways: list[Opening]) -> InputContainer:
    for place, way in enumerate(ways, start=1):
        try:
            return av.open(way.url, "r", format=way.format, options=way.options)
        except av.FFmpegError as error:
            if place == len(ways) or error.errno not in _TRY_ANOTHER_WAY:
                raise _named(device, error) from error
        except ValueError as error:  # this build of libav knows no such format
            raise DeviceFailed(device.label) from error
    raise AssertionError


def _frames(container: InputContainer, kind: Kind) -> Iterator[VideoFrame | AudioFrame]:
    """Yields what decodes; a picture that came damaged over its cable is left out."""
    for packet in _packets(container, kind):
        with contextlib.suppress(av.InvalidDataError):
            yield from packet.decode()


def _packets(container: InputContainer, kind: Kind) -> Iterator[AnyPacket]:
    streams = container.streams.video if kind is Kind.CAMERA else container.streams.audio
    if not streams:
        return
    while True:
        try:
            yield from container.demux(streams[0])
        except av.BlockingIOError:  # AVFoundation does not wait
            time.sleep(_NOT_YET_S)
        else:
            return


def _named(device: Device, error: av.FFmpegError) -> DeviceError:
    match error.errno:
        case errno.EBUSY:
            return DeviceBusy(device.label)
        case errno.EACCES | errno.EPERM:
            return DeviceRefused(device.label)
        case errno.EIO if device.kind is Kind.MICROPHONE:
            return _why_silent(device, Path("/"))
        case _:
            return DeviceFailed(device.label)


def _why_silent(device: Device, root: Path) -> DeviceError:
    """Asks the system, since libav calls every failure of ALSA the same."""
    card, _, number = device.id.removeprefix("plughw:CARD=").partition(",DEV=")
    folder = root / "proc/asound" / card
    index = folder.resolve().name.removeprefix("card")
    node = root / f"dev/snd/pcmC{index}D{number}c"
    if node.exists() and not os.access(node, os.R_OK | os.W_OK):
        return DeviceRefused(device.label)
    for status in folder.glob(f"pcm{number}c/sub*/status"):
        with contextlib.suppress(OSError):
            if status.read_text().strip() != "closed":
                return DeviceBusy(device.label)
    return DeviceFailed(device.label)


@cache
def _prepare_alsa() -> None:
    """Shows ALSA's library its settings, and keeps it from writing to stderr past the command line's own words.

    The one in PyAV's wheels looks for them where it was built, in a folder of /tmp that anybody could make.
    """
    usual = (Path(folder) / "alsa.conf" for folder in _ALSA_FOLDERS)
    found = next((path for path in usual if path.exists()), Path("/usr/share/alsa/alsa.conf"))
    os.environ.setdefault(_ALSA_CONFIG, str(found))
    with contextlib.suppress(OSError, AttributeError):
        for line in Path("/proc/self/maps").read_text().splitlines():
            if "libasound" in line:
                ctypes.CDLL(line.split()[-1]).snd_lib_error_set_handler(_SAY_NOTHING)
                return
