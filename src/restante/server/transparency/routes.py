"""The log, as the static files of https://c2sp.org/tlog-tiles: for everyone, cacheable, without accounts."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from restante.server.errors import Refusal
from restante.server.transparency.service import Transparency
from restante.server.transparency.witnesses import Witnesses
from restante.transparency.tiles import read_path

_TEXT = "text/plain"
_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}


@get("/tlog/key", media_type=_TEXT, include_in_schema=False, sync_to_thread=False)
def log_key(transparency: NamedDependency[Transparency]) -> Response[str]:
    """Returns the key that verifies checkpoints, as a line of text."""
    return Response(transparency.key + "\n", media_type=_TEXT, headers={"cache-control": "no-cache"})


@get("/tlog/checkpoint", media_type=_TEXT, include_in_schema=False)
async def log_checkpoint(witnesses: NamedDependency[Witnesses]) -> Response[bytes]:
    """Returns the newest checkpoint, signed, and with what the witnesses signed."""
    note = await witnesses.checkpoint()
    return Response(note, media_type=_TEXT, headers={"cache-control": "no-cache"})


@get("/tlog/witnesses", media_type=_TEXT, include_in_schema=False, sync_to_thread=False)
def log_witnesses(witnesses: NamedDependency[Witnesses]) -> Response[str]:
    """Returns the keys of the witnesses that this server asks, one on each line."""
    lines = "".join(f"{key}\n" for key in witnesses.keys)
    return Response(lines, media_type=_TEXT, headers={"cache-control": "no-cache"})


@get("/tlog/tile/{rest:path}", media_type="application/octet-stream", include_in_schema=False)
async def log_tile(transparency: NamedDependency[Transparency], rest: FromPath[str]) -> Response[bytes]:
    """Returns a tile or a bundle of entries; what it holds never changes."""
    tile = read_path(f"tile/{rest.removeprefix('/')}")
    if tile is None:
        raise Refusal("not-found")
    data = await transparency.tile(tile)
    return Response(data, media_type="application/octet-stream", headers=_FOR_EVER)


ROUTES: list[HTTPRouteHandler] = [log_key, log_checkpoint, log_witnesses, log_tile]
