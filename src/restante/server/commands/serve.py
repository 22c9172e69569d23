"""`restante serve`: the whole service in one process group, one port, one data folder.

[Note: A light parent] granian's parent only watches; it imports neither the database nor the framework, which the
worker does once. So the worker opens the data folder, greets when it is ready, and says what is wrong when it cannot be.
"""

import os
import sys
from pathlib import Path
from typing import Any, Literal, NoReturn

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.http import HTTP1Settings

from restante.server.certs.store import BadCertificate, Shown, shown
from restante.server.config import BadSettings, Settings, from_environment, hand_over

CERTIFICATE_HINT = "With --tls local a new authority is made when the folder tls in the data folder is away; telephones must then trust anew."
HEADER_BUFFER = 1_114_112
"""Read buffer of a connection: a piece of 1 MiB and its head, so that it comes in one or two reads. It grows only as far as
a client sends ahead of the disk."""


def serve(
    *,
    config: Path | None = None,
    data: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    tls: Literal["off", "local", "files", "acme"] | None = None,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
) -> None:
    """Serves messages from one data folder.

    Args:
        config: TOML file of settings (restante config print); the environment and these options win.
        data: folder of the database and the videos, made when missing (default: ./data).
        host: address to listen on (default: 127.0.0.1).
        port: port to listen on (default: 8080).
        tls: local: HTTPS at once, for the telephones of this network; files: with a certificate of yours; off: plain, the default.
        tls_cert: PEM file of the certificate with its chain.
        tls_key: PEM file of its key.
    """
    if tls == "acme":
        _refuse("restante fetches no certificates itself", "Let Caddy do it: docs/guides/install.md.")
    try:
        settings = from_environment(
            config=config,
            data=data,
            host=host,
            port=port,
            tls=tls,
            tls_cert=str(tls_cert) if tls_cert else None,
            tls_key=str(tls_key) if tls_key else None,
        )
        certificate = shown(settings)
    except BadSettings as error:
        _refuse(str(error), "docs/reference/settings.md lists what can be set.")
    except BadCertificate as error:
        _refuse(str(error), CERTIFICATE_HINT)
    os.umask(0o077)
    hand_over(settings, os.environ)
    _granian(settings, certificate).serve()


def _refuse(text: str, hint: str) -> NoReturn:
    print(f"error: {text}\nhint: {hint}", file=sys.stderr)
    raise SystemExit(2)


def _granian(settings: Settings, certificate: Shown | None) -> Any:
    return Granian(
        "restante.server.app:create",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        loop=Loops.uvloop,
        workers=1,
        backlog=settings.connections,
        backpressure=settings.connections,
        http1_settings=HTTP1Settings(
            header_read_timeout=int(settings.header_timeout_s * 1000), max_buffer_size=HEADER_BUFFER
        ),
        websockets=False,
        log_enabled=False,
        ssl_cert=certificate.certificate if certificate else None,
        ssl_key=certificate.key if certificate else None,
        ssl_protocol_min=SSLProtocols.tls12,
        workers_kill_timeout=max(1, int(settings.drain_s)),
    )
