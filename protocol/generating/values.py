"""values.json: what derivations, numbers and typed texts must come to."""

import hashlib
import unicodedata

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from generating import age
from generating.envelopes import link_fp
from generating.forms import Person, b64, fp, sha256
from xkcdpass import xkcd_password

COUNTING = bytes(range(32))
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U"


def make(vectors):
    vectors.add_json(
        "values.json",
        {
            "spec": "keys.md, account-record.md, lifecycle.md, video.md",
            "kdf": _kdf(),
            "unlock": _access("unlock", COUNTING),
            "unlock_20_bytes": _access("unlock", COUNTING[:20]),
            "link": _access("link", COUNTING),
            "link_with_password": _link_with_password("correct horse"),
            "greeting": _access("greeting", COUNTING[:16]),
            "webauthn_prf_input": sha256(b"restante/1 prf").hex(),
            "argon2id": _argon2id(),
            "passphrase": _passphrases(),
            "ed25519": _ed25519(),
            "link_fp": {"recipient": age.recipient_text(COUNTING), "fp": link_fp(COUNTING)},
            "hybrid": {
                "identity": age.hybrid_identity_text(COUNTING),
                "recipient": age.hybrid_recipient_text(COUNTING),
            },
            "recovery_code": _recovery_codes(),
            "safety_number": _safety(),
            "pairing_words": _pairing_words(),
            "padme": {str(size): _padme(size) for size in _sizes()},
            "padding": _padding(),
        },
    )


def _derive(secret, info):
    return age.hkdf(secret, salt=None, info=info.encode())


def _kdf():
    return [
        {"ikm": ikm.hex(), "info": info, "out": _derive(ikm, info).hex()}
        for ikm, info in ((COUNTING, "restante/1 link identity"), (b"", "restante/1 x"), (bytes(20), "é"))
    ]


def _access(use, secret, *, password=b""):
    identity = _derive(secret + password, f"restante/1 {use} identity")
    bearer = _derive(secret, f"restante/1 {use} auth")
    return {
        "secret": secret.hex(),
        "identity": age.identity_text(identity),
        "recipient": age.recipient_text(identity),
        "bearer": bearer.hex(),
        "bearer_sha256": sha256(bearer).hex(),
    }


def _stretch(text, salt):
    return Argon2id(salt=salt, length=32, iterations=3, lanes=1, memory_cost=65_536).derive(text.encode())


def _link_with_password(text):
    salt = _derive(COUNTING, "restante/1 link salt")[:16]
    return {"password": text, "salt": salt.hex()} | _access("link", COUNTING, password=_stretch(text, salt))


def _argon2id():
    return {
        "passphrase": "correct horse",
        "salt": bytes(16).hex(),
        "out": _stretch("correct horse", bytes(16)).hex(),
    }


def _passphrases():
    """Each typed form and what is stretched."""
    typed = {
        "correct horse": "correct horse",
        "  correct \t horse\n": "correct horse",
        "correct\u00a0horse": "correct horse",
        "correct\u3000horse": "correct horse",
        "\uff23orrect horse": "Correct horse",
        "cafe\u0301 \ufb01ne": "café fine",
        "\u212b \u1e9b\u0323": "å".upper() + " " + unicodedata.normalize("NFKC", "\u1e9b\u0323"),
        "correct\u200bhorse": "correct\u200bhorse",
    }
    return [{"typed": key, "stretched": unicodedata.normalize("NFC", value)} for key, value in typed.items()]


def _ed25519():
    key = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
    public = key.public_key().public_bytes_raw()
    message = b"restante/1 envelope\x00" + b64(public).encode() + b"\x00{}"
    return {
        "seed": (b"\x07" * 32).hex(),
        "public": public.hex(),
        "fp": fp(public),
        "message": message.hex(),
        "signature": key.sign(message).hex(),
    }


