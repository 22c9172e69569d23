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
    └── LogUnwitnessed    log-unwitnessed
"""

from restante.signing.errors import ProtocolError


class LogError(ProtocolError):
    """The log is not believed, and no new key with it."""

    hint = "Nothing new of this server is trusted for now. Compare safety numbers with the person, and ask who runs the server."


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


class LogUnwitnessed(LogError):
    code = "log-unwitnessed"
    sentence = "The server's log of keys lacks the signature of a witness that is required here"
