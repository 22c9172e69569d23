"""Showing the server once more that it is the account's person, for what could lock its owner out.

>>> show = lambda: verify_by_passphrase(account.session, account.identity.name, passphrase)
>>> verified(lambda: account.session.call("DELETE", "/api/v1/sessions/others"), show)
"""

from collections.abc import Callable

from restante.client.errors import AnswerMalformed, ServerProblem
from restante.client.http import Session
from restante.crypto import passphrase as passphrases
from restante.crypto import recovery
from restante.crypto.kdf import unlock_access
from restante.protocol import wire
from restante.protocol.encoding import b64, unb64

VERIFICATION_NEEDED = "verification-needed"
_PATH = "/api/v1/account/verification"


def verified(work: Callable[[], object], verify: Callable[[], object]) -> None:
    """Does something; when the server first wants to see who asks, shows it, and does it again."""
    try:
        work()
    except ServerProblem as problem:
        if problem.code != VERIFICATION_NEEDED:
            raise
    else:
        return
    verify()
    work()


def verify_by_passphrase(session: Session, name: str, passphrase: str) -> None:
    """Raises ServerProblem ``sign-in-refused``."""
    salt = session.get(f"/api/v1/sign-in/{name}/salt", wire.Salt).salt
    try:
        access = passphrases.passphrase_access(passphrase, salt=unb64(salt))
    except ValueError as error:
        raise AnswerMalformed("a salt") from error
    session.post(_PATH, wire.Verification(type="passphrase", bearer=b64(access.bearer)), wire.Verified)


def verify_by_recovery_code(session: Session, code: str) -> None:
    """Raises RecoveryCodeTypo before anything is sent, ServerProblem ``sign-in-refused``."""
    access = unlock_access(recovery.read_code(code))
    session.post(_PATH, wire.Verification(type="recovery", bearer=b64(access.bearer)), wire.Verified)
