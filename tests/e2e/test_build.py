"""What the build made: small at first, without a foreign policy, each part compressed."""

import json
import re
from pathlib import Path

import pytest

FIRST_LOAD_BYTES = 160 * 1000
"""Brotli, all scripts that the first page imports."""


OPEN = ("src/routes/Page.svelte", "src/routes/Guest.svelte")
"""What somebody without an account sees first: an answering page, a link."""
HOME = ("src/routes/Inbox.svelte", "src/routes/Record.svelte")
"""What comes after the welcome for everybody else."""


def first_scripts(webapp: Path, *parts: str) -> set[str]:
    """The entry, these parts, and what they import statically, as Vite's manifest has it."""
    manifest = json.loads((webapp / ".vite" / "manifest.json").read_text())
    (entry,) = [name for name, part in manifest.items() if part.get("isEntry")]
    seen: set[str] = set()
    ahead = [entry, *parts]
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead += manifest[name].get("imports", [])
    return {manifest[name]["file"] for name in seen}


@pytest.mark.parametrize(
    "parts", [(), *((part,) for part in OPEN + HOME)], ids=lambda parts: "".join(parts) or "first"
)
def test_the_first_page_loads_little_script(webapp: Path, parts: tuple[str, ...]):
    files = first_scripts(webapp, *parts)
    assert len(files) >= 1
    sizes = {
        file: min(
            (webapp / (file + end)).stat().st_size for end in (".br", "") if (webapp / (file + end)).exists()
        )
        for file in files
    }
    assert sum(sizes.values()) <= FIRST_LOAD_BYTES, sizes
    text = "".join((webapp / file).read_text() for file in files)
    assert "aac" not in text.lower() or "inlineWorker" not in text, "the AAC encoder loads when it is needed"


def test_svelte_makes_no_policy_of_its_own(webapp: Path):
    scripts = list(webapp.rglob("*.js"))
    assert scripts
    assert [path.name for path in scripts if "svelte-trusted-html" in path.read_text()] == []


def test_the_licence_of_each_package_inside_is_told(webapp: Path):
    text = (webapp / "licenses.md").read_text()
    assert re.search(r"^## svelte [0-9.]+ \(MIT\)$", text, re.MULTILINE)
    if list((webapp / "workers").glob("take-*.js")):
        assert re.search(r"^## @mediabunny/aac-encoder [0-9.]+ \(MPL-2.0\)$", text, re.MULTILINE)


def test_every_worker_has_a_room_that_the_server_knows(webapp: Path):
    names = {path.name.partition("-")[0] for path in (webapp / "workers").glob("*.js")}
    assert names <= {"crypto", "take", "media", "chunk"}


def test_large_texts_have_compressed_copies(webapp: Path):
    texts = [path for path in webapp.rglob("*") if path.suffix in {".js", ".css", ".html"}]
    large = [path for path in texts if path.stat().st_size >= 1024]
    assert large
    assert [path.name for path in large for end in (".br", ".gz") if not Path(f"{path}{end}").exists()] == []
