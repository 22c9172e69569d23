#!/usr/bin/env python3
"""Stands in for Firefox ESR where Playwright starts it, and passes on all that the two say to each other.

[Note: A command that this Firefox does not know] Playwright drives an ordinary Firefox over WebDriver BiDi, but sends each
new context `emulation.setMediaFeaturesOverride`, which came after ESR 153. In its place Firefox is asked, in as many bytes,
how its session is. When Debian's ESR knows the command this file can go.
"""

import asyncio
import json
import re
import sys

FIREFOX = "/usr/bin/firefox-esr"
UNKNOWN = b'"emulation.setMediaFeaturesOverride"'
_LISTENS = re.compile(rb"(WebDriver BiDi listening on ws://127\.0\.0\.1:)(\d+)")
_HOST = re.compile(rb"(?i)(\r\nhost: 127\.0\.0\.1:)\d+")


def known(message: bytes) -> bytes:
    """The same message, or one as long that changes nothing."""
    if UNKNOWN not in message:
        return message
    question = {"id": json.loads(message)["id"], "method": "session.status", "params": {}}
    return json.dumps(question).encode().ljust(len(message))


def masked(payload: bytes, key: bytes) -> bytes:
    """As a client of a WebSocket sends it; done twice, as it was."""
    size = len(payload)
    mask = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")).to_bytes(size, "big")


async def to_firefox(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """The request for a WebSocket, which must name Firefox's own port; then frame after frame."""
    writer.write(_HOST.sub(rb"\g<1>%d" % port, await reader.readuntil(b"\r\n\r\n")))
    while True:
        head = await reader.readexactly(2)
        short = head[1] & 0x7F
        longer = await reader.readexactly({126: 2, 127: 8}.get(short, 0))
        key = await reader.readexactly(4)
        payload = await reader.readexactly(int.from_bytes(longer, "big") if longer else short)
        writer.write(head + longer + key + masked(known(masked(payload, key)), key))
        await writer.drain()


async def to_playwright(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


async def go_between(port: int) -> int:
    """Listens for Playwright on behalf of the Firefox at this port; returns where."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection("127.0.0.1", port)
        ways = [
            asyncio.ensure_future(to_firefox(reader, requests, port)),
            asyncio.ensure_future(to_playwright(answers, writer)),
        ]
        done, rest = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in rest:
            way.cancel()
        for way in done:
            way.exception()  # either side has closed
        requests.close()
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    return int(server.sockets[0].getsockname()[1])


async def main() -> int:
    firefox = await asyncio.create_subprocess_exec(FIREFOX, *sys.argv[1:], stderr=asyncio.subprocess.PIPE)
    assert firefox.stderr
    async for line in firefox.stderr:
        found = _LISTENS.search(line)
        said = found[1] + b"%d\n" % await go_between(int(found[2])) if found else line
        sys.stderr.buffer.write(said)
        sys.stderr.buffer.flush()
    return await firefox.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
