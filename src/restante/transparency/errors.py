"""What can be wrong with a server's log of account records.

ProtocolError
└── LogError
    ├── LogMissing        log-missing
    ├── LogMalformed      log-malformed
    ├── LogSignatureBad   log-signature
    ├── LogKeyChanged     log-key-changed
    ├── LogRolledBack     log-rollback
    ├── LogForked         log-forked
    ├── LogOmission       log-omission
    ├── LogStranger       log-stranger
    └── LogUnwitnessed    log-unwitnessed
"""

from restante.signing.errors import ProtocolError


class LogError(ProtocolError):
    """The log is not believed, and no new key with it."""

    hint = "No new key is taken from this server: ask who runs it. Once that is cleared up, `restante monitor --start-anew` believes it again."


class LogMissing(LogError):
    code = "log-missing"
    sentence = "The server does not show its log of keys"


class LogMalformed(LogError):
    code = "log-malformed"
    sentence = "The server's log of keys cannot be read"


class LogSignatureBad(LogError):
    code = "log-signature"
    sentence = "The server's log of keys is not signed by its key"


class LogKeyChanged(LogError):
    code = "log-key-changed"
    sentence = "The server's log of keys is signed by another key than before"


class LogRolledBack(LogError):
    code = "log-rollback"
    sentence = "The server's log of keys is shorter than it was"


class LogForked(LogError):
    code = "log-forked"
    sentence = "The server's log of keys is not a continuation of the one seen before"


class LogOmission(LogError):
    code = "log-omission"
    sentence = "An account record is not in the server's log of keys"


class LogStranger(LogError):
    """Nobody knows what the entry stands for, or for whom it was made."""

    code = "log-stranger"
    sentence = "The server's log of keys has a record of this account that is not its own"
    hint = "Somebody may have been shown a false key under this name: compare safety numbers with your contacts, not by this server."


class LogUnwitnessed(LogError):
    code = "log-unwitnessed"
    sentence = "The server's log of keys lacks the signature of a witness that is required here"
    hint = "No new key is taken from this server: ask the witness, and who runs the server. `restante monitor --drop-witness NAME` requires it no longer."
