"""Slow clients hold nothing for long, lose nothing they sent, and are in nobody's way."""

from contextlib import ExitStack
from pathlib import Path

from tests.anomaly import processes
from tests.anomaly.slow import UPLOAD_BYTES, Slow, drip_until, slow_clients
from tests.api.listening import Listener
from tests.api.people import Person, make_account
from tests.api.uploading import create, finished, offset, patch, patch_head, wait_until, wire
from tests.serving import Server, serving

HASTY = {"RESTANTE_HEADER_TIMEOUT_S": "2", "RESTANTE_BODY_TIMEOUT_S": "2"}
EACH = 17
"""Of six kinds: a hundred."""
PATIENT = {"RESTANTE_HEADER_TIMEOUT_S": "60", "RESTANTE_BODY_TIMEOUT_S": "60"}
PIECE = b"h" * 4000
PIECES = 24
"""An honest recording in one request: 16 KB/s for 6 s, three times as long as a body may stall."""
WITHIN_S = 40.0
"""Far beyond what is meant: the machine may be busy."""
CUT_OFF = {"silent": 0, "idle": 0, "head": 0, "json": 408, "dripping": 503, "stalled": 503}
"""What each kind is told: nobody asked anything yet; or in time; or to come back."""


def test_slow_clients_are_cut_off_and_the_others_do_not_notice(tmp_path: Path) -> None:
    """The control: the same clients at the same time, on a server that has more patience."""
    with ExitStack() as stack:
        server = stack.enter_context(serving(tmp_path / "hasty", **HASTY))
        other = stack.enter_context(serving(tmp_path / "patient", **PATIENT))
        ann, base = make_account(server.url), _sockets(server)
        slow, patient = slow_clients(server, stack, EACH), slow_clients(other, stack, 1)
        assert _sockets(server) > base + EACH, "the count sees connections"
        channel = stack.enter_context(Listener(ann))
        recording = _recording(server, stack, ann)
        honest: list[int] = []

        def over() -> bool:
            finished(ann, bytes(UPLOAD_BYTES))  # or it raises
            honest.append(ann.client.get("/api/v1/inbox").status_code)
            recording.drip = PIECE if len(recording.sent) < len(PIECE) * PIECES else b""
            return recording.status != 0 and all(each.closed for each in slow)

        drip_until(over, [*slow, *patient, recording], within_s=WITHIN_S)
        assert recording.status == 204
        assert set(honest) == {200}
        assert not channel.ended.is_set()
        assert {(each.kind, each.status) for each in slow} == set(CUT_OFF.items())
        assert [each.kind for each in patient if each.closed] == []
        _assert_kept(server, slow)
        ann.client.close()
        wait_until(lambda: _sockets(server) <= base + 10, within_s=20)


def _recording(server: Server, stack: ExitStack, person: Person) -> Slow:
    size = len(PIECE) * PIECES
    url = create(person, size)
    line = stack.enter_context(wire(server.port)).start("PATCH", url, *patch_head(person, 0, size))
    return Slow("recording", line, PIECE, (person, url))


def _assert_kept(server: Server, slow: list[Slow]) -> None:
    """What arrived is there, and the upload goes on from it; a second time there would be nothing to drip."""
    for each in slow:
        if each.upload is None:
            continue
        person, url = each.upload
        stood = offset(person, url)
        assert 1 <= stood <= len(each.sent)
        assert each.kind == "dripping" or stood == len(each.sent)
        rest = bytes(UPLOAD_BYTES - stood)
        assert patch(person, url, stood, rest).status_code == 204
        (blob,) = (server.data / "blobs").rglob(url.rpartition("/")[2])
        assert blob.read_bytes() == each.sent[:stood] + rest


def _sockets(server: Server) -> int:
    assert server.process is not None
    return sum(processes.sockets(pid) for pid in processes.group(server.process.pid))
