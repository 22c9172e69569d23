"""One's own account as a whole: what is stored with whom, and its end.

>>> stored = ask_storage(account)
>>> stored.received_bytes >= 0
True
"""

from restante.client.account import Account
from restante.protocol.wire_mine import Storage, Unplayed
from restante.protocol.wire_plans import Standing


def ask_storage(account: Account) -> Storage:
    """Asks what is stored for the account, and with whom. Raises ServerProblem or AnswerMalformed."""
    return account.session.get("/api/v1/account/storage", Storage)


def ask_plan(account: Account) -> Standing:
    """Asks what the account may send, and what it used of it. Raises ServerProblem or AnswerMalformed."""
    return account.session.get("/api/v1/account/plan", Standing)


def ask_unplayed(account: Account) -> int:
    """Asks how many messages were not played yet."""
    return account.session.get("/api/v1/inbox/unplayed", Unplayed).count


def delete_account(account: Account) -> None:
    """Deletes the account with everything in it, for good, and forgets it on this device; drafts stay.

    Raises ServerProblem ``verification-needed`` unless the person showed who they are within five minutes.
    """
    account.session.call("DELETE", "/api/v1/account")
    account.profile.leave()
