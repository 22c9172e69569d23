"""One server, spoken to by HTTP: sizes bounded, redirects refused, passing trouble waited out, problems as exceptions.

>>> with Session(server_url) as session:
...     session.get("/api/v1/server", wire.ServerInfo).protocol
[1]
"""

import functools
import ipaddress
import platform
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self, TypeVar

import httpx
import msgspec

from restante import __version__
from restante.client.errors import (
    AnswerMalformed,
    AnswerTooLarge,
    BadServerUrl,
    Misuse,
    PlainHttpRefused,
    Redirected,
    ServerProblem,
    Unreachable,
)
from restante.client.retry import Patience, Retry
from restante.protocol import ijson, wire
from restante.protocol.limits import MIB

T = TypeVar("T")

JSON_ANSWER_BYTES = 8 * MIB
"""Largest JSON answer taken: a page of 100 envelopes is about 4 MiB."""
PROBLEM_BYTES = 64 * 1024
PASSING: Final = frozenset(
    {"locked", "busy", "timeout", "storage-full", "rate-limited", "idempotency-in-flight"}
)
"""Problems that go away by themselves."""
_PASSING_STATUS = frozenset({408, 423, 429, 502, 503, 504, 507})
_CONNECT_S, _PATIENCE_S, _READ_S = 10.0, 30.0, 60.0


@functools.cache
def _trust() -> ssl.SSLContext:
    """Which certificates count. Reading them takes longer than most requests, so they are read once."""
    return httpx.create_ssl_context()


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer with a status below 300, or 304."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def decode(self, shape: type[T]) -> T:
        """Reads the body as strict JSON. Raises AnswerMalformed."""
        try:
            return ijson.decode(self.body, shape)
        except ijson.BadJson as error:
            raise AnswerMalformed(str(error)) from error


