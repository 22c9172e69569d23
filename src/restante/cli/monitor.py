"""`restante monitor`."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put_json, put_json_line, put_table, say
from restante.client.account import Account
from restante.client.key_log import drop_witness as stop_requiring
from restante.client.key_log import forget_log, require_witness
from restante.client.monitoring import LoggedRecord, watch_name
from restante.client.people import People
from restante.transparency.errors import LogStranger


def monitor(
    name: str | None = None,
    *,
    every: Annotated[float | None, Parameter(validator=Number(gt=0))] = None,
    start_anew: Annotated[bool, Parameter(negative="")] = False,
    witness: str | None = None,
    drop_witness: str | None = None,
    common: Common = DEFAULT,
) -> None:
    """Reads the server's log of account records and tells of every record of a name that is not its own.

    Args:
        name: whose records; your own when left away.
        every: stays, and looks again after so many minutes.
        start_anew: believes the log as it is now, after it was refused and you asked who runs the server.
        witness: verifier key of a witness, who must have signed what this device believes of the log from now on.
        drop_witness: name of a witness whose signature is required no longer.
        common: options of every command.
    """
    with using_account(common) as account:
        acct = People(account).acct_of(name) if name else account.acct
        if start_anew:
            forget_log(account.profile)
        if drop_witness is not None:
            stop_requiring(account.profile, drop_witness)
        if witness is not None:
            require_witness(account.profile, witness)
        if every is None:
            found = watch_name(account, acct)
            _put(found, as_json=common.json)
            _judge(found, acct)
            return
        _stay(account, acct, every_s=every * 60, as_json=common.json)


def _stay(account: Account, acct: str, *, every_s: float, as_json: bool) -> None:
    """Shows what is new each time, and ends at the first record that is not known."""
    shown = 0
    while True:
        found = watch_name(account, acct)
        for one in found[shown:]:
            if as_json:
                put_json_line(_as_json(one))
            else:
                put_table([_row(one)])
        shown = len(found)
        _judge(found, acct)
        time.sleep(every_s)


def _judge(found: list[LoggedRecord], acct: str) -> None:
    strangers = [one for one in found if one.state == "unknown"]
    if strangers:
        raise LogStranger(f"{acct}, entry {strangers[0].leaf}")


def _put(found: list[LoggedRecord], *, as_json: bool) -> None:
    if as_json:
        put_json([_as_json(one) for one in found])
        return
    put_table([["entry", "record", "made", "state"], *map(_row, found)])
    say(f"{len(found)} in the log." if found else "The log has nothing of this name.")


def _as_json(one: LoggedRecord) -> dict[str, Any]:
    record = one.record
    return {
        "entry": one.leaf,
        "rev": record.rev if record else None,
        "created_at": record.fields.created if record else None,
        "state": one.state,
    }


def _row(one: LoggedRecord) -> list[str]:
    record = one.record
    made = f"{datetime.fromtimestamp(record.fields.created / 1000, UTC):%Y-%m-%d}" if record else ""
    return [str(one.leaf), str(record.rev) if record else "?", made, one.state]
