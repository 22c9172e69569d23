"""Watching a name in the log of account records: whether it has a record that its owner did not make.

>>> [seen.state for seen in watch_name(account, account.acct)]
['known']
"""

from dataclasses import dataclass
from typing import Literal

from restante.client.account import Account
from restante.client.key_log import KeyLog
from restante.client.record_chain import Logged, check_chain, fetch_logged
from restante.protocol.names import split_acct
from restante.signing.records import Record
from restante.transparency.entries import entry_of, is_of
from restante.transparency.errors import LogOmission

State = Literal["known", "unknown"]


@dataclass(frozen=True, slots=True)
class LoggedRecord:
    """An entry of the log about one name; ``record`` is None when the server does not show what it stands for."""

    leaf: int
    state: State
    record: Record | None


def watch_name(account: Account, acct: str) -> list[LoggedRecord]:
    """Reads the whole log and judges each entry of a name, in its order.

    ``known`` are the records of the verified chain that the server shows everybody; of one's own name only when this
    account's key signed its last. Raises LogError, SigningError or ServerProblem.
    """
    log = KeyLog(account)
    shown = fetch_logged(account.session, split_acct(acct)[0])
    chain = check_chain([one.record for one in shown], acct)
    entries = log.entries()
    _check_shown(entries, acct, shown)
    is_ours = acct != account.acct or chain[-1].sign in account.me.keys
    known = {entry_of(acct, record.raw): record for record in chain} if is_ours else {}
    return [
        LoggedRecord(leaf, "known" if entry in known else "unknown", known.get(entry))
        for leaf, entry in enumerate(entries)
        if is_of(entry, acct)
    ]


def _check_shown(entries: list[bytes], acct: str, shown: list[Logged]) -> None:
    """What is shown must be logged, too. Raises LogOmission."""
    logged = set(entries)
    if any(entry_of(acct, one.record) not in logged for one in shown):
        raise LogOmission
