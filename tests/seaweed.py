"""SeaweedFS as the object store of tests: a real one that speaks S3, on loopback, stopped by its process id."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tests.serving import free_port

KEY, SECRET = "tests-of-restante", "not-a-secret-of-anybody"
BUCKET = "blobs"
START_WITHIN_S = 60.0


@dataclass(frozen=True)
class Seaweed:
    """A running one."""

    port: int
    process: subprocess.Popen[bytes]

    def environment(self, *, prefix: str = "", port: int | None = None) -> dict[str, str]:
        """What a server is started with."""
        return {
            "RESTANTE_BLOB_URL": self.url(port=port, prefix=prefix),
            "RESTANTE_BLOB_KEY": KEY,
            "RESTANTE_BLOB_SECRET": SECRET,
        }

    def url(self, *, port: int | None = None, prefix: str = "") -> str:
        """The address for RESTANTE_BLOB_URL; ``port`` of a proxy before it."""
        return f"s3://{BUCKET}{prefix}?endpoint=http://127.0.0.1:{port or self.port}"


def program() -> str:
    """Where `weed` is; `make setup` brings it."""
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    assert found, "SeaweedFS is missing: make setup"
    return found


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Seaweed]:
    """Runs SeaweedFS with an empty bucket in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    names = ("s3.port", "master.port", "volume.port", "filer.port", "admin.port")
    ports = {name: free_port() for name in names}
    arguments = [f"-{name}={port}" for name, port in ports.items()]
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program(),
                "mini",
                f"-dir={folder}",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                "-webdav=false",
                "-admin.ui=false",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                f"-bucket={BUCKET}",
                *arguments,
            ],
            cwd=folder,
            env={**os.environ, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _await(process, ports["s3.port"], folder / "weed.log")
        yield Seaweed(ports["s3.port"], process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # it does not end on SIGTERM for many seconds
        process.wait(10)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=2)
        with contextlib.closing(connection), contextlib.suppress(OSError, HTTPException):
            connection.request("GET", f"/{BUCKET}")
            if connection.getresponse().status in {200, 403}:
                return
        time.sleep(0.1)
    raise AssertionError(f"SeaweedFS did not start:\n{log.read_text(errors='replace')[-2000:]}")