def _recovery_codes():
    good = [_code(bytes(20)), _code(b"\xff" * 20), _code(COUNTING[:20]), _code(age.drawn("code", 20))]
    text = good[3]["text"]
    typed = good[2]["text"]
    swapped = typed[:2] + typed[3] + typed[2] + typed[4:]
    tolerant = [
        {"text": text.lower(), "expect": "success", "hex": good[3]["hex"]},
        {"text": text.replace("-", " "), "expect": "success", "hex": good[3]["hex"]},
        {"text": " " + text.replace("-", "") + "\n", "expect": "success", "hex": good[3]["hex"]},
        {"text": typed.replace("0", "O").replace("1", "I"), "expect": "success", "hex": good[2]["hex"]},
        {"text": typed.replace("0", "o").replace("1", "l"), "expect": "success", "hex": good[2]["hex"]},
    ]
    wrong = [
        {"text": swapped, "expect": "recovery-code-typo"},
        {"text": typed[:-1] + ("A" if typed[-1] != "A" else "B"), "expect": "recovery-code-typo"},
        {"text": typed[:-1], "expect": "recovery-code-malformed"},
        {"text": typed[1:], "expect": "recovery-code-malformed"},
        {"text": "U" + typed[1:], "expect": "recovery-code-malformed"},
        {"text": "*" + typed[1:], "expect": "recovery-code-malformed"},
        {"text": typed + "0", "expect": "recovery-code-malformed"},
        {"text": "", "expect": "recovery-code-malformed"},
    ]
    return (
        [{"text": code["text"], "expect": "success", "hex": code["hex"]} for code in good] + tolerant + wrong
    )


def _code(data):
    number = int.from_bytes(data, "big")
    bits = f"{number:0160b}"
    symbols = [_CROCKFORD[int(bits[start : start + 5], 2)] for start in range(0, 160, 5)]
    groups = ["".join(symbols[start : start + 4]) for start in range(0, 32, 4)]
    return {"hex": data.hex(), "text": "-".join([*groups, _CROCKFORD[number % 37]])}


def _safety():
    pairs = [
        (Person("ann"), Person("bob")),
        (Person("bob"), Person("ann")),
        (Person("ann"), Person("ann-marie")),
    ]
    return [_safety_of(one, other) for one, other in pairs]


def _safety_of(one, other):
    sides = sorted(person.acct.encode() + b"\x00" + person.public for person in (one, other))
    raw = hashlib.sha512(b"restante/1 safety\x00" + b"".join(sides)).digest()[:60]
    groups = [int.from_bytes(raw[start : start + 5], "big") % 100_000 for start in range(0, 60, 5)]
    names = [{"acct": person.acct, "sign": person.public.hex()} for person in (one, other)]
    number = " ".join(f"{group:05}" for group in groups)
    return {"accounts": names, "raw": raw.hex(), "number": number, "code": f"restante/1 safety {b64(raw)}"}


def _pairing_words():
    """13 bits each, from the left; the word list is that of another package."""
    with open(xkcd_password.locate_wordfile("eff-long"), encoding="utf-8") as file:  # noqa: PTH123 - a path as text
        words = file.read().split()
    recipients = [
        age.recipient_text(key) for key in (COUNTING, age.drawn("pair", 32), age.drawn("pair 2", 32))
    ]
    return [{"recipient": recipient, "words": _six_words(recipient, words)} for recipient in recipients]


def _six_words(recipient, words):
    bits = "".join(f"{byte:08b}" for byte in sha256(b"restante/1 pair\x00" + recipient.encode()))
    return [words[int(bits[start : start + 13], 2) % len(words)] for start in range(0, 78, 13)]


def _padme(size):
    exponent = len(f"{size:b}") - 1
    if exponent < 1:
        return size
    loose = exponent - len(f"{exponent:b}")
    step = 2 ** max(loose, 0)
    return -(-size // step) * step


def _sizes():
    return [
        0,
        1,
        2,
        8,
        9,
        100,
        1000,
        65_535,
        65_536,
        65_537,
        1_000_000,
        5_000_000,
        5_242_881,
        40_000_001,
        67_000_000,
    ]


def _padding():
    limit = _largest()
    sizes = [1, 65_528, 65_529, 65_535, 65_536, 65_537, 1_000_000, 1_015_801, 1_015_802, 5_000_000]
    sizes += [limit - 9, limit - 8, limit - 7, limit]
    return [
        {"size": size, "live": _padded(size, _next_64k, limit), "file": _padded(size, _padme, limit)}
        for size in sizes
    ]


def _next_64k(size):
    return -(-size // 65_536) * 65_536


def _padded(size, rule, limit):
    """The size with its box: none of 1 to 7 bytes, and none beyond the limit."""
    target = rule(size)
    if 0 < target - size < 8:
        target = rule(size + 8)
    target = min(target, limit)
    return target if target - size >= 8 else size


def _largest():
    size = 2**26
    while 168 + 16 + size + 16 * -(-size // 65_536) > 2**26:
        size -= 1
    return size
