"""`restante audit`."""

from datetime import UTC, datetime

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put_json, put_table, say
from restante.client.deletions import Deletions
from restante.protocol.audit import Line

_WORDS = {"deleted": "taken back", "expired": "expired", "removed": "video removed"}


def audit(*, common: Common = DEFAULT) -> None:
    """Lists what the server noted of deletions, after checking that it changed nothing of what it noted before.

    It proves that the server said so and cannot unsay it, not that no disk holds anything any more.

    Args:
        common: options of every command.
    """
    with using_account(common) as account:
        lines = Deletions(account).all()
    if common.json:
        put_json([_as_json(line) for line in lines])
        return
    rows = [[str(line.seq), _when(line), _WORDS[line.act], line.by or "", line.message] for line in lines]
    put_table([["#", "when", "what", "by", "message"], *rows] if rows else [])
    if not lines:
        say("Nothing was deleted yet.")


def _as_json(line: Line) -> dict[str, object]:
    return {name: getattr(line, name) for name in ("seq", "at", "act", "message", "by", "details")}


def _when(line: Line) -> str:
    return f"{datetime.fromtimestamp(line.at / 1000, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