class Session:
    """A connection to one server; ``token`` is sent with every request once it is set. Threads may share it."""

    def __init__(self, url: str, *, token: str = "", retry: Retry | None = None) -> None:
        self.url = checked_url(url)
        self.token = token
        self.retry = retry or Retry()
        # A proxy named in the environment must not see what plain http carries to this very machine.
        self._http = httpx.Client(
            base_url=self.url,
            follow_redirects=False,
            trust_env=self.url.startswith("https:"),
            verify=_trust(),
            headers={
                "user-agent": f"restante/{__version__} ({platform.system().lower()})",
                "accept-encoding": "identity",
            },
        )
        self._elsewhere: httpx.Client | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections, also under a request of another thread."""
        self._http.close()
        if self._elsewhere is not None:
            self._elsewhere.close()

    @contextmanager
    def closed_on_error(self) -> Iterator[None]:
        """Closes the connections when what follows fails, since nobody would hold them then."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    def get(self, path: str, shape: type[T], **query: str) -> T:
        """Gets JSON of a known shape."""
        return self.call("GET", path, query=query).decode(shape)

    def post(self, path: str, body: object, shape: type[T]) -> T:
        """Posts JSON, once: whoever repeats it must know that this is harmless."""
        return self.call_once("POST", path, content=ijson.encode(body), headers=JSON).decode(shape)

    def call(
        self,
        method: str,
        path: str,
        *,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        limit: int = JSON_ANSWER_BYTES,
        retry: Retry | None = None,
    ) -> Answer:
        """Makes a request that may be repeated. Raises ServerProblem, Unreachable or ServerUnbelievable."""
        patience = Patience(retry or self.retry)
        while True:
            try:
                return self.call_once(
                    method, path, content=content, headers=headers, query=query, limit=limit
                )
            except Unreachable:
                if not patience.wait():
                    raise
            except ServerProblem as problem:
                if not is_passing(problem) or not patience.wait(retry_after_s=retry_after_s(problem)):
                    raise

    def call_once(
        self,
        method: str,
        path: str,
        *,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        limit: int = JSON_ANSWER_BYTES,
    ) -> Answer:
        """Makes a request a single time; raises as ``call`` does."""
        with self.stream(method, path, content=content, headers=headers, query=query) as response:
            return answer_of(response, limit)

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        *,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        read_timeout_s: float = _READ_S,
    ) -> Iterator[httpx.Response]:
        """Makes a request and gives the answer to be read; what breaks while reading is Unreachable, too."""
        timeout = httpx.Timeout(_PATIENCE_S, connect=_CONNECT_S, read=read_timeout_s)
        authorised = {**(headers or {}), **({"authorization": f"Bearer {self.token}"} if self.token else {})}
        try:
            with self._http.stream(
                method,
                path,
                content=content or None,
                headers=authorised,
                params=query or None,
                timeout=timeout,
            ) as response:
                _check(response)
                yield response
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise Unreachable(_reason(error)) from error

    @contextmanager
    def elsewhere(self, url: str, *, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Gets from an address that the server named, which may be another host: without token, cookie or redirect.

        Plain http only on this very machine, and only where the server itself is. Raises as ``stream`` does.
        """
        _check_elsewhere(url, named_by=self.url)
        if self._elsewhere is None:
            # The same certificates count as for the server; what says who asks stays away.
            self._elsewhere = httpx.Client(
                follow_redirects=False,
                trust_env=self.url.startswith("https:"),
                verify=_trust(),
                headers={"user-agent": "restante", "accept-encoding": "identity"},
            )
        timeout = httpx.Timeout(_PATIENCE_S, connect=_CONNECT_S, read=_READ_S)
        try:
            with self._elsewhere.stream("GET", url, headers=dict(headers), timeout=timeout) as response:
                _check(response)
                yield response
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise Unreachable(_reason(error)) from error


def _check_elsewhere(url: str, *, named_by: str) -> None:
    try:
        origin = checked_url(str(httpx.URL(url).copy_with(path="/", query=None, fragment=None)))
    except (httpx.InvalidURL, Misuse) as error:
        raise AnswerMalformed("an address that is none") from error
    if origin.startswith("http:") and not named_by.startswith("http:"):
        raise AnswerMalformed("an address without https")


def answer_of(response: httpx.Response, limit: int = JSON_ANSWER_BYTES) -> Answer:
    """Reads an answer whole. Raises AnswerTooLarge."""
    return Answer(response.status_code, response.headers, _read(response, limit))


JSON: Final = {"content-type": "application/json"}
OCTETS: Final = {"content-type": "application/octet-stream"}


def checked_url(url: str) -> str:
    """Returns scheme, host and port of a server. Raises BadServerUrl or PlainHttpRefused."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError) as error:
        raise BadServerUrl(url) from error
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.path not in ("", "/"):
        raise BadServerUrl(url)
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise BadServerUrl(parsed.host)
    if parsed.scheme == "http" and not is_loopback(parsed.host):
        raise PlainHttpRefused(parsed.host)
    return str(parsed.copy_with(path="/")).rstrip("/")


def is_loopback(host: str) -> bool:
    """Tells whether the host is this machine by its own name or number; no name is looked up."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_passing(problem: ServerProblem) -> bool:
    """Tells whether the same request may succeed a little later."""
    return problem.code in PASSING or (problem.code == "" and problem.status in _PASSING_STATUS)


def retry_after_s(problem: ServerProblem) -> float:
    """Returns how long the server asks to wait."""
    return float(problem.problem.retry_after or 0)


def _check(response: httpx.Response) -> None:
    status = response.status_code
    if response.headers.get("content-encoding", "identity") != "identity":
        raise AnswerMalformed("compressed, though nobody asked for it")
    if status == httpx.codes.NOT_MODIFIED or httpx.codes.is_success(status):
        return
    if httpx.codes.is_redirect(status):
        raise Redirected
    raise ServerProblem(_problem(response))


def _problem(response: httpx.Response) -> wire.Problem:
    """Reads the problem; a proxy's own error page becomes one without a code."""
    body = b"" if response.request.method == "HEAD" else _read(response, PROBLEM_BYTES)
    try:
        problem = ijson.decode(body, wire.Problem)
    except ijson.BadJson:
        title = f"The server answers {response.status_code}"
        problem = wire.Problem(type="", title=title, status=response.status_code, code="", instance="")
    asked = response.headers.get("retry-after", "")
    if problem.retry_after is None and asked.isdigit():
        return msgspec.structs.replace(problem, retry_after=min(int(asked[:9]), 86_400))
    return problem


def _read(response: httpx.Response, limit: int) -> bytes:
    pieces, size = [], 0
    for piece in response.iter_bytes():
        size += len(piece)
        if size > limit:
            raise AnswerTooLarge
        pieces.append(piece)
    return b"".join(pieces)


def _reason(error: Exception) -> str:
    words: dict[type[Exception], str] = {
        httpx.ConnectError: "no connection",
        httpx.ConnectTimeout: "no connection in time",
        httpx.ReadTimeout: "no answer in time",
        httpx.WriteTimeout: "it takes nothing",
    }
    return words.get(type(error), "the connection broke")
