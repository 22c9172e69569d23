"""A send holds neither the video nor the ciphertext in memory: the spool on the disk does."""

import os
import subprocess
import sys

from tests.cli.person import COMMAND

MIB = 2**20
BARE = """
import sys
from pathlib import Path
from restante.media import Shorten, convert
convert(Path(sys.argv[1]), lambda _: None, shorten=Shorten.REFUSE)
"""


def peak_bytes(command, env):
    """Runs a command and returns the largest memory it had."""
    process = subprocess.Popen(command, env={**os.environ, **env}, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss * 1024


def test_sending_takes_little_more_than_the_codecs(ann, long_clip):
    bare = peak_bytes([sys.executable, "-c", BARE, str(long_clip)], {})
    whole = peak_bytes([str(COMMAND), "send", ann.name, str(long_clip)], ann.env())
    print(f"codecs {bare / MIB:.0f} MiB, send {whole / MIB:.0f} MiB")
    assert whole - bare < 150 * MIB
