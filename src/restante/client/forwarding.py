"""Passing a received message on, where its sender allowed it.

>>> forward(account, Mailbox(account).find("1"), ["grace"])
['grace@localhost']
"""

from collections.abc import Sequence

from restante.client.account import Account, now_ms
from restante.client.errors import ForwardRefused, NobodyToSendTo
from restante.client.http import JSON
from restante.client.opened import Item
from restante.client.people import People
from restante.crypto.envelopes import Sender, seal_forward
from restante.protocol import ijson
from restante.protocol.encoding import b64
from restante.protocol.limits import FORWARD_RECIPIENTS
from restante.protocol.names import split_acct
from restante.protocol.wire_messages import Forward


def forward(account: Account, item: Item, names: Sequence[str]) -> list[str]:
    """Seals the message for each of them and adds that to it on the server; returns their addresses.

    Who has it already gets nothing more, which nobody is told. Raises ForwardRefused, ClientError or ProtocolError.
    """
    if not names:
        raise NobodyToSendTo
    opened = item.require().opened
    fields = opened.fields
    if item.box != "inbox" or not fields.may_forward or fields.once or opened.original is not None:
        raise ForwardRefused
    records = People(account).recipients(names)
    sender = Sender(account.acct, account.identity.name, account.keyring.signing_key)
    for start in range(0, len(records), FORWARD_RECIPIENTS):
        some = records[start : start + FORWARD_RECIPIENTS]
        sealed = {
            split_acct(record.acct)[0]: b64(
                seal_forward(fields, opened.container, sender, record, now_ms=now_ms())
            )
            for record in some
        }
        path = f"/api/v1/messages/{item.id}/forwards"
        account.session.call("POST", path, content=ijson.encode(Forward(sealed)), headers=JSON)
    return [record.acct for record in records]
