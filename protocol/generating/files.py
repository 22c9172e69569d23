"""details/ and video/: the two files under the message key, and what a co-recipient can make with it."""

from generating import age
from generating.forms import Person, b64, compact, sha256

KEY = age.drawn("message key", 32)
PART = 262_144
_DETAILS = "details.md"
_VIDEO = "video.md, Reading"


def make(vectors):
    _details(vectors)
    _video(vectors)


def _content(**changes):
    video = {"size": 300_000, "part": PART, "sha256": [b64(sha256(b"1")), b64(sha256(b"2"))]}
    video |= {"type": 'video/mp4; codecs="avc1.42E01E,mp4a.40.2"', "ms": 61_000, "w": 1280, "h": 720}
    return {"video": video | changes, "caption": "hello"}


def _details(vectors):
    def add(name, expect, content, *, secret=KEY, kind="video", **keys):
        plaintext = content if isinstance(content, bytes) else compact(content)
        body = age.seal(plaintext, secret, label=f"details {name}")
        keys = {"kind": kind, "sha256": b64(sha256(body)), "key": age.identity_text(KEY)} | keys
        vectors.add(f"details/{name}", expect, _DETAILS, body, **keys)

    poster = {"type": "image/webp", "data": b64(bytes(24_576))}
    add("ok", "success", _content(), caption="hello")
    add("ok-poster", "success", _content() | {"poster": poster}, caption="hello")
    add("ok-text", "success", {"text": "a", "caption": "hello"}, kind="text", caption="hello")
    add("ok-longest", "success", _content(ms=180_050), caption="hello")
    add("ok-pad-and-unknown-keys", "success", _content() | {"later": 1, "pad": "000"}, caption="hello")
    add("swapped", "details-swapped", _content(), sha256=b64(sha256(b"what the sender signed")))
    add("other-key", "details-damaged", _content(), secret=Person("eve").x25519)
    add("too-large", "details-too-large", _content() | {"captions": "x" * 131_072})
    add("not-json", "details-malformed", b"hello")
    add("duplicate-key", "details-malformed", b'{"caption":"a","caption":"b","text":"c"}', kind="text")
    add("kind-without-content", "details-malformed", {"text": "a"})
    add("too-long", "recording-too-long", _content(ms=180_051))
    bad = {
        "part-size": {"part": PART * 2},
        "too-few-parts": {"sha256": [b64(sha256(b"1"))]},
        "too-many-parts": {"sha256": [b64(sha256(b"1"))] * 3},
        "empty": {"size": 0, "sha256": []},
        "larger-than-64-mib": {"size": 2**26 + 1, "sha256": [b64(sha256(b"1"))] * 257},
        "hash-short": {"sha256": [b64(bytes(31))] * 2},
        "type-html": {"type": "text/html"},
        "width-0": {"w": 0},
    }
    for name, changes in bad.items():
        add(f"video-{name}", "details-malformed", _content(**changes))
    posters = {"too-large": poster | {"data": b64(bytes(24_577))}, "svg": poster | {"type": "image/svg+xml"}}
    for name, value in posters.items():
        add(f"poster-{name}", "details-malformed", _content() | {"poster": value})


def _video(vectors):
    """Large files stand once, as bases; a vector names its base and the edits that damage it."""
    mp4 = age.drawn("mp4", 2 * PART + 20_000)
    base = age.seal(mp4, KEY, label="video base")
    forged = age.seal(age.drawn("another mp4", 30_000), KEY, label="video forged")
    vectors.add_raw("video/base.age", base)
    vectors.add_raw("video/forged.age", forged)
    short = age.seal(mp4[:30_000], KEY, label="video short")
    vectors.add_raw("video/short.age", short)
    unended = _unended(mp4)
    vectors.add_raw("video/unended.age", unended)
    _video_cases(
        _VideoCases(vectors, {"base": base, "forged": forged, "short": short, "unended": unended}, mp4)
    )


def _unended(mp4):
    """Two full chunks and no final one, as the sender signed it."""
    whole = age.seal(mp4[: 3 * age.CHUNK], KEY, label="video unended")
    return whole[: -(age.CHUNK + 16)]


class _VideoCases:
    def __init__(self, vectors, bases, mp4):
        self.vectors, self.bases, self.mp4 = vectors, bases, mp4

    def add(self, name, expect, *edits, base="base", signed=None, released=0, key=KEY):
        signed = self.bases[signed or base]
        parts = [signed[start : start + PART] for start in range(0, len(signed), PART)]
        self.vectors.add(
            f"video/{name}",
            expect,
            _VIDEO,
            b"",
            base=f"{base}.age",
            edit=list(edits),
            key=age.identity_text(key),
            size=str(len(signed)),
            part=[b64(sha256(part)) for part in parts],
            released=str(released),
            released_sha256=sha256(self.mp4[:released]).hex(),
        )


def _video_cases(case):
    """``released``: how much plaintext, at most, comes out before the error."""
    whole, last = len(case.mp4), len(case.bases["base"]) - 1
    one, two = 3 * age.CHUNK, 7 * age.CHUNK
    case.add("ok", "success", released=whole)
    case.add("ok-short", "success", base="short", released=30_000)
    case.add("first-part-flipped", "video-part-swapped", "flip 5000")
    case.add("middle-part-flipped", "video-part-swapped", f"flip {PART + 5000}", released=one)
    case.add("last-part-flipped", "video-part-swapped", f"flip {last}", released=two)
    case.add("parts-reordered", "video-part-swapped", "swap 0 1")
    case.add("part-duplicated", "video-part-swapped", "copy 0 1", released=one)
    case.add("last-part-missing", "video-cut-off", f"cut {2 * PART}", released=two)
    case.add("cut-to-nothing", "video-cut-off", "cut 0")
    case.add("cut-in-part", "video-cut-off", f"cut {PART + 1000}", released=one)
    case.add("cut-by-one", "video-cut-off", f"cut {last}", released=two)
    case.add("byte-added", "video-excess", "append 00", released=8 * age.CHUNK)
    case.add("swapped-by-co-recipient", "video-part-swapped", base="forged", signed="short")
    case.add("signed-without-end", "video-cut-off", base="unended", released=2 * age.CHUNK)
    case.add("other-key", "video-damaged", key=age.drawn("another key", 32))
