"""Reporting one received message to the operator, who is then able to open it, and no other.

>>> told = report(account, Mailbox(account).find("1"), reason="spam")
>>> told.id[:4]
'rep_'
"""

from restante.client.account import Account
from restante.client.errors import NotReceived
from restante.client.opened import Item
from restante.protocol import wire_people
from restante.protocol.encoding import b64


def report(
    account: Account, item: Item, *, reason: wire_people.ReportReason, note: str = ""
) -> wire_people.Reported:
    """Discloses the message's signed container, and so its key. Raises NotReceived, why it cannot be opened, or ServerProblem."""
    if item.box != "inbox":
        raise NotReceived
    container = item.require().opened.container
    new = wire_people.NewReport(item.id, reason, b64(container), note)
    return account.session.post("/api/v1/reports", new, wire_people.Reported)
