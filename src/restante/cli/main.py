"""The command `restante`: client commands of this room, and commands that other distributions' extras bring."""

import sys
from importlib.metadata import entry_points

from cyclopts import App

app = App(name="restante", help="Leave a video, it waits for them.")


def _add_found_commands() -> None:
    for found in entry_points(group="restante.commands"):
        app.command(found.load(), name=found.name)


def main() -> None:
    """Runs the command line; exit 0 done, 1 failed, 2 misuse."""
    _add_found_commands()
    app(sys.argv[1:])


if __name__ == "__main__":
    main()
