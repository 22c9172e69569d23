"""Writes what is generated from the code: the OpenAPI document. With ``--check`` it only compares."""

import json
import sys
import tempfile
from pathlib import Path

from restante.server.app import build_litestar
from restante.server.clock import SystemClock
from restante.server.config import Settings
from restante.server.house import furnish

ROOT = Path(__file__).parent.parent


def openapi() -> str:
    """The HTTP contract, stable from run to run."""
    with tempfile.TemporaryDirectory() as folder:
        house = furnish(Settings(data=Path(folder)), SystemClock())
        document = build_litestar(house).openapi_schema.to_schema()
        house.database.stop()
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Returns 1 when something differs and was only to be checked."""
    wanted = {ROOT / "protocol" / "openapi.json": openapi()}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"error: {path.relative_to(ROOT)} is stale\nhint: make generate", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path])
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
