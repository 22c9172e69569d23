"""Prints the peak memory of converting a file, in KiB: `peak.py whole FILE`, or `peak.py codecs FILE` for the codecs alone.

A process of its own, because memory once used is not given back; VmHWM, because ru_maxrss counts the parent's.
"""

import re
import sys
from fractions import Fraction
from pathlib import Path

import av

from restante.media import Shorten, convert
from restante.media.film import _OPTIONS, TIME_BASE


def whole(path: Path) -> None:
    """Converts as a sender does, without keeping what comes out."""
    convert(path, lambda _: None, shorten=Shorten.CUT)


def codecs(path: Path) -> None:
    """Decodes and encodes with the same settings and nothing around it."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 1280, 720, "yuv420p", TIME_BASE
    encoder.options = _OPTIONS
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count, stream.codec_context.thread_type = 4, "AUTO"
        for frame in container.decode(stream):
            small = frame.reformat(width=1280, height=720)
            small.pts, small.time_base = round(frame.pts * frame.time_base / TIME_BASE), Fraction(TIME_BASE)
            encoder.encode(small)
    encoder.encode(None)


if __name__ == "__main__":
    {"whole": whole, "codecs": codecs}[sys.argv[1]](Path(sys.argv[2]))
    print(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
