"""The peers: how each is started. All keep their files under bench/.work/, as ours does, on the same disk."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from bench.harness.processes import Running, free_port, listens, running

BENCH = Path(__file__).parent.parent
WORK = BENCH / ".work"
PEERS = BENCH / "peers"
PYTHON = WORK / "python" / "bin" / "python"


@contextlib.contextmanager
def data_folder(name: str) -> Iterator[Path]:
    """Makes an empty folder for a server's data; after a failure it stays to be looked at."""
    folder = WORK / "data" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


@contextlib.contextmanager
def tus_python() -> Iterator[Running]:
    port = free_port()
    command: list[str | Path] = [
        PYTHON,
        "-m",
        "uvicorn",
        "tus_python:app",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    command += [
        "--loop",
        "uvloop",
        "--http",
        "httptools",
        "--no-access-log",
        "--timeout-keep-alive",
        "75",
        "--log-level",
        "warning",
    ]
    with data_folder("tus-python") as folder:
        env = {"TUS_FILES": str(folder)}
        with running(command, port=port, log=folder / "log", cwd=PEERS, ready=listens, env=env) as server:
            yield server


@contextlib.contextmanager
def tus_node() -> Iterator[Running]:
    port, home = free_port(), WORK / "node"
    shutil.copy(PEERS / "tus_node.mjs", home)  # packages are sought beside the script
    command = ["node", "tus_node.mjs"]
    with data_folder("tus-node") as folder:
        env = {"TUS_FILES": str(folder / "files"), "TUS_PORT": str(port)}
        with running(command, port=port, log=folder / "log", cwd=home, ready=listens, env=env) as server:
            yield server


_NGINX = """
{user}
daemon off;
worker_processes 1;
error_log {folder}/log warn;
pid {folder}/pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  keepalive_requests 1000000;
  client_max_body_size 128m;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/t1; fastcgi_temp_path {folder}/t2; uwsgi_temp_path {folder}/t3; scgi_temp_path {folder}/t4;
  server {{
    listen 127.0.0.1:{port};
    root {folder}/files;
    location / {{ dav_methods PUT DELETE; }}
  }}
}}
"""


@contextlib.contextmanager
def nginx() -> Iterator[Running]:
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""  # else it becomes nobody, who may not write here
    with data_folder("nginx") as folder:
        (folder / "files").mkdir()
        (folder / "nginx.conf").write_text(_NGINX.format(user=user, folder=folder, port=port))
        command: list[str | Path] = [WORK / "nginx", "-c", folder / "nginx.conf", "-e", folder / "log"]
        with running(command, port=port, log=folder / "out", cwd=folder, ready=listens) as server:
            yield server
