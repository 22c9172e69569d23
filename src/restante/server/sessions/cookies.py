"""The session cookie of the web: `__Host-` ties it to this origin, HttpOnly to no script, Lax to our own pages."""

from litestar import Response
from litestar.datastructures import Cookie

from restante.server.sessions.actor import COOKIE
from restante.server.sessions.service import NewSession

COOKIE_S = 400 * 24 * 3600
"""As long as browsers keep one; the server's 90 days unused rule long before."""
CLEAR = '"cache"'
"""[Note: What sign-out clears] Not "cookies": it would sign out of every neighbour under the same registrable domain.
Not "storage": a take that was never sent lives there, and losing one is the worst that can happen to its maker."""


def session_cookie(session: NewSession) -> Cookie:
    """The cookie that carries the token of a new session."""
    return _cookie(session.token, COOKIE_S)


def signed_out() -> Response[None]:
    """The answer to a sign-out: nothing, and the browser forgets the session."""
    return Response(None, status_code=204, cookies=[_cookie("", 0)], headers={"clear-site-data": CLEAR})


def _cookie(value: str, max_age_s: int) -> Cookie:
    return Cookie(
        key=COOKIE, value=value, max_age=max_age_s, path="/", secure=True, httponly=True, samesite="lax"
    )
