"""What the server says that it has about the account.

>>> known = ask_known(account)
>>> known.name == account.identity.name
True
>>> next(table.rows for table in known.tables if table.table == "accounts")
1
"""

from restante.client.account import Account
from restante.protocol import wire

_PATH = "/api/v1/account/known"


def ask_known(account: Account) -> wire.Known:
    """Asks for the count of rows, bytes and times, and who wrote to whom. Raises ServerProblem or AnswerMalformed."""
    return account.session.get(_PATH, wire.Known)
