"""`restante storage`."""

import msgspec

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put, put_json, put_table
from restante.client.mine import ask_storage
from restante.protocol.wire_mine import StoredWith

_UNITS = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def storage(*, common: Common = DEFAULT) -> None:
    """Shows what the server stores for you, and with whom: `restante delete` gives room back.

    Args:
        common: options of every command.
    """
    with using_account(common) as account:
        stored = ask_storage(account)
    if common.json:
        put_json(msgspec.to_builtins(stored))
        return
    rows = [["received", *_row(one)] for one in stored.received] + [
        ["sent", *_row(one)] for one in stored.sent
    ]
    put_table([["box", "with", "messages", "size"], *rows])
    put(
        f"received {_size(stored.received_bytes)}, sent {_size(stored.sent_bytes)},"
        f" not sent yet {_size(stored.unsent_bytes)}"
    )


def _row(one: StoredWith) -> list[str]:
    return [one.name, str(one.messages), _size(one.bytes)]


def _size(count: int) -> str:
    for unit, name in _UNITS:
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} bytes"
