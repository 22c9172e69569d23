"""Sealing and opening 40 MiB in Python, against the program `age`."""

import json
import subprocess
import sys
from pathlib import Path

from bench.harness.compare import RATIO, Claim
from bench.harness.report import Result

SCRIPT = Path(__file__).parent.parent / "crypto_seal.py"
TURNS = 3
"""Rounds of this measure for each round asked for: one takes a quarter of a second."""


def sealing(rounds: int) -> Result:
    """Times, file to file."""
    command = [sys.executable, str(SCRIPT), "--rounds", str(rounds * TURNS)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    claims = [
        Claim(f"{verb} 40 MiB: time", "age", told[verb]["ratio"], told[verb]["spread"][0], RATIO, most=2)
        for verb in ("seal", "open")
    ]
    figures = [
        (verb, f"{told[verb]['ours_ms']:.0f}", f"{told[verb]['age_ms']:.0f}") for verb in ("seal", "open")
    ]
    return Result("sealing", "Sealing and opening", claims, ("", "restante ms", "age ms"), list(figures))
