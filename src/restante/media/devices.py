"""Cameras and microphones of this machine: which there are, and how libav opens each.

Linux is asked by its own folders (V4L2 in sysfs, ALSA in /proc/asound), without opening anything; macOS and Windows
through libav's lists of AVFoundation and DirectShow, which has not been shown on such a machine yet.
"""

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import av.device

from restante.media.errors import DeviceUnknown, NoDevice, RecordingUnsupported
from restante.media.v4l2 import is_camera

SYNTHETIC = "lavfi:"
"""Begins the id of a source that libavfilter makes up, in real time: for scripts and tests."""
_SCREEN_OF_MACOS = "Capture screen"
_WIDTH, _HEIGHT, _RATE = 1280, 720, 30
_SIZED = {"video_size": f"{_WIDTH}x{_HEIGHT}", "framerate": str(_RATE)}
_MONO = {"sample_rate": "48000", "channels": "1"}


class Kind(Enum):
    """What a device gives."""

    CAMERA = "camera"
    MICROPHONE = "microphone"


class System(Enum):
    """Whose devices these are; the value is what ``sys.platform`` says."""

    LINUX = "linux"
    MACOS = "darwin"
    WINDOWS = "win32"


@dataclass(frozen=True, slots=True)
class Device:
    """``id`` is what is typed to choose it; ``label`` is its name for people, by which it can be chosen as well."""

    kind: Kind
    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Opening:
    """One way to open a device: arguments of ``av.open``."""

    format: str
    url: str
    options: dict[str, str]


def this_system() -> System:
    """Tells which system this is. Raises RecordingUnsupported."""
    try:
        return System(sys.platform)
    except ValueError as error:
        raise RecordingUnsupported from error


def find_devices(kind: Kind, *, root: Path = Path("/")) -> list[Device]:
    """Lists the devices of a kind, the one to use first. ``root`` is where dev, proc and sys lie. Raises RecordingUnsupported."""
    system = this_system()
    if system is System.LINUX:
        return v4l2_cameras(root) if kind is Kind.CAMERA else alsa_microphones(root)
    listing = "avfoundation" if system is System.MACOS else "dshow"
    try:
        return listed(kind, av.device.enumerate_input_devices(listing))
    except (ValueError, av.FFmpegError) as error:
        raise RecordingUnsupported from error


def listed(kind: Kind, found: Sequence[av.device.DeviceInfo]) -> list[Device]:
    """Takes what libav lists of one kind, the system's own choice first; a screen is no camera."""
    media = "video" if kind is Kind.CAMERA else "audio"
    usable = [
        each
        for each in found
        if media in each.media_types and not each.description.startswith(_SCREEN_OF_MACOS)
    ]
    usable.sort(key=lambda each: not each.is_default)
    return [Device(kind, each.name, each.description or each.name) for each in usable]


def choose_devices(kind: Kind, wanted: Sequence[str], *, root: Path = Path("/")) -> list[Device]:
    """Finds the devices that were named, in their order: by id, by name, or by a part of the name that only one has.

    Raises DeviceUnknown; and NoDevice when there is none at all.
    """
    made_up = all(name.startswith(SYNTHETIC) for name in wanted)
    found = [] if wanted and made_up else find_devices(kind, root=root)
    if not wanted and not found:
        raise NoDevice(kind.value)
    return [_named(kind, name, found) for name in wanted] or found


def openings(device: Device, system: System) -> list[Opening]:
    """Returns the ways to open a device, the best one first."""
    is_camera = device.kind is Kind.CAMERA
    if device.id.startswith(SYNTHETIC):
        graph, pace = device.id.removeprefix(SYNTHETIC), "realtime" if is_camera else "arealtime"
        return [Opening("lavfi", f"{graph},{pace}", {})]
    make = _CAMERA[system] if is_camera else _MICROPHONE[system]
    return make(device)


