"""How one is told of news outside of the app: mail, and when nobody is to be disturbed.

>>> ask_notices(account).mail is None
True
"""

from restante.client.account import Account
from restante.protocol.ijson import encode
from restante.protocol.wire_push import Mail, MailCode, Notices, PutMail, Quiet

_PATH = "/api/v1/notices"


def ask_notices(account: Account) -> Notices:
    """Asks how the account is told. Raises ServerProblem or AnswerMalformed."""
    return account.session.get(_PATH, Notices)


def set_mail(account: Account, mail: PutMail | None) -> None:
    """Has a code sent to an address, or ends mail. Raises ServerProblem ``mail-unavailable`` or ``rate-limited``."""
    _put(account, "mail", mail)


def verify_mail(account: Account, code: str) -> Mail:
    """Gives the code back. Raises ServerProblem ``wrong-code``."""
    return account.session.post(f"{_PATH}/mail/verification", MailCode(code), Mail)


def set_quiet(account: Account, quiet: Quiet | None) -> None:
    """Sets the hours in which nobody is disturbed, or ends them. Raises ServerProblem ``invalid``."""
    _put(account, "quiet", quiet)


def _put(account: Account, what: str, value: PutMail | Quiet | None) -> None:
    if value is None:
        account.session.call("DELETE", f"{_PATH}/{what}")
    else:
        account.session.call(
            "PUT", f"{_PATH}/{what}", content=encode(value), headers={"content-type": "application/json"}
        )
