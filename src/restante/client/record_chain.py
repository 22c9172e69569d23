"""Account records as the server tells them: the whole history, each link of it checked.

>>> [record.rev for record in fetch_chain(account.session, "grace", "grace@localhost")]
[1]
"""

from dataclasses import dataclass
from itertools import pairwise

from restante.client.errors import AnswerMalformed
from restante.client.http import Session
from restante.protocol import wire
from restante.protocol.encoding import unb64
from restante.protocol.names import is_name
from restante.signing import records
from restante.signing.errors import RecordChainBroken, RecordOtherAccount
from restante.signing.records import Record


@dataclass(frozen=True, slots=True)
class Logged:
    """A record, and where the server says that it stands in its log."""

    record: bytes
    leaf: int


def fetch_logged(session: Session, name: str) -> list[Logged]:
    """Gets an account's records, oldest first, unverified. Raises ServerProblem ``no-such-account``."""
    if not is_name(name):
        raise ValueError("not a name")
    answer = session.get(f"/api/v1/accounts/{name}/records", wire.Records)
    try:
        return [Logged(unb64(item.record), item.leaf) for item in answer.items]
    except ValueError as error:
        raise AnswerMalformed("an account record") from error


def fetch_history(session: Session, name: str) -> list[bytes]:
    """Gets the records alone."""
    return [one.record for one in fetch_logged(session, name)]


def check_chain(history: list[bytes], acct: str) -> list[Record]:
    """Checks every record and every step from the first on. Raises SigningError."""
    if not history:
        raise RecordChainBroken
    chain = [records.check_first(history[0])]
    chain += [records.check_successor(old, new) for old, new in pairwise(history)]
    if chain[0].acct != acct:
        raise RecordOtherAccount
    return chain


def fetch_chain(session: Session, name: str, acct: str) -> list[Record]:
    """Gets and checks an account's records, oldest first."""
    return check_chain(fetch_history(session, name), acct)
