"""`bench/run [NAME…] [--rounds N]`: measures, prints, and fails when a target is missed; all of them write results.md."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from bench.harness.report import Result, page, section
from bench.measures.costs import costs
from bench.measures.devices import devices
from bench.measures.downloads import downloads
from bench.measures.jobs import jobs
from bench.measures.live import live
from bench.measures.sealing import sealing
from bench.measures.uploads import pieces, whole
from bench.measures.web import web

MEASURES: dict[str, Callable[[int], Result]] = {
    "uploads": pieces,
    "whole": whole,
    "downloads": downloads,
    "live": live,
    "jobs": jobs,
    "costs": costs,
    "sealing": sealing,
    "web": web,
    "devices": devices,
}
RESULTS = Path(__file__).parent / "results.md"
FEWEST = 5


def main() -> int:
    options = _options()
    results = []
    for name in options.names or MEASURES:
        print(f"Measuring {name}, {options.rounds} rounds ...", file=sys.stderr, flush=True)
        results.append(MEASURES[name](options.rounds))
        print(section(results[-1]), flush=True)
    if not options.names and options.rounds >= FEWEST:
        RESULTS.write_text(page(results, options.rounds))
    missed = [claim for result in results for claim in result.claims if not claim.holds]
    for claim in missed:
        print(f"error: {claim.what} is {claim.median:.2f} {claim.unit}, not {claim.target}", file=sys.stderr)
    return 1 if missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument(
        "names", nargs="*", choices=[[], *MEASURES], help="measures; all of them without a name"
    )
    parser.add_argument(
        "--rounds", type=int, default=FEWEST, help="turns of each contestant (default: %(default)s)"
    )
    return parser.parse_args()


sys.exit(main())
