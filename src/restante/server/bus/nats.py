"""Hints by NATS: one subject for each installation, at most once, and nothing is stored."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import ConnectionClosedError, Error, NoServersError, StaleConnectionError

from restante.server.bus.wire import Hear, Lost

JOIN_WITHIN_S = 5.0
_PING_S = 5
_CLOSE_WITHIN_S = 1.0
_OPTIONS = {"ca", "cert", "key"}


@dataclass(frozen=True, slots=True)
class Address:
    """`nats://user:password@one:4222,two:4222`, or `tls://…?ca=FILE&cert=FILE&key=FILE`; a name alone is a token."""

    servers: tuple[str, ...]
    user: str = ""
    password: str = field(default="", repr=False)
    is_private: bool = False
    ca: str = ""
    cert: str = ""
    key: str = ""

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Raises ValueError with the end of a sentence that begins with the setting."""
        parts = urlsplit(url)
        credentials, _, hosts = parts.netloc.rpartition("@")
        user, _, password = credentials.partition(":")
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if parts.scheme not in {"nats", "tls"} or not hosts or parts.path.strip("/") or parts.fragment:
            raise ValueError("is no address such as nats://user:password@bus.example:4222")
        if unknown := sorted(set(options) - _OPTIONS):
            raise ValueError(f"has {unknown[0]}, and only ca, cert and key may follow the address")
        if options and parts.scheme != "tls":
            raise ValueError("names files of certificates, and is no tls:// address")
        servers = tuple(f"nats://{host}" for host in hosts.split(","))
        return cls(servers, unquote(user), unquote(password), parts.scheme == "tls", **options)

    def context(self) -> ssl.SSLContext:
        """Raises OSError for a file that is not what it should be."""
        context = ssl.create_default_context(cafile=self.ca or None)
        if self.cert:
            context.load_cert_chain(self.cert, self.key or None)
        return context


class NatsWire:
    """Opens lines to whichever of the servers answers."""

    kind = "NATS"

    def __init__(self, address: Address, subject: str) -> None:
        self._address = address
        self._subject = subject
        self.place = ", ".join(server.removeprefix("nats://") for server in address.servers)

    async def join(self, hear: Hear) -> "NatsLine":
        """See Wire."""
        line = NatsLine(Client(), self._subject)
        try:
            async with asyncio.timeout(JOIN_WITHIN_S):
                await self._connect(line)
                await line.listen(hear)
        except (OSError, Error, Lost) as error:
            await line.close()
            raise Lost(line.why or _said(error)) from error
        return line

    async def _connect(self, line: "NatsLine") -> None:
        address, client = self._address, line.client

        def shown(secret: str) -> Callable[[], str]:
            def show() -> str:
                self._check_private(client)
                return secret

            return show

        await client.connect(
            list(address.servers),
            name="restante",
            tls=address.context() if address.is_private else None,
            user=shown(address.user) if address.password else None,
            password=shown(address.password) if address.password else None,
            token=shown(address.user) if address.user and not address.password else None,
            # Coming back is the bus's, for every wire alike.
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=2,
            ping_interval=_PING_S,
            error_cb=line.heard_of,
            closed_cb=line.ended,
        )
        self._check_private(client)

    def _check_private(self, client: Client) -> None:
        """[Note: Asked for, not offered] The library encrypts when the server asks it to. Whoever writes tls:// wants it from whoever answers."""
        if self._address.is_private and not client._server_info.get("tls_required"):  # noqa: SLF001 - said nowhere else
            raise Lost("it offers no TLS, and the address begins with tls://")


class NatsLine:
    """A connection and its subscription."""

    def __init__(self, client: Client, subject: str) -> None:
        self.client = client
        self.why = ""
        self._subject = subject
        self._gone = asyncio.Event()

    async def listen(self, hear: Hear) -> None:
        """Returns when the server has taken the subscription."""

        async def heard(message: Msg) -> None:
            hear(message.data)

        await self.client.subscribe(self._subject, cb=heard)
        await self.client.flush()
        if not self.client.is_connected:
            raise ConnectionClosedError

    async def say(self, word: bytes) -> None:
        """See Line."""
        try:
            await self.client.publish(self._subject, word)
        except (OSError, Error) as error:
            raise Lost(_said(error)) from error

    async def gone(self) -> None:
        """See Line."""
        await self._gone.wait()

    async def close(self) -> None:
        """See Line."""
        # One that never came about has half of what is closed, or waits for a TLS that is not there.
        with suppress(Exception):
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await self.client.close()
        below = getattr(self.client._transport, "_bare_io_writer", None)  # noqa: SLF001 - closed nowhere else
        if below is not None:  # the socket under a TLS that failed
            below.transport.abort()
            await asyncio.sleep(0)

    async def heard_of(self, error: Exception) -> None:
        """Notes what the library says went wrong; what ends the connection is told by ``ended``."""
        self.why = _said(error)

    async def ended(self) -> None:
        """Notes that the connection is over."""
        self._gone.set()


def _said(error: BaseException) -> str:
    if isinstance(error, NoServersError | ConnectionRefusedError | TimeoutError):
        return "nobody answers"
    if isinstance(error, ConnectionError | ConnectionClosedError | StaleConnectionError):
        return "it hangs up, as for a wrong user or password"
    return str(error).removeprefix("nats: ").strip("'") or type(error).__name__