def v4l2_cameras(root: Path, *, captures: Callable[[Path], bool | None] = is_camera) -> list[Device]:
    """Lists the video nodes that give pictures: a webcam has a second one for its metadata."""
    cameras = []
    for folder in sorted((root / "sys/class/video4linux").glob("video*"), key=_number):
        node = root / "dev" / folder.name
        gives = captures(node)
        if gives is None:
            gives = _read(folder / "index") in ("", "0")
        if gives:
            cameras.append(Device(Kind.CAMERA, str(node), _read(folder / "name") or folder.name))
    return cameras


def alsa_microphones(root: Path) -> list[Device]:
    """Lists what ALSA can record from; where a sound server runs, its own source comes first."""
    found = []
    for line in _read(root / "proc/asound/pcm").splitlines():
        entry = re.fullmatch(r"(\d+)-(\d+): (.*)", line)
        if entry is None or not re.search(r": capture \d+", line):
            continue
        card, device = int(entry[1]), int(entry[2])
        name = _read(root / f"proc/asound/card{card}/id") or str(card)
        what = entry[3].split(" : ")[0]
        found.append(
            Device(Kind.MICROPHONE, f"plughw:CARD={name},DEV={device}", f"{_card(root, card)}, {what}")
        )
    if (found and any((root / "run/user").glob("*/pipewire-0"))) or any(
        (root / "run/user").glob("*/pulse/native")
    ):
        return [Device(Kind.MICROPHONE, "default", "Sound server"), *found]
    return found


def _card(root: Path, number: int) -> str:
    for line in _read(root / "proc/asound/cards").splitlines():
        entry = re.fullmatch(rf"\s*{number} \[.*?\]: .*? - (.*)", line)
        if entry is not None:
            return entry[1].strip()
    return f"Card {number}"


def _named(kind: Kind, name: str, found: Sequence[Device]) -> Device:
    if name.startswith(SYNTHETIC):
        return Device(kind, name, name)
    for test in (_is_id, _is_label, _is_in_label):
        fits = [device for device in found if test(device, name)]
        if len(fits) == 1:
            return fits[0]
    raise DeviceUnknown(f"{kind.value} {name}")


def _is_id(device: Device, name: str) -> bool:
    return device.id == name


def _is_label(device: Device, name: str) -> bool:
    return device.label.casefold() == name.casefold()


def _is_in_label(device: Device, name: str) -> bool:
    return name.casefold() in device.label.casefold()


def _v4l2(device: Device) -> list[Opening]:
    """Compressed pictures first: raw ones of 720 lines come at ten a second over USB 2."""
    ways = [{**_SIZED, "input_format": "mjpeg"}, _SIZED, {}]
    return [Opening("v4l2", device.id, dict(way)) for way in ways]


def _alsa(device: Device) -> list[Opening]:
    return [Opening("alsa", device.id, dict(way)) for way in (_MONO, {})]


def _avfoundation_camera(device: Device) -> list[Opening]:
    """Without a pixel format AVFoundation takes one that libav must convert; its rate must be one that it offers."""
    ways = [{**_SIZED, "pixel_format": "nv12"}, {"framerate": str(_RATE)}, {}]
    return [Opening("avfoundation", f"{device.id}:none", dict(way)) for way in ways]


def _avfoundation_microphone(device: Device) -> list[Opening]:
    return [Opening("avfoundation", f"none:{device.id}", {})]


def _dshow_camera(device: Device) -> list[Opening]:
    room = {"rtbufsize": "64M"}
    ways = [{**_SIZED, "vcodec": "mjpeg", **room}, {**_SIZED, **room}, room]
    return [Opening("dshow", f"video={device.id}", dict(way)) for way in ways]


def _dshow_microphone(device: Device) -> list[Opening]:
    return [Opening("dshow", f"audio={device.id}", {"audio_buffer_size": "50"})]


_CAMERA: dict[System, Callable[[Device], list[Opening]]] = {
    System.LINUX: _v4l2,
    System.MACOS: _avfoundation_camera,
    System.WINDOWS: _dshow_camera,
}
_MICROPHONE: dict[System, Callable[[Device], list[Opening]]] = {
    System.LINUX: _alsa,
    System.MACOS: _avfoundation_microphone,
    System.WINDOWS: _dshow_microphone,
}


def _number(path: Path) -> int:
    return int(re.sub(r"\D", "", path.name) or 0)


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
