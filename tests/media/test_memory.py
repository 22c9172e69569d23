"""Memory: what conversion needs beyond the codecs themselves does not grow with the picture."""

import subprocess
import sys
from pathlib import Path

from tests.footage import odd


def peak_mib(what, path):
    script = Path(__file__).with_name("peak.py")
    result = subprocess.run(
        [sys.executable, script, what, path], capture_output=True, check=True, timeout=100
    )
    return int(result.stdout) / 1024


def test_4k_needs_little_more_memory_than_its_codecs(shelf, record_property):
    source = odd("4k", shelf)
    codecs, whole = peak_mib("codecs", source), peak_mib("whole", source)
    record_property("peak_mib", {"codecs": round(codecs), "whole": round(whole)})
    print(f"peak: {whole:.0f} MiB, of which codecs {codecs:.0f} MiB")
    assert codecs > 100  # the measure measures: eight frames of 4K are 100 MiB
    assert whole - codecs < 40  # measured: 2 MiB beyond 231; frames kept too long made it 466
