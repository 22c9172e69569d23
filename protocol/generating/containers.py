"""container/: the form, the type line, strict Ed25519, strict JSON; each file is read as a container of kind envelope."""

from generating.forms import Person, b64, compact, container

L = 2**252 + 27742317777372353535851937790883648493
P = 2**255 - 19
ENVELOPE = "restante/1 envelope"
_FORM = "conventions.md, Signed container"
_JSON = "conventions.md, JSON"
_KEYS = "conventions.md, Ed25519"


def make(vectors):
    ann = Person("ann")
    good = container(ENVELOPE, {"greeting": "hello"}, ann)
    _good(vectors, ann, good)
    _form(vectors, good)
    _signatures(vectors, ann, good)
    _keys(vectors, ann)
    _json(vectors, ann)


def _good(vectors, ann, good):
    vectors.add("container/ok-signed", "success", _FORM, good, signer=ann.sign)
    vectors.add(
        "container/ok-unsigned", "success", _FORM, container(ENVELOPE, {"greeting": "hello"}), signer="-"
    )
    vectors.add(
        "container/ok-not-canonical-json",
        "success",
        _FORM,
        container(ENVELOPE, b'{ "b" : 1,\n "a":2 , "later": [[]] }\n', ann),
        signer=ann.sign,
        comment="the exact bytes are signed; line feeds and unknown keys in the payload are allowed",
    )


def _form(vectors, good):
    kind, signer, signature, payload = good.split(b"\n", 3)
    cut = {
        "empty": b"",
        "type-only": kind,
        "three-lines": b"\n".join((kind, signer, signature)),
        "crlf": good.replace(b"\n", b"\r\n"),
        "byte-order-mark": b"\xef\xbb\xbf" + good,
        "leading-line": b"\n" + good,
        "signer-without-signature": b"\n".join((kind, signer, b"-", payload)),
        "signature-without-signer": b"\n".join((kind, b"-", signature, payload)),
        "signature-padded": b"\n".join((kind, signer, signature + b"==", payload)),
        "signature-short": b"\n".join((kind, signer, signature[:-4], payload)),
        "type-upper-case": b"\n".join((b"restante/1 Envelope", signer, signature, payload)),
        "type-of-others": b"\n".join((b"elsewhere/1 envelope", signer, signature, payload)),
    }
    for name, body in cut.items():
        vectors.add(f"container/form-{name}", "container-malformed", _FORM, body)
    for name, other in {"kind": b"restante/1 parcel", "version": b"restante/2 envelope"}.items():
        body = good.replace(kind, other, 1)
        vectors.add(f"container/type-unknown-{name}", "needs-newer-version", _FORM, body)
    for other in ("account", "keyring", "state", "succession", "alias", "receipt", "profile"):
        body = container(f"restante/1 {other}", {"greeting": "hello"}, Person("ann"))
        vectors.add(f"container/type-{other}", "container-type", _FORM, body)


def _signatures(vectors, ann, good):
    kind, signer, signature, payload = good.split(b"\n", 3)
    raw = ann.key.sign(b"\x00".join((kind, signer, payload)))
    flipped = bytes([raw[0] ^ 1]) + raw[1:]
    larger = raw[:32] + (int.from_bytes(raw[32:], "little") + L).to_bytes(32, "little")
    other = Person("bob")
    bad = {
        "flipped": (signer, b64(flipped).encode(), payload),
        "s-not-reduced": (signer, b64(larger).encode(), payload),
        "payload-changed": (signer, signature, payload.replace(b"hello", b"hullo")),
        "payload-longer": (signer, signature, payload + b"\n"),
        "other-signer": (other.sign.encode(), signature, payload),
        "over-payload-alone": (signer, b64(ann.key.sign(payload)).encode(), payload),
        "other-type": (signer, _over(ann, b"restante/1 state", signer, payload), payload),
        "without-signer": (signer, b64(ann.key.sign(kind + b"\x00" + payload)).encode(), payload),
    }
    for name, lines in bad.items():
        vectors.add(f"container/signature-{name}", "signature-bad", _FORM, b"\n".join((kind, *lines)))


def _over(person, kind, signer, payload):
    return b64(person.key.sign(b"\x00".join((kind, signer, payload)))).encode()


def _keys(vectors, ann):
    """A signature of zeros fits every message under a key of order 1 where small orders are let in."""
    order_8 = int.from_bytes(
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
    )
    sign_bit = 2**255
    keys = {
        "order-1": 1,
        "order-2": P - 1,
        "order-4": 0,
        "order-4-negative": sign_bit,
        "order-8": order_8,
        "order-8-negative": P - order_8 + sign_bit,
        "not-reduced-order-1": P + 1,
        "not-reduced-order-4": P,
        "not-reduced": P + 3,
        "minus-zero": 1 + sign_bit,
    }
    for name, number in keys.items():
        signer = b64(number.to_bytes(32, "little"))
        zeros = b64((1).to_bytes(32, "little") + bytes(32))
        body = f"{ENVELOPE}\n{signer}\n{zeros}\n{{}}".encode()
        vectors.add(f"container/key-{name}", "signing-key-bad", _KEYS, body)
    for name, text in {
        "short": b64(bytes(31)),
        "padded": ann.sign + "=",
        "loose-bits": ann.sign[:-1] + "_",
    }.items():
        body = "\n".join((ENVELOPE, text, b64(bytes(64)), "{}")).encode()
        vectors.add(f"container/key-{name}", "signing-key-bad", _KEYS, body)


def _json(vectors, ann):
    bad = {
        "duplicate-key": b'{"a":1,"a":1}',
        "duplicate-key-escaped": b'{"a":1,"\\u0061":1}',
        "duplicate-key-deep": b'{"a":[{"b":1,"b":2}]}',
        "integer-2-to-53": b'{"a":9007199254740992}',
        "integer-huge": b'{"a":-1' + b"0" * 400 + b"}",
        "number-infinite": b'{"a":1e400}',
        "nan": b'{"a":NaN}',
        "lone-surrogate": b'{"a":"\\ud800"}',
        "nul": b'{"a":"\\u0000"}',
        "not-utf-8": b'{"a":"\xff"}',
        "overlong-utf-8": b'{"a":"\xc0\xaf"}',
        "byte-order-mark": b"\xef\xbb\xbf{}",
        "too-deep": b'{"a":' + b"[" * 32 + b"]" * 32 + b"}",
        "trailing": b"{}{}",
        "trailing-comma": b'{"a":1,}',
        "comment": b"{}//",
        "single-quotes": b"{'a':1}",
        "array": b"[]",
        "empty": b"",
    }
    for name, payload in bad.items():
        vectors.add(f"container/json-{name}", "payload-malformed", _JSON, container(ENVELOPE, payload, ann))
    deep = b'{"a":' + b"[" * 31 + b"]" * 31 + b"}"
    good = {"depth-32": deep, "integer-2-to-53-less-1": b'{"a":9007199254740991,"b":-9007199254740991}'}
    good["surrogate-pair"] = compact({"a": "x"}).replace(b"x", b"\\ud83d\\ude00")
    good["names-of-prototypes"] = b'{"__proto__":{"x":1},"constructor":1,"toString":2}'
    for name, payload in good.items():
        body = container(ENVELOPE, payload, ann)
        vectors.add(f"container/ok-json-{name}", "success", _JSON, body, signer=ann.sign)
