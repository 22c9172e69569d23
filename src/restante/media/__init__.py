"""Video files: looks at them, makes of any of them what is sent, and makes of what was sent a file to keep.

The only room that decodes video, by PyAV. It knows nothing of encryption or of the network: bytes go to a sink and
come from a reader.

    from restante.media import Shorten, convert, save

    with Path("message.fmp4").open("wb") as file:
        convert(Path("holiday.mov"), file.write, shorten=Shorten.CUT)
    with Path("message.fmp4").open("rb") as file:
        save(file, Path("message.mp4"))
"""

from restante.media.boxes import whole_boxes
from restante.media.convert import Shorten, convert
from restante.media.devices import Device, Kind, choose_devices, find_devices
from restante.media.errors import (
    Damaged,
    DeviceError,
    MediaError,
    NoDevice,
    NoPicture,
    NotAVideo,
    RecordingUnsupported,
    TooLong,
)
from restante.media.feed import News, What
from restante.media.probe import Probe, probe
from restante.media.record import Moment, record
from restante.media.result import Converted
from restante.media.save import save

__all__ = [
    "Converted",
    "Damaged",
    "Device",
    "DeviceError",
    "Kind",
    "MediaError",
    "Moment",
    "News",
    "NoDevice",
    "NoPicture",
    "NotAVideo",
    "Probe",
    "RecordingUnsupported",
    "Shorten",
    "TooLong",
    "What",
    "choose_devices",
    "convert",
    "find_devices",
    "probe",
    "record",
    "save",
    "whole_boxes",
]
