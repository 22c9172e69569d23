"""Matrix Synapse as its manual starts it, SQLite, rate limits off; and the steps of one message in its client protocol."""

import contextlib
import hashlib
import hmac
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench.harness.films import Film
from bench.harness.http import Connection, Unexpected
from bench.harness.processes import Running, free_port, listens, running
from bench.peers.servers import PYTHON, data_folder

SECRET = "bench"
_CLIENT = "/_matrix/client/v3"
UPLOAD, MEDIA = "/_matrix/media/v3/upload?filename=video", "/_matrix/client/v1/media/download/"
_NO_LIMIT = {"per_second": 1e6, "burst_count": 1_000_000}
_LIMITS = {
    "rc_message": (),
    "rc_registration": (),
    "rc_registration_token_validity": (),
    "rc_login": ("address", "account", "failed_attempts"),
    "rc_joins": ("local", "remote"),
    "rc_joins_per_room": (),
    "rc_invites": ("per_room", "per_user", "per_issuer"),
    "rc_media_create": (),
    "rc_room_creation": (),
}
_NOTHING = {"not_types": ["*"]}
_FILTER = {
    "presence": _NOTHING,
    "account_data": _NOTHING,
    "room": {
        "ephemeral": _NOTHING,
        "account_data": _NOTHING,
        "state": {"lazy_load_members": True},
        "timeline": {"types": ["m.room.message"]},
    },
}
"""What a frugal client asks of /sync."""


@contextlib.contextmanager
def synapse() -> Iterator[Running]:
    port = free_port()
    with data_folder("synapse") as folder:
        config = folder / "homeserver.yaml"
        config.write_text(json.dumps(_settings(folder, port)))
        (folder / "log.yaml").write_text(json.dumps({"version": 1, "root": {"level": "ERROR"}}))
        command: list[str | Path] = [PYTHON, "-m", "synapse.app.homeserver", "-c", config]
        subprocess.run([*command, "--generate-keys"], cwd=folder, check=True, capture_output=True)
        with running(command, port=port, log=folder / "log", cwd=folder, ready=listens) as server:
            yield server


def _settings(folder: Path, port: int) -> dict[str, object]:
    """The configuration; Synapse reads YAML, of which JSON is a part."""
    listener = {
        "port": port,
        "type": "http",
        "bind_addresses": ["127.0.0.1"],
        "resources": [{"names": ["client", "media"], "compress": False}],
    }
    limits = {key: dict.fromkeys(parts, _NO_LIMIT) if parts else _NO_LIMIT for key, parts in _LIMITS.items()}
    return limits | {
        "server_name": "peer.test",
        "listeners": [listener],
        "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
        "media_store_path": str(folder / "media"),
        "signing_key_path": str(folder / "signing.key"),
        "log_config": str(folder / "log.yaml"),
        "registration_shared_secret": SECRET,
        "macaroon_secret_key": SECRET,
        "form_secret": SECRET,
        "max_upload_size": "64M",
        "presence": {"enabled": False},
        "report_stats": False,
        "trusted_key_servers": [],
    }


class Account:
    """A registered account: one connection to ask, one on which /sync waits."""

    def __init__(self, port: int, name: str) -> None:
        self.connection, self._waiting = Connection(port), Connection(port)
        self.auth = {"Authorization": f"Bearer {_register(self.connection, name)}"}
        self.user = f"@{name}:peer.test"
        made = self.call("POST", f"{_CLIENT}/user/{quote(self.user)}/filter", _FILTER)
        self._sync = f"{_CLIENT}/sync?filter={made['filter_id']}"
        self._since = self.call("GET", f"{self._sync}&timeout=0")["next_batch"]

    def close(self) -> None:
        self.connection.close()
        self._waiting.close()

    def moved(self) -> int:
        """Bytes to and from the server."""
        both = (self.connection, self._waiting)
        return sum(one.sent + one.received for one in both)

    def call(self, method: str, target: str, content: object = None) -> dict[str, Any]:
        body = b"" if content is None else json.dumps(content).encode()
        answer = self.connection.ask(method, target, self.auth, body).expect(200)
        return dict(json.loads(answer.body))

    def listen(self) -> None:
        """Asks /sync to answer when something happens."""
        target = f"{self._sync}&timeout=30000&since={self._since}"
        self._waiting.post("GET", target, self.auth)

    def await_event(self, event: str) -> dict[str, Any]:
        """Waits until /sync tells the event, asking again after other news; ``listen`` first."""
        while True:
            news = json.loads(self._waiting.answer("GET").expect(200).body)
            self._since = news["next_batch"]
            for room in news.get("rooms", {}).get("join", {}).values():
                for told in room["timeline"]["events"]:
                    if told["event_id"] == event:
                        return dict(told)
            self.listen()


class Pair:
    """Two people in a room of their own."""

    def __init__(self, port: int, number: int) -> None:
        self.sender, self._recipient = Account(port, f"ann{number}"), Account(port, f"bob{number}")
        room = {"preset": "private_chat", "invite": [self._recipient.user]}
        self._room = quote(self.sender.call("POST", f"{_CLIENT}/createRoom", room)["room_id"])
        self._recipient.call("POST", f"{_CLIENT}/join/{self._room}", {})
        self._transaction = 0

    def close(self) -> None:
        self.sender.close()
        self._recipient.close()

    def moved(self) -> tuple[int, int]:
        """Bytes to and from the server, and elsewhere."""
        return self.sender.moved() + self._recipient.moved(), 0

    def exchange(self, video: Film) -> None:
        """One message: upload the open file, tell the room, be told, download it."""
        self._recipient.listen()
        headers = {**self.sender.auth, "Content-Type": "application/octet-stream"}
        uploaded = self.sender.connection.send_file(
            "POST", UPLOAD, headers, video, start=0, count=video.size
        ).expect(200)
        self._transaction += 1
        content = {"msgtype": "m.video", "body": "video", "url": json.loads(uploaded.body)["content_uri"]}
        target = f"{_CLIENT}/rooms/{self._room}/send/m.room.message/{self._transaction}"
        event = self.sender.call("PUT", target, content)["event_id"]
        told = self._recipient.await_event(event)
        media = told["content"]["url"].removeprefix("mxc://")
        got = self._recipient.connection.ask("GET", MEDIA + media, self._recipient.auth, drop=True).expect(
            200
        )
        if got.size != video.size:
            raise Unexpected(f"{got.size} bytes of {video.size}")


def _register(connection: Connection, name: str) -> str:
    """Registers by the shared secret, as Synapse's `register_new_matrix_user` does, and returns the access token."""
    target = "/_synapse/admin/v1/register"
    nonce = json.loads(connection.ask("GET", target, {}).expect(200).body)["nonce"]
    words = (nonce, name, SECRET, "notadmin")
    mac = hmac.new(SECRET.encode(), "\0".join(words).encode(), hashlib.sha1).hexdigest()
    content = {"nonce": nonce, "username": name, "password": SECRET, "admin": False, "mac": mac}
    answer = connection.ask("POST", target, {}, json.dumps(content).encode()).expect(200)
    return str(json.loads(answer.body)["access_token"])
