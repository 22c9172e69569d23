"""`restante config`: is what the server would read right, and what could be set."""

import os
import sys
from pathlib import Path

from cyclopts import App

from restante.server.config import SECRETS, BadSettings, Settings, from_environment

DEFAULTS = Path(__file__).parent.parent / "default.toml"
"""Every setting with its meaning, made by `make generate` from docs/reference/settings.md."""

config = App(name="config", help="Checks the settings of a server, and shows all there are.")


@config.command
def check(*, config: Path | None = None) -> int:
    """Reads the settings as `restante serve` would, and shows those that are not the defaults.

    Args:
        config: TOML file of settings (default: RESTANTE_CONFIG, or none).
    """
    try:
        settings = from_environment(os.environ, config=config)
    except BadSettings as error:
        print(f"error: {error}\nhint: restante config print shows all settings.", file=sys.stderr)
        return 2
    fresh = Settings()
    for field in Settings.__struct_fields__:
        value = getattr(settings, field)
        if value != getattr(fresh, field):
            print(f"{field} = {'(set)' if field in SECRETS else value}")
    print("The settings are fine.", file=sys.stderr)
    return 0


@config.command(name="print")
def show() -> None:
    """Prints a file of settings with every default, commented out, to begin with."""
    sys.stdout.write(DEFAULTS.read_text("utf-8"))
