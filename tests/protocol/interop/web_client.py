"""The web client's protocol as a program (web/tests/interop/peer.ts): calls by name, refusals as codes."""

import json
import subprocess

from restante.protocol.encoding import b64, unb64
from tests.building import build_into


class WebRefusal(Exception):
    """The web client refused; ``code`` is the protocol's."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class WebClient:
    """Any number of web clients in one process; ``client.as_("ann").openEnvelope(…)`` calls one of them."""

    def __init__(self, folder):
        build_into(folder, "tests/interop/vite.config.ts")
        self._node = subprocess.Popen(
            ["node", folder / "peer.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def as_(self, who):
        return _Browser(self, who)

    def call(self, who, method, args):
        line = json.dumps({"who": who, "method": method, "args": args}, default=_written)
        self._node.stdin.write(line + "\n")
        self._node.stdin.flush()
        answer = json.loads(self._node.stdout.readline(), object_hook=_read)
        if "code" in answer:
            raise WebRefusal(answer["code"])
        return answer.get("value")

    def close(self):
        self._node.stdin.close()
        self._node.wait(timeout=30)
        self._node.stdout.close()


class _Browser:
    def __init__(self, client, who):
        self._client, self._who = client, who

    def __getattr__(self, method):
        return lambda *args: self._client.call(self._who, method, args)


def _written(value):
    if isinstance(value, bytes | bytearray):
        return {"bytes": b64(bytes(value))}
    raise TypeError(type(value))


def _read(value):
    return unb64(value["bytes"]) if set(value) == {"bytes"} else value
