"""`python -m bench.scale [--sizes N …] [--channels N] [--rounds N] [--weigh]`: a large installation, and a full house; writes bench/scale.md.

Ten minutes with the sizes that stand here. `--postgresql FOLDER` measures PostgreSQL instead, up to 20 million messages of a million
accounts, and writes bench/scale_postgresql.md. What it has filled stays in the folder, 31 GB; `--fill` does no more than that.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.scale.channels import Weight, weigh
from bench.scale.ground import Embedded, OnPostgres, kept_cluster
from bench.scale.growth import FLAT, Place, at, grow, ratio

PAGE = Path(__file__).parent.parent / "scale.md"
PAGE_POSTGRESQL = PAGE.with_name("scale_postgresql.md")
SIZES = (10_000, 100_000, 1_000_000)
SIZES_POSTGRESQL = (10_000, 1_000_000, 20_000_000)
MEMORY, GROWN = "## Memory and channels", "## What a person waits for, by how much others have stored"
IDLE_MIB, FULL_MIB, REST = 150.0, 600.0, 0.10


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.scale", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+")
    parser.add_argument("--channels", type=int, default=10_000)
    parser.add_argument(
        "--weigh", action="store_true", help="memory and channels only, in the page that is there"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postgresql", type=Path, metavar="FOLDER")
    parser.add_argument("--fill", action="store_true", help="fill the databases of PostgreSQL, and end")
    options = parser.parse_args()
    if options.weigh:
        text = weighed_anew(PAGE.read_text(), weigh(options.channels))
        PAGE.write_text(text)
    elif options.postgresql:
        text = on_postgres(options.postgresql, options.sizes or SIZES_POSTGRESQL, options)
    else:
        weight = weigh(options.channels)
        _tell(f"{weight}")
        places = grow({size: Embedded() for size in options.sizes or SIZES}, options.rounds, _tell)
        text = page(weight, places, options.rounds)
        PAGE.write_text(text)
    print(text)
    return 1 if "missed" in text else 0


def on_postgres(folder: Path, sizes: Sequence[int], options: argparse.Namespace) -> str:
    with kept_cluster(folder) as cluster:
        grounds = {size: OnPostgres(cluster, f"scale_{size}") for size in sizes}
        if options.fill:
            for size, ground in grounds.items():
                took, size_bytes = ground.fill(None, size)
                _tell(f"{size} messages in {took:.0f} s, {size_bytes / 1e6:.0f} MB")
            return ""
        text = page_on_postgres(grow(grounds, options.rounds, _tell), options.rounds)
    PAGE_POSTGRESQL.write_text(text)
    return text


def page(weight: Weight, places: Sequence[Place], rounds: int) -> str:
    return "\n".join(
        [
            "# A large installation",
            "",
            *_written("python -m bench.scale"),
            "",
            *_weighed(weight),
            *_grown(places, rounds),
        ]
    )


def weighed_anew(text: str, weight: Weight) -> str:
    """The page with that part made anew."""
    before, rest = text.split(MEMORY, 1)
    return before + "\n".join(_weighed(weight)) + "\n" + GROWN + rest.split(GROWN, 1)[1]


def _weighed(weight: Weight) -> list[str]:
    return [
        MEMORY,
        "| what | figure | target |  |",
        "| --- | --- | --- | --- |",
        f"| idle server, MiB | {weight.idle_mib:.0f} | ≤ {IDLE_MIB:.0f} | {_verdict(weight.idle_mib <= IDLE_MIB)} |",
        f"| the same, pages that parent and worker share counted twice, MiB | {weight.idle_sum_mib:.0f} | | |",
        f"| {weight.channels:,} open channels, MiB | {weight.full_mib:.0f} | ≤ {FULL_MIB:.0f} | {_verdict(weight.full_mib <= FULL_MIB)} |",
        f"| {weight.channels:,} open channels at rest, % of a core | {weight.rest_cores * 100:.0f} | ≤ {REST * 100:.0f} | {_verdict(weight.rest_cores <= REST)} |",
        f"| each open channel, KiB | {weight.channel_kib:.1f} | | |",
        f"| CPU of each channel at rest, µs/s | {weight.rest_cores / weight.channels * 1e6:.1f} | | |",
        f"| CPU of a page of the inbox, ms | {weight.page_ms:.2f} | | |",
        f"| database of a message, bytes | {weight.message_bytes:.0f} | | |",
        "",
        "Memory is what the worker has resident and what its parent has for itself. A message of the last line is one with a poster, for one recipient: 20,000 bytes of details and",
        "two envelopes of 6,000, with rows, events and indexes.",
        "",
    ]


def page_on_postgres(places: Sequence[Place], rounds: int) -> str:
    return "\n".join(
        [
            "# A large installation on PostgreSQL",
            "",
            *_written("python -m bench.scale --postgresql FOLDER"),
            "One PostgreSQL, a database for each size, with 2 GB of shared buffers and what the page cache keeps of the rest.",
            "",
            *_grown(places, rounds),
        ]
    )


def _written(command: str) -> list[str]:
    return [
        f"Written by `{command}` on {datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores that server and client share, load {os.getloadavg()[0]:.1f} at the end. How to read it:",
        "[docs/concepts/capacity.md](../docs/concepts/capacity.md).",
    ]


def _grown(places: Sequence[Place], rounds: int) -> list[str]:
    smallest = places[0]
    rows = [
        f"| {name} | {place.messages:,} | {at(place, name, 0.5):.1f} | {at(place, name, 0.99):.1f} |"
        f" {ratio(place, smallest, name):.2f} x | {_verdict(ratio(place, smallest, name) <= FLAT)} |"
        for name in smallest.waited_ms
        for place in places
    ]
    sizes = [
        f"| {place.messages:,} | {place.messages // 20:,} | {place.bytes / 1e6:,.0f} | {place.fill_s:.0f} |"
        for place in places
    ]
    return [
        GROWN,
        f"{rounds} rounds, the servers in turns; each of them has one person with 100 messages who is measured. The ratio is to the smallest, in the median of the",
        f"rounds; target ≤ {FLAT} x. With Python's client, from the first byte to the decoded answer.",
        "",
        "| what | messages | p50 ms | p99 ms | against the smallest |  |",
        "| --- | --- | --- | --- | --- | --- |",
        *rows,
        "",
        "| messages | accounts | database, MB | filled in, s |",
        "| --- | --- | --- | --- |",
        *sizes,
        "",
        "Rows only: details and envelopes are as small as they come, since finding a row is what is measured.",
        "",
    ]


def _verdict(holds: object) -> str:
    return "holds" if holds else "**missed**"


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


raise SystemExit(main())
