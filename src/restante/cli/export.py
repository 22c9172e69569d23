"""`restante export`."""

from pathlib import Path

from restante.cli.failures import FAILED
from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put, put_json, say
from restante.client.export import export as write_all


def export(folder: Path, *, common: Common = DEFAULT) -> int:
    """Writes every message as standard files, which the stock `age` program opens; run again, it goes on.

    Args:
        folder: where to write; made when missing.
        common: options of every command.
    """
    with using_account(common) as account:
        report = write_all(account, folder, tell=lambda item: say(f"writing {item.id}"))
    for item, trouble in report.failed:
        say(f"error: {item.id}: {trouble} ({trouble.code})")
    failed = [{"id": item.id, "code": trouble.code} for item, trouble in report.failed]
    if common.json:
        put_json({"written": report.written, "skipped": report.skipped, "failed": failed})
    else:
        put(f"{report.written} written, {report.skipped} there already, {len(failed)} failed")
    return FAILED if failed else 0
