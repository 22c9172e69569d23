"""What went wrong, in words: `error:` and `hint:` on stderr, and the exit code."""

import os
import sys
from collections.abc import Sequence

from restante.cli.terminal import say
from restante.client.errors import ClientError, Misuse
from restante.media import MediaError
from restante.signing.errors import ProtocolError

FAILED, MISUSED = 1, 2
_OURS = "restante"


class Interrupted(ClientError):
    code = "interrupted"
    sentence = "Interrupted"


class Missing(Misuse):
    """Something that only the person can give was neither given nor can be asked for."""

    code = "missing"
    sentence = "Missing"


def explain(error: BaseException) -> int | None:
    """Says what happened and returns the exit code; None for what nobody expected."""
    match error:
        case ClientError() | ProtocolError() | MediaError():
            return _tell(error, error.hint, MISUSED if isinstance(error, Misuse) else FAILED)
        case KeyboardInterrupt():
            return _tell("Interrupted", "", FAILED)
        case BrokenPipeError():
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED
        case ImportError() if _missing_library(error):
            return _tell("This command needs the extra `server`", "pip install 'restante[server]'", MISUSED)
        case OSError():
            return _tell(_os_sentence(error), "", FAILED)
        case _:
            return None


def misused(sentence: str, tokens: Sequence[str]) -> int:
    """Says what is wrong with a command line."""
    command = next((token for token in tokens if not token.startswith("-")), "")
    asked = f"restante {command} --help" if command.replace("-", "").isalpha() else "restante --help"
    return _tell(sentence, f"{asked} shows how it is used.", MISUSED)


def _tell(sentence: object, hint: str, code: int) -> int:
    text = " ".join(str(sentence).split())
    say(f"error: {text.rstrip('.')}.")
    if hint:
        say(f"hint: {hint}")
    return code


def _missing_library(error: ImportError) -> bool:
    """Tells a library that is not installed from a fault of our own."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ModuleNotFoundError) and not (seen.name or _OURS).startswith(_OURS):
            return True
        seen = seen.__cause__
    return False


def _os_sentence(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason
