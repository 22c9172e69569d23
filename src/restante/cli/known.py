"""`restante known`."""

from datetime import UTC, datetime

import msgspec

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put, put_json, put_table, say
from restante.client.known import ask_known
from restante.protocol import wire


def known(*, common: Common = DEFAULT) -> None:
    """Shows what the server has about this account, by its own count: rows, bytes, times, and who wrote to whom.

    Args:
        common: options of every command.
    """
    with using_account(common) as account:
        told = ask_known(account)
    if common.json:
        put_json(msgspec.to_builtins(told))
        return
    _show(told)


def _show(told: wire.Known) -> None:
    put_table([["what", "rows", "bytes", "first", "last"], *map(_table_row, told.tables)])
    if told.peers:
        put("")
        put_table([["who", "you sent", "they sent", "bytes", "first", "last"], *map(_peer_row, told.peers)])
    say("Not in it: what is in your videos, lines and notes, your keys, your contacts, network addresses.")


def _table_row(table: wire.KnownTable) -> list[str]:
    times = [_day(table.first_at), _day(table.last_at)]
    return [table.table, str(table.rows), str(table.bytes), *times]


def _peer_row(peer: wire.KnownPeer) -> list[str]:
    counts = [str(peer.sent), str(peer.received), str(peer.bytes)]
    return [peer.name, *counts, _day(peer.first_at), _day(peer.last_at)]


def _day(at: int | None) -> str:
    return "" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC).astimezone():%Y-%m-%d %H:%M}"
