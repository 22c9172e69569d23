"""Makes the vectors in protocol/vectors/ from the text of docs/protocol/ and nothing of Restante's code.

    python protocol/generate.py            writes what is missing or different
    python protocol/generate.py --check    writes nothing, fails when something is

Vectors with a post-quantum stanza are random and are made only when they are missing.
"""

import sys
from pathlib import Path

from generating import (
    account_state,
    aliases,
    containers,
    envelopes,
    files,
    forwards,
    groups,
    logs,
    merges,
    profiles,
    receipts,
    records,
    values,
)
from generating.forms import Vectors

FOLDER = Path(__file__).parent / "vectors"
FAMILIES = (
    values,
    merges,
    containers,
    records,
    aliases,
    envelopes,
    forwards,
    files,
    account_state,
    groups,
    logs,
    receipts,
    profiles,
)


def main():
    vectors = Vectors(FOLDER)
    for family in FAMILIES:
        family.make(vectors)
    stale = [name for name in sorted(vectors.files) if _is_stale(vectors, name)]
    stray = [path for path in _made_files() if path not in vectors.files]
    if "--check" in sys.argv[1:]:
        for name in stale + stray:
            print(f"error: {name} is not what protocol/generate.py makes", file=sys.stderr)
        return 1 if stale or stray else 0
    for name in stale:
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(vectors.files[name])
    for name in stray:
        (FOLDER / name).unlink()
    print(f"{len(vectors.files)} vectors, {len(stale)} written, {len(stray)} removed", file=sys.stderr)
    return 0


def _is_stale(vectors, name):
    path = FOLDER / name
    if not path.exists():
        return True
    return name not in vectors.random and path.read_bytes() != vectors.files[name]


def _made_files():
    """Everything below protocol/vectors/ but the foreign vectors and what people wrote."""
    paths = (path for path in FOLDER.rglob("*") if path.is_file())
    names = (path.relative_to(FOLDER).as_posix() for path in paths)
    return sorted(name for name in names if not name.startswith(("cctv/", ".")) and name != "README.md")


if __name__ == "__main__":
    sys.exit(main())
