"""What the capacity model takes from committed figures. No number stands twice: they are read from the pages that benches write."""

import re
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

PAGES = Path(__file__).parent.parent
LIVE_UPLOADS, LIVE_BYTES_S, LIVE_PIECE = 200, 250_000, 262_144
"""What the measure `live` does: uploads at once, bytes a second of each, bytes of a request."""
JOB_BYTES = 5_000_000
"""Bytes of a message of the measure `jobs`."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one server process with the embedded engines, durability `power`, and of what it costs more with PostgreSQL and S3."""

    up_s_per_byte: float
    """CPU of a byte received."""
    piece_s: float
    """CPU of a PATCH beside its bytes, when it comes by itself, as while recording."""
    down_s_per_byte: float
    exchange_s: float
    """CPU of everything else about one message: creation, send, hint, inbox, details, mark."""
    minute_bytes: float
    """Weight of a minute of video as the web client records it."""
    ack_s: float
    """Median time until a piece is acknowledged, and what of it is no CPU: the flush."""
    idle_bytes: float
    upload_bytes: float
    """Memory of an upload under way."""
    channel_bytes: float
    channel_s: float
    """CPU a second of an open live channel on which nothing happens."""
    visit_request_s: float
    """CPU of one request of a visit: a page of the inbox or what is like it."""
    row_bytes: float
    """Database of one message for one recipient, indexes included."""
    write_s: float
    """CPU of the node for a transaction on PostgreSQL, beside what it costs embedded."""
    put_s: float
    """CPU of the node for a piece to S3, beside its transaction."""
    database_piece_s: float
    """CPU of PostgreSQL for a piece: its offset moves."""
    database_exchange_s: float
    """CPU of PostgreSQL for an exchange, its one piece included."""
    put_wait_s: float
    """Median time until a piece is acknowledged that goes to S3."""
    bucket_share: float
    """Of a video's bytes, what no longer passes the nodes when clients read from the bucket."""

    @property
    def flush_s(self) -> float:
        return max(0.0, self.ack_s - self.piece_s)


def costs() -> Costs:
    """Reads them; raises LookupError when a page has lost a figure."""
    whole = figure("results.md", "Upload in one request", "restante", "CPU s/GB") / 1e9
    pieces = figure("results.md", "Upload in pieces", "restante, power", "CPU s/GB") / 1e9
    down = figure("results.md", "Download by range", "restante, 4", "CPU s/GB") / 1e9
    load = figure("results.md", "200 live uploads", "restante, power", "% of a core") / 100
    peak = figure("results.md", "200 live uploads", "restante, power", "peak MiB") * 2**20
    job = figure("results.md", "The whole job", "restante", "CPU s/message")
    idle = figure("scale.md", "Memory and channels", "idle server, MiB", "figure") * 2**20
    rate = LIVE_UPLOADS * LIVE_BYTES_S
    return Costs(
        up_s_per_byte=whole,
        piece_s=(load - rate * whole) / (rate / LIVE_PIECE),
        down_s_per_byte=down,
        exchange_s=job - JOB_BYTES * (pieces + down),
        minute_bytes=figure("results.md", "The web client", "weight of three minutes", "median") * 1e6 / 3,
        ack_s=figure("results.md", "200 live uploads", "restante, power", "p50 ms") / 1000,
        idle_bytes=idle,
        upload_bytes=max(0.0, peak - idle) / LIVE_UPLOADS,
        channel_bytes=figure("scale.md", "Memory and channels", "each open channel, KiB", "figure") * 1024,
        channel_s=figure("scale.md", "Memory and channels", "CPU of each channel at rest, µs/s", "figure")
        / 1e6,
        visit_request_s=figure("scale.md", "Memory and channels", "CPU of a page of the inbox, ms", "figure")
        / 1000,
        row_bytes=figure("scale.md", "Memory and channels", "database of a message, bytes", "figure"),
        write_s=_engines("CPU of a node for a transaction, more than embedded, ms") / 1000,
        put_s=_engines("CPU of a node for an object in the store, ms") / 1000,
        database_piece_s=_engines("CPU of PostgreSQL for a piece, ms") / 1000,
        database_exchange_s=_engines("CPU of PostgreSQL for an exchange, ms") / 1000,
        put_wait_s=_engines("until a piece is acknowledged, median, ms") / 1000,
        bucket_share=1
        - figure(
            "results.md",
            "What a message-minute costs",
            "watched from the bucket: bytes by the node",
            "median",
        )
        / 100,
    )


def _engines(row: str) -> float:
    return figure("agreement_two_nodes.md", "What the engines cost", row, "figure")


def figure(page: str, section: str, row: str, column: str) -> float:
    """A number in a table of a committed page; ``section`` is how its heading begins."""
    for heading, *lines in _tables(page).get(_section(page, section), []):
        for line in lines:
            if line[0] == row and column in heading:
                found = re.match(r"[-\d.,]+", line[heading.index(column)])
                if found:
                    return float(found[0].replace(",", ""))
    raise LookupError(f"{page} has no figure {column!r} of {row!r} under {section!r}")


def _section(page: str, beginning: str) -> str:
    return next((title for title in _tables(page) if title.startswith(beginning)), "")


@cache
def _tables(page: str) -> dict[str, list[list[list[str]]]]:
    """Tables by heading of their section, each a list of rows of cells, the table's own heading first."""
    found: dict[str, list[list[list[str]]]] = {}
    title, open_table = "", False
    for line in (PAGES / page).read_text().splitlines():
        if line.startswith("## "):
            title = line[3:]
        if line.startswith("|"):
            if not open_table:
                found.setdefault(title, []).append([])
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if not set("".join(cells)) <= set("- "):
                found[title][-1].append(cells)
        open_table = line.startswith("|")
    return found


def listed(of: Costs) -> list[tuple[str, float]]:
    """Each parameter with its value."""
    return [(field.name, getattr(of, field.name)) for field in fields(of)]
