"""Who asks: an account by its session, or a caller by their call. Everything that is guarded takes one of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from restante.server.errors import Refusal

COOKIE = "__Host-session"


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in account."""

    account_id: int
    name: str
    session_id: str
    client: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody without an account, let in to leave one message for one."""

    account_id: int
    """For whom."""
    call_sha256: bytes


def token_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Reads the bearer token, or else the session cookie. Raises Refusal not-signed-in when there is neither."""
    cookies: list[bytes] = []
    for key, value in headers:
        if key == b"authorization":
            scheme, _, token = value.partition(b" ")
            if scheme.lower() != b"bearer":
                raise Refusal("not-signed-in")
            return token.strip().decode("latin-1")
        if key == b"cookie":
            cookies += value.split(b";")
    return _session_of(cookies)


def bearer_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Reads the secret that a guest or caller shows as a bearer token. Raises Refusal not-found when there is none."""
    for key, value in headers:
        scheme, _, token = value.partition(b" ")
        if key == b"authorization" and scheme.lower() == b"bearer":
            return token.strip().decode("latin-1")
    raise Refusal("not-found")


def _session_of(cookies: list[bytes]) -> str:
    """Finds our cookie by its name alone.

    [Note: Neighbours' cookies] The standard library stops at the first cookie that it dislikes, and on a shared domain
    any neighbour may set such a one.
    """
    for cookie in cookies:
        name, _, value = cookie.strip().partition(b"=")
        if name == COOKIE.encode():
            return value.decode("latin-1")
    raise Refusal("not-signed-in")
