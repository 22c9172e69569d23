"""A send holds neither the video nor the ciphertext in memory: the spool on the disk does."""

import os
import subprocess
import sys

MIB = 2**20
PROGRAM = """
import re, sys
from pathlib import Path
ballast = b"x" * int(sys.argv[1])
if sys.argv[2] == "convert":
    from restante.media import Shorten, convert
    convert(Path(sys.argv[3]), lambda _: None, shorten=Shorten.REFUSE)
else:
    from restante.cli.main import run
    assert run(sys.argv[2:]) == 0
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def peak_bytes(person, *words, ballast=0):
    """Runs in a process of its own and returns the largest memory it had (ru_maxrss would count the parent's)."""
    command = [sys.executable, "-c", PROGRAM, str(ballast), *map(str, words)]
    env = {**os.environ, **person.env()}
    answer = subprocess.run(command, env=env, check=True, capture_output=True, text=True, timeout=90)
    return int(answer.stdout.split()[-1]) * 1024


def test_sending_takes_little_more_than_the_codecs(ann, long_clip, clip):
    codecs = peak_bytes(ann, "convert", long_clip)
    whole = peak_bytes(ann, "send", ann.name, long_clip)
    print(f"codecs {codecs / MIB:.0f} MiB, send {whole / MIB:.0f} MiB")
    assert whole - codecs < 150 * MIB
    control = peak_bytes(ann, "send", ann.name, clip, ballast=150 * MIB)
    assert control - peak_bytes(ann, "convert", clip) > 150 * MIB
