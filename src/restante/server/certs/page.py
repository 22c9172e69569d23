"""The page that shows how each system is made to trust this server, with drawn pictures; no script, nothing from elsewhere.

What is tapped where stands in words.en.toml and words.fr.toml. None of it was shown on a device: docs/guides/phones.md.
"""

import base64
import hashlib
import tomllib
from html import escape
from pathlib import Path
from typing import Any

from cryptography import x509

from restante.server.certs.authority import fingerprint

CERTIFICATE = "/restante.crt"
LANGUAGES = ("en", "fr")
SYSTEMS = ("ios", "android", "macos", "windows", "linux")
WORDS: dict[str, dict[str, Any]] = {
    language: tomllib.loads(Path(__file__).with_name(f"words.{language}.toml").read_text("utf-8"))
    for language in LANGUAGES
}
_MARKS = (
    ("ios", ("iPhone", "iPad", "iPod")),
    ("android", ("Android",)),
    ("windows", ("Windows",)),
    ("macos", ("Macintosh",)),
    ("linux", ("Linux",)),
)
STYLE = """
:root{color-scheme:light dark;--ink:#0c1524;--paper:#fffdf8;--line:#b9b2a3;--mark:#ffcc1f;--dim:#5d574b;--card:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#f3efe6;--paper:#0c1524;--line:#4a5468;--dim:#b9b2a3;--card:#15213a}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:17px/1.5 system-ui,sans-serif}
main{max-width:40rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .5rem}
summary{font-size:1.15rem;font-weight:600;padding:.75rem 0;min-height:44px;cursor:pointer}
details{border-top:1px solid var(--line)}
ol{padding:0;list-style:none;counter-reset:step}
li{counter-increment:step;display:flex;flex-wrap:wrap;gap:1rem;padding:.75rem 0}
li p{flex:1 1 14rem;margin:0}
li p::before{content:counter(step) ". ";font-weight:600}
svg{flex:0 0 11rem;width:11rem;height:auto}
a.go{display:inline-block;background:var(--mark);color:#0c1524;font-weight:600;text-decoration:none;padding:.75rem 1.25rem;border-radius:12px;min-height:44px}
a{color:inherit}
a:focus-visible,summary:focus-visible{outline:3px solid currentColor;outline-offset:2px}
code{font:14px/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
small,.dim{color:var(--dim)}
.frame{fill:var(--card);stroke:var(--line)}
.row{fill:none;stroke:var(--line)}
.tap{fill:var(--mark);stroke:#0c1524}
text{fill:var(--ink);font:600 9.5px system-ui,sans-serif}
text.on{fill:#0c1524}
text.title{font-weight:700}
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def language_of(asked: str, accepted: str) -> str:
    """The language that was asked for, or the first one that the browser names and we have."""
    wanted = [asked, *(item.partition(";")[0].strip()[:2].lower() for item in accepted.split(","))]
    return next((language for language in wanted if language in LANGUAGES), LANGUAGES[0])


def system_of(browser: str) -> str:
    """The system that a browser says it runs on; empty when it does not."""
    return next((system for system, marks in _MARKS if any(mark in browser for mark in marks)), "")


def render(certificate: x509.Certificate, address: str, *, language: str, system: str) -> str:
    """The whole page; the steps of the visitor's system are open."""
    words = WORDS[language]
    other = next(each for each in LANGUAGES if each != language)
    steps = "".join(_system(words["system"][each], is_open=each == system) for each in SYSTEMS)
    proof = fingerprint(certificate)
    named = escape(words["go"].format(address=address))
    return f"""<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(words["title"])}</title><style>{STYLE}</style></head><body><main>
<p><a href="/?lang={other}" lang="{other}" hreflang="{other}">{escape(WORDS[other]["self"])}</a></p>
<h1>{escape(words["title"])}</h1><p>{escape(words["why"])}</p>
<p><a class="go" href="{CERTIFICATE}" download="restante.crt">{escape(words["get"])}</a></p>
<p>{escape(words["compare"])}<br><code>{proof}</code></p>
{steps}<h2>{escape(words["then"])}</h2>
<p><a class="go" href="{escape(address)}">{named}</a></p>
<p class="dim">{escape(words["limits"])}</p><p class="dim">{escape(words["remove"])}</p>
</main></body></html>
"""


def _system(words: dict[str, Any], *, is_open: bool) -> str:
    steps = "".join(f"<li><p>{escape(step['text'])}</p>{_picture(step)}</li>" for step in words["steps"])
    return f"<details{' open' if is_open else ''}><summary>{escape(words['name'])}</summary><ol>{steps}</ol></details>\n"


def _picture(step: dict[str, Any]) -> str:
    """A drawn screen: its title, its rows, and the row that is tapped."""
    rows, tapped = step["rows"], step["tap"]
    height = 40 + 26 * len(rows)
    drawn = "".join(_row(text, 30 + 26 * at, is_tapped=at == tapped) for at, text in enumerate(rows))
    return (
        f'<svg viewBox="0 0 180 {height}" role="img" aria-label="{escape(step["screen"])}: {escape(rows[tapped])}">'
        f'<rect class="frame" x="1" y="1" width="178" height="{height - 2}" rx="12"/>'
        f'<text class="title" x="12" y="19">{escape(step["screen"])}</text>{drawn}</svg>'
    )


def _row(text: str, y: int, *, is_tapped: bool) -> str:
    kind, on = ("tap", ' class="on"') if is_tapped else ("row", "")
    return (
        f'<rect class="{kind}" x="8" y="{y}" width="164" height="22" rx="6"/>'
        f'<text{on} x="15" y="{y + 14.5}">{escape(text)}</text>'
    )
