"""What a measure hands back, and the committed page bench/results.md made of it."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench.harness.compare import GB, RATIO, Claim, Samples
from bench.peers.servers import PYTHON, WORK

_HEAD = """# Measured against peers

Written by `bench/run`; how it measures and how to read it: [docs/guides/performance.md](../docs/guides/performance.md).
Ratios hold beyond the machine; the absolute figures below them do not.

- Date: {date}; {rounds} rounds, interleaved; each figure is the median of the rounds' ratios, *best* compares best with best.
- Machine: {machine}
- Versions: {versions}
"""


@dataclass(slots=True)
class Result:
    """One measure: claims, and lines of absolute figures (contestant, figure, …) below a heading."""

    name: str
    title: str
    claims: list[Claim]
    heading: tuple[str, ...] = ()
    figures: list[tuple[str, ...]] = field(default_factory=list)


def moved(samples: Samples) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Tells MB/s and CPU s/GB of each contestant."""
    lines: list[tuple[str, ...]] = [
        (
            name,
            f"{median(one.rate for one in taken) / 1e6:.0f}",
            f"{median(one.cost for one in taken) * GB:.2f}",
        )
        for name, taken in samples.items()
    ]
    return ("server", "MB/s", "CPU s/GB"), lines


def page(results: Sequence[Result], rounds: int) -> str:
    """Writes the whole page."""
    head = _HEAD.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}", rounds=rounds, machine=_machine(), versions=_versions()
    )
    return "\n".join([head, *(section(result) for result in results)])


def section(result: Result) -> str:
    """Writes one measure."""
    lines = [
        (
            claim.what,
            claim.against,
            _figure(claim.median, claim),
            _figure(claim.best, claim),
            claim.target,
            _verdict(claim),
        )
        for claim in result.claims
    ]
    parts = [f"## {result.title}\n", _table(("figure", "against", "median", "best", "target", ""), lines)]
    if result.figures:
        parts.append(_table(result.heading, result.figures))
    return "\n".join(parts)


def _figure(value: float, claim: Claim) -> str:
    return f"{value:.2f} {RATIO}" if claim.unit == RATIO else f"{value:.1f} {claim.unit}"


def _verdict(claim: Claim) -> str:
    if not claim.target:
        return ""
    return "holds" if claim.holds else "**missed**"


def _table(heading: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [heading, ["---"] * len(heading), *lines]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    return f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, {system}, Linux {platform.release().split('-')[0]}"


def _versions() -> str:
    peers = ("tuspyserver", "uvicorn", "matrix-synapse")
    asked = f"from importlib.metadata import version as v; print(*map(v, {peers!r}))"
    found = zip(peers, _output(PYTHON, "-c", asked).split(), strict=True)
    manifest = WORK / "node/node_modules/@tus/server/package.json"
    tus = json.loads(manifest.read_text())["version"]
    words = [f"Python {platform.python_version()}", f"Node {_output('node', '--version')[1:]}"]
    words += [f"granian {version('granian')}", f"litestar {version('litestar')}"]
    words += [f"@tus/server {tus}"]
    words += [f"{name} {number}" for name, number in found]
    words += [f"nginx {_output(WORK / 'nginx', '-v').rpartition('/')[2]}"]
    return ", ".join(words)


def _output(*command: str | Path) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True)
    return (done.stdout + done.stderr).strip()
