"""Showing the server once more that it is the account's person: changes of the signing key and of ways in need it.

>>> verify_by_passphrase(account, passphrase)
"""

from restante.client.account import Account
from restante.client.errors import AnswerMalformed
from restante.crypto import passphrase as passphrases
from restante.crypto import recovery
from restante.crypto.kdf import unlock_access
from restante.protocol import wire
from restante.protocol.encoding import b64, unb64

_PATH = "/api/v1/account/verification"


def verify_by_passphrase(account: Account, passphrase: str) -> None:
    """Raises ServerProblem ``sign-in-refused``."""
    salt = account.session.get(f"/api/v1/sign-in/{account.identity.name}/salt", wire.Salt).salt
    try:
        access = passphrases.passphrase_access(passphrase, salt=unb64(salt))
    except ValueError as error:
        raise AnswerMalformed("a salt") from error
    account.session.post(
        _PATH, wire.Verification(type="passphrase", bearer=b64(access.bearer)), wire.Verified
    )


def verify_by_recovery_code(account: Account, code: str) -> None:
    """Raises RecoveryCodeTypo before anything is sent, ServerProblem ``sign-in-refused``."""
    access = unlock_access(recovery.read_code(code))
    account.session.post(_PATH, wire.Verification(type="recovery", bearer=b64(access.bearer)), wire.Verified)
