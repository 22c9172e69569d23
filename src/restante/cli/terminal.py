"""The terminal: data to stdout, words for people to stderr, secrets typed without echo."""

import getpass
import json
import sys
from collections.abc import Iterable, Sequence


def say(text: str) -> None:
    """Says something to the person."""
    print(text, file=sys.stderr, flush=True)


def put(text: str) -> None:
    """Writes a line of data."""
    print(text, flush=True)


def put_json(value: object) -> None:
    """Writes data for machines: indented, every character as it is."""
    put(json.dumps(value, ensure_ascii=False, indent=2))


def put_json_line(value: object) -> None:
    """Writes one object of a stream, on one line."""
    put(json.dumps(value, ensure_ascii=False))


def put_table(rows: Sequence[Sequence[str]]) -> None:
    """Writes rows in aligned columns; the last column is as long as it is."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)] if rows else []
    for row in rows:
        put("  ".join([*_padded(row, widths), row[-1]]).rstrip())


def can_ask() -> bool:
    """Tells whether there is somebody to ask."""
    return sys.stdin.isatty()


def ask_secret(prompt: str) -> str:
    """Asks without echo."""
    return getpass.getpass(f"{prompt}: ", stream=sys.stderr)


def ask(prompt: str) -> str:
    """Asks for a word."""
    print(f"{prompt}: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def _padded(row: Sequence[str], widths: Iterable[int]) -> list[str]:
    return [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
