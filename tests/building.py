"""What Vite builds for tests: once for all workers, and again when a source has changed."""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.serving import ROOT

WEB = ROOT / "web"
_SOURCES = ("src", "tests", "plugins", "messages", "gallery.html", "package-lock.json")
_MADE = WEB / "src" / "i18n"


def build_into(folder: Path, config: str) -> Path:
    """Puts into the folder what a configuration below ``web/`` makes."""
    kept = ROOT / ".dev" / "built" / config.replace("/", "-")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{kept}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp, told = _stamp(), Path(f"{kept}.stamp")
        if not told.exists() or told.read_text() != stamp:
            _build(kept, config)
            told.write_text(stamp)
        shutil.copytree(kept, folder, dirs_exist_ok=True)
    return folder


def _stamp() -> str:
    """Names the state of all sources."""
    found = (path for name in _SOURCES for path in [WEB / name, *(WEB / name).rglob("*")])
    files = sorted(path for path in found if path.is_file() and _MADE not in path.parents)
    contents = (f"{path}\n".encode() + path.read_bytes() for path in files)
    return hashlib.sha256(b"".join(contents)).hexdigest()


def _build(folder: Path, config: str) -> None:
    vite = [WEB / "node_modules/.bin/vite", "build", "-c", config, "--logLevel", "error"]
    subprocess.run([*vite, "--outDir", folder, "--emptyOutDir"], cwd=WEB, check=True, timeout=180)
