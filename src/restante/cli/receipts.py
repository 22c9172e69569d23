"""`restante receipts`."""

from typing import Literal

from restante.cli.options import DEFAULT, Common, using_account
from restante.cli.terminal import put, put_json
from restante.client.receipts import choice, choose


def receipts(chosen: Literal["signed", "plain", "off"] | None = None, *, common: Common = DEFAULT) -> None:
    """Shows or chooses what senders learn when you fetched or played a message.

    Args:
        chosen: signed: you sign that you did; plain: the server says so; off: they are told nothing. The server knows in any case.
        common: options of every command.
    """
    with using_account(common) as account:
        if chosen is not None:
            choose(account, chosen)
        now = chosen or choice(account)
    if common.json:
        put_json({"receipts": now})
    else:
        put(now)
