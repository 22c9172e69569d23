"""Budgets of the web client's sources; the order of its rooms is dependency-cruiser's business (`make check-web`)."""

import json
import re
from pathlib import Path

from tests.shape.source import ROOT

WEB = ROOT / "web"
GENERATED = {"src/protocol/api.ts"}


def sources(*suffixes: str) -> dict[str, str]:
    """Text by path below web/."""
    files = (path for part in ("src", "tests", "plugins") for path in (WEB / part).rglob("*"))
    ours = (path for path in files if path.suffix in suffixes and "i18n" not in path.relative_to(WEB).parts)
    named = {path.relative_to(WEB).as_posix(): path for path in ours}
    return {name: path.read_text() for name, path in named.items() if name not in GENERATED}


def too_long(texts: dict[str, str], limit: int) -> dict[str, int]:
    return {name: lines for name, text in texts.items() if (lines := len(text.splitlines())) > limit}


def test_no_component_is_longer_than_150_lines():
    assert too_long(sources(".svelte"), 150) == {}


def test_no_file_is_longer_than_500_lines():
    assert too_long(sources(".ts", ".css"), 500) == {}


def test_no_component_has_a_static_style_attribute():
    """Each is a breach of the page's policy, though Chromium paints it; `style:name={value}` is none."""
    found = {
        name: re.findall(r"\sstyle=[\"'][^{\"']*[\"']", text) for name, text in sources(".svelte").items()
    }
    assert {name: styles for name, styles in found.items() if styles} == {}


def test_no_component_sets_markup_from_a_string():
    assert [name for name, text in sources(".svelte").items() if "{@html" in text] == []


def test_one_module_makes_the_trusted_types_policy():
    makers = [name for name, text in sources(".ts", ".svelte").items() if "createPolicy(" in text]
    assert [name for name in makers if name.startswith("src/")] == ["src/protocol/trusted.ts"]


def test_no_module_is_called_utils():
    bad = {"utils", "util", "helpers", "common", "misc"}
    assert [name for name in sources(".ts", ".svelte") if Path(name).name.split(".")[0] in bad] == []


def test_no_test_is_skipped_or_alone():
    pattern = re.compile(r"\b(?:test|it|describe)\.(?:only|skip|todo|fails)\b")
    assert [name for name, text in sources(".ts").items() if pattern.search(text)] == []


def test_both_languages_say_the_same():
    english, french = (
        json.loads((WEB / "messages" / f"{locale}.json").read_text()) for locale in ("en", "fr")
    )
    assert set(english) == set(french)
    holes = {
        name: (re.findall(r"\{(\w+)\}", str(english[name])), re.findall(r"\{(\w+)\}", str(french[name])))
        for name in english
    }
    assert {name: both for name, both in holes.items() if set(both[0]) != set(both[1])} == {}
    assert {name for name in english if name != "$schema" and not (english[name] and french[name])} == set()
