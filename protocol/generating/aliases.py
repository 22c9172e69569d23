"""alias/: what an account record says of a move to or from another server; what is no good alias says nothing."""

from generating.forms import Person, b64, container
from generating.records import record

ALIAS = "restante/1 alias"
_SPEC = "account-record.md, Alias"
ANN, EVE = Person("ann"), Person("eve")
OLD, NEW = ANN.acct, "ann@new.example"


def make(vectors):
    def add(name, alias, *, says=False, acct=OLD):
        body = record(ANN, acct=acct, alias=alias)
        told = {"old": OLD, "new": NEW} if says else {}
        vectors.add(f"alias/{name}", "success", _SPEC, body, **told)

    good = _alias()
    add("ok-of-who-left", b64(good), says=True)
    add("ok-of-who-came", b64(good), says=True, acct=NEW)
    add("ok-unknown-key", b64(_alias(since=1)), says=True)
    add("none", None)
    add("of-neither-account", b64(good), acct="ann@third.example")
    add("signed-by-another", b64(_alias(by=EVE)))
    add("for-another-key", b64(_alias(sign=EVE.sign)))
    add("unsigned", b64(_alias(by=None)))
    add("to-itself", b64(_alias(new=OLD)))
    add("to-no-address", b64(_alias(new="ann")))
    add("of-another-type", b64(_alias(kind="restante/1 succession")))
    add("altered", b64(good.replace(b"new.example", b"eve.example")))
    add("too-large", b64(_alias(filler="x" * 1024)))
    add("no-base64", "!")
    add("no-text", 1)


def _alias(*, by=ANN, kind=ALIAS, **changes):
    return container(kind, {"old": OLD, "new": NEW, "sign": ANN.sign} | changes, by)
