"""Drives the unmodified tuspy; prints the upload's address at the end.

python tuspy_client.py SCENARIO ENDPOINT TOKEN FILE
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from tusclient.client import TusClient
from tusclient.storage.filestorage import FileStorage

CHUNK_BYTES = 300_000


def main(scenario: str, endpoint: str, token: str, path: str) -> None:
    client = TusClient(endpoint, headers={"Authorization": f"Bearer {token}"})
    options: dict[str, Any] = {"chunk_size": CHUNK_BYTES, "metadata": {"filename": "canary-name.mp4"}}
    if scenario == "whole":
        options["chunk_size"] = Path(path).stat().st_size
    with tempfile.TemporaryDirectory() as folder:
        if scenario == "resumed":
            options |= {"store_url": True, "url_storage": FileStorage(f"{folder}/urls")}
            client.uploader(path, **options).upload(stop_at=3 * CHUNK_BYTES)
        uploader = client.uploader(path, **options)
        assert uploader.offset == (3 * CHUNK_BYTES if scenario == "resumed" else 0)
        uploader.upload()
    print(uploader.url)


main(*sys.argv[1:])
