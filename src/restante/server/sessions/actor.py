"""Who asks: an account by its session. Everything that is guarded takes an Actor."""

from collections.abc import Iterable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from restante.server.errors import Refusal

COOKIE = "__Host-session"


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in account."""

    account_id: int
    name: str
    session_id: str
    client: str


def token_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Reads the bearer token, or else the session cookie. Raises Refusal not-signed-in when there is neither."""
    cookie = b""
    for key, value in headers:
        if key == b"authorization":
            scheme, _, token = value.partition(b" ")
            if scheme.lower() != b"bearer":
                raise Refusal("not-signed-in")
            return token.strip().decode("latin-1")
        if key == b"cookie":
            cookie = value
    try:
        morsel = SimpleCookie(cookie.decode("latin-1")).get(COOKIE)
    except CookieError as error:
        raise Refusal("not-signed-in") from error
    if morsel is None:
        raise Refusal("not-signed-in")
    return morsel.value
