"""What can be wrong with a video, each with a stable code, a sentence for people and a way out.

MediaError
├── NotAVideo   noise, a text, a playlist
├── NoPicture   sound only, or no frame decodes
├── TooLong     more than a recording may hold
├── Damaged     recognised, but its index is missing or nothing of it can be read
└── DeviceError
    ├── NoDevice              no camera, or no microphone
    ├── DeviceUnknown         the name fits none, or more than one
    ├── DeviceBusy            another program uses it
    ├── DeviceRefused         this user may not
    ├── DeviceFailed          it cannot be opened, or gives nothing
    └── RecordingUnsupported  no way to a device on this system

A missing or unreadable file stays the OSError that it is; so does a full disk.
"""

from typing import ClassVar


class MediaError(Exception):
    """A video that cannot be used; ``str()`` is the sentence."""

    code: ClassVar[str]
    sentence: ClassVar[str]
    hint: str

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or self.sentence)


class NotAVideo(MediaError):
    """The bytes are of no kind that is known to hold a video."""

    code = "not-a-video"
    sentence = "This is not a video."
    hint = "Choose a video file, such as .mp4, .mov, .mkv or .webm."


class NoPicture(MediaError):
    """There is no picture to show: sound only, an unknown codec, or no frame that decodes."""

    code = "no-picture"
    sentence = "There is no picture in this file."
    hint = "Check that it plays; a sound recording is not a video."


class TooLong(MediaError):
    """More media time than a recording may hold; ``duration_ms`` is what is known of its length."""

    code = "too-long"
    sentence = "The video is longer than 3 minutes."
    hint = "Shorten it, or let it be cut after 3 minutes."

    def __init__(self, duration_ms: int) -> None:
        minutes, seconds = divmod(duration_ms // 1000, 60)
        super().__init__(f"The video lasts {minutes} min {seconds} s; 3 minutes are possible.")
        self.duration_ms = duration_ms


class Damaged(MediaError):
    """The kind of file is known, but it is cut off or broken so that nothing of it can be read."""

    code = "damaged-video"
    sentence = "The video file is damaged or incomplete."
    hint = "Copy it again from where it was recorded."


class DeviceError(MediaError):
    """A camera or microphone that cannot be used."""

    def __init__(self, detail: str = "", *, hint: str | None = None) -> None:
        super().__init__(f"{self.sentence.rstrip('.')}: {detail}." if detail else None)
        if hint is not None:
            self.hint = hint


class NoDevice(DeviceError):
    """Nothing is plugged in; ``detail`` is the kind."""

    code = "no-device"
    sentence = "There is no such device on this machine."
    hint = "Plug one in, and look at `restante devices`; or send a file."


class DeviceUnknown(DeviceError):
    """What was asked for is none of those that there are."""

    code = "device-unknown"
    sentence = "There is no such device, or more than one."
    hint = "`restante devices` lists them; take the id."


class DeviceBusy(DeviceError):
    """The system lets one program at a time have it."""

    code = "device-busy"
    sentence = "Another program is using the device."
    hint = "Close what uses it, such as a video call, or choose another device."


class DeviceRefused(DeviceError):
    """The system does not let this user, or this terminal, have it."""

    code = "device-refused"
    sentence = "The system does not allow the use of this device."
    hint = (
        "Linux: join the groups video and audio (sudo usermod -aG video,audio $USER), then sign in again. "
        "macOS and Windows: allow camera and microphone for this terminal in the privacy settings."
    )


class DeviceFailed(DeviceError):
    """It is there, and gives nothing."""

    code = "device-failed"
    sentence = "The device gives nothing."
    hint = "Unplug it and plug it in again, or choose another one of `restante devices`."


class RecordingUnsupported(DeviceError):
    """There is no way to cameras and microphones here."""

    code = "recording-unsupported"
    sentence = "Recording is not possible on this system."
    hint = "Record with another program, or in the web app, and send the file."
