"""Writes what is generated: the OpenAPI document, the client's table of errors, the file of settings to begin with.

With ``--check`` it only compares.
"""

import importlib
import inspect
import json
import re
import sys
import tempfile
import textwrap
from pathlib import Path

from restante.protocol.limits import MIB
from restante.server.app import build_litestar
from restante.server.clock import SystemClock
from restante.server.commands.config import DEFAULTS
from restante.server.config import PREFIX, Settings
from restante.server.house import furnish

ROOT = Path(__file__).parent.parent
ERRORS = ROOT / "docs" / "reference" / "errors.md"
SETTINGS = ROOT / "docs" / "reference" / "settings.md"
CLIENT_HEADING = "## Refusals of the client\n"
CLIENT_ROOMS = {
    "restante.client.errors": "Command line and library",
    "restante.client.web_errors": "The web app of a server",
    "restante.media.errors": "Video files",
    "restante.crypto.errors": "Messages, keyrings, state",
    "restante.signing.errors": "Containers and account records",
    "restante.transparency.errors": "The log of account records",
}


def openapi() -> str:
    """The HTTP contract, stable from run to run."""
    with tempfile.TemporaryDirectory() as folder:
        house = furnish(Settings(data=Path(folder)), SystemClock())
        document = build_litestar(house).openapi_schema.to_schema()
        house.database.stop()
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def default_toml() -> str:
    """The file of settings to begin with: every default, commented out, under what the reference page says of it."""
    rows = re.findall(
        rf"^\| `{PREFIX}([A-Z_]+)`[^|]*\| [^|]+ \| (.+) \|$", SETTINGS.read_text(), re.MULTILINE
    )
    fresh = Settings()
    lines = [
        "# Settings of Restante. The environment (RESTANTE_PORT …) wins over this file, and options over both.",
        "# `restante config check` reads it as the server would. Secrets may stand in files of their own: smtp_url_file.",
    ]
    for name, meaning in rows:
        field = name.lower()
        if field not in Settings.__struct_fields__ or field == "failpoint":
            continue
        plain = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", meaning).replace("`", "").replace("\\", "")
        lines += ["", *(f"# {line}" for line in textwrap.wrap(plain, 110))]
        lines.append(f"# {field} = {_toml(field, getattr(fresh, field))}")
    return "\n".join(lines) + "\n"


def _toml(field: str, value: object) -> str:
    if field.endswith("_bytes") and isinstance(value, int) and value % MIB == 0:
        return json.dumps(f"{value // MIB}M")
    return json.dumps(
        list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value
    )


def errors() -> str:
    """The page of errors with its second half anew: what the command line says as `error:` and `hint:`."""
    head = ERRORS.read_text().partition(CLIENT_HEADING)[0].rstrip()
    intro = "`restante` says them as `error:` and `hint:`; with `--json` the code stands in the answer. Made by `make generate`."
    return "\n".join([head, "", CLIENT_HEADING, intro, *map(_table, CLIENT_ROOMS)]).rstrip() + "\n"


def _table(module: str) -> str:
    found = inspect.getmembers(importlib.import_module(module), inspect.isclass)
    rows = {
        vars(kind)["code"]: f"| `{vars(kind)['code']}` | {_cell(kind, 'sentence')} | {_cell(kind, 'hint')} |"
        for _, kind in found
        if kind.__module__ == module and isinstance(vars(kind).get("code"), str)
    }
    lines = [rows[code] for code in sorted(rows)]
    return "\n".join(
        ["", f"### {CLIENT_ROOMS[module]}", "| code | says | way out |", "| --- | --- | --- |", *lines]
    )


def _cell(kind: type, name: str) -> str:
    return str(getattr(kind, name, "")).replace("|", "\\|")


def main() -> int:
    """Returns 1 when something differs and was only to be checked."""
    wanted = {ROOT / "protocol" / "openapi.json": openapi(), ERRORS: errors(), DEFAULTS: default_toml()}
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
