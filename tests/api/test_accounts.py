"""Sign-up: all of an account or nothing of it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from restante.protocol.encoding import b64, unb64
from restante.protocol.limits import KEYRING_BYTES, RECORD_BYTES
from restante.signing import container, records
from restante.signing.keys import SigningKey
from tests.api.people import (
    RECIPIENT,
    YEAR_MS,
    assert_problem,
    encryption_key,
    make_account,
    new_client,
    new_name,
    now_ms,
    sealed,
    sign_up_form,
)
from tests.serving import Server

KEY = SigningKey(bytes(range(32)))
Form = dict[str, Any]


def sign_up(url: str, form: Form) -> httpx.Response:
    with new_client(url) as nobody:
        return nobody.post("/api/v1/accounts", json=form)


def fields(name: str, **changes: Any) -> dict[str, Any]:
    """The payload of a right record, and what a test spoils in it."""
    now = now_ms()
    key = {"id": "enc_1", "recipient": RECIPIENT, "from": now, "until": now + YEAR_MS}
    return {
        "acct": f"{name}@localhost",
        "rev": 1,
        "sign": b64(KEY.public),
        "sign_alg": "ed25519",
        "enc": [key],
        "prev": None,
        "created": now,
        "until": now + YEAR_MS,
        **changes,
    }


def with_record(form: Form, **changes: Any) -> Form:
    record = container.write(container.Type.ACCOUNT, fields(form["name"], **changes), key=KEY)
    return form | {"record": b64(record)}


def with_raw_record(form: Form, raw: bytes) -> Form:
    return form | {"record": b64(raw)}


def with_unlock(form: Form, *unlock: dict[str, Any]) -> Form:
    return form | {"unlock": list(unlock)}


PASSPHRASE = {"type": "passphrase", "bearer": b64(bytes(32)), "salt": b64(bytes(16))}
RECOVERY = {"type": "recovery", "bearer": b64(bytes(32))}


def flip_last(form: Form) -> Form:
    raw = unb64(form["record"])
    return with_raw_record(form, raw[:-1] + bytes([raw[-1] ^ 1]))


def of_another(form: Form) -> Form:
    return form | {"record": sign_up_form(new_name())["record"]}


def second_record(form: Form) -> Form:
    first = records.read(unb64(form["record"]))
    key = SigningKey.generate()
    return with_raw_record(
        form, records.build(key, first.acct, [encryption_key()], now_ms=now_ms(), previous=first)
    )


SPOILED: dict[str, tuple[int, str, Callable[[Form], Form]]] = {
    "record flipped": (422, "invalid-record", flip_last),
    "record of another name": (422, "invalid-record", of_another),
    "record of another server": (
        422,
        "invalid-record",
        lambda form: with_record(form, acct=f"{form['name']}@elsewhere"),
    ),
    "record that is not the first": (422, "invalid-record", second_record),
    "record with a low-order key": (
        422,
        "invalid-record",
        lambda form: with_record(form, sign=b64(bytes(32))),
    ),
    "record valid for too long": (
        422,
        "invalid-record",
        lambda form: with_record(form, until=now_ms() + 2 * YEAR_MS),
    ),
    "record of next month": (
        422,
        "invalid-record",
        lambda form: with_record(form, created=now_ms() + YEAR_MS // 12),
    ),
    "record without recipients": (422, "invalid-record", lambda form: with_record(form, enc=[])),
    "record of another algorithm": (422, "invalid-record", lambda form: with_record(form, sign_alg="rsa")),
    "record unsigned": (
        422,
        "invalid-record",
        lambda form: with_raw_record(
            form, container.write(container.Type.ACCOUNT, fields(form["name"]), key=None)
        ),
    ),
    "record of another type": (
        422,
        "invalid-record",
        lambda form: with_raw_record(
            form, container.write(container.Type.STATE, fields(form["name"]), key=KEY)
        ),
    ),
    "record that is noise": (422, "invalid-record", lambda form: with_raw_record(form, b"\x00\xff" * 50)),
    "record empty": (422, "invalid-record", lambda form: form | {"record": ""}),
    "record too large": (413, "too-large", lambda form: with_raw_record(form, bytes(RECORD_BYTES + 1))),
    "record padded": (422, "invalid", lambda form: form | {"record": "YWI="}),
    "record with spaces": (422, "invalid", lambda form: form | {"record": "YW I"}),
    "record in another base64": (422, "invalid", lambda form: form | {"record": "+/+/"}),
    "record not canonical": (422, "invalid", lambda form: form | {"record": "YWJ"}),
    "record null": (422, "invalid", lambda form: form | {"record": None}),
    "keyring too large": (
        413,
        "too-large",
        lambda form: form | {"keyring": b64(sealed(KEYRING_BYTES + 1))},
    ),
    "keyring in clear": (422, "invalid", lambda form: form | {"keyring": b64(b'{"sign":"seed"}')}),
    "keyring empty": (422, "invalid", lambda form: form | {"keyring": ""}),
    "no way in": (422, "invalid", with_unlock),
    "no recovery": (422, "invalid", lambda form: with_unlock(form, PASSPHRASE)),
    "two recoveries": (422, "invalid", lambda form: with_unlock(form, RECOVERY, RECOVERY)),
    "nine ways in": (422, "invalid", lambda form: with_unlock(form, *[RECOVERY] * 9)),
    "passphrase without salt": (
        422,
        "invalid",
        lambda form: with_unlock(form, PASSPHRASE | {"salt": None}, RECOVERY),
    ),
    "recovery with salt": (
        422,
        "invalid",
        lambda form: with_unlock(form, PASSPHRASE, RECOVERY | {"salt": b64(bytes(16))}),
    ),
    "short salt": (
        422,
        "invalid",
        lambda form: with_unlock(form, PASSPHRASE | {"salt": b64(bytes(15))}, RECOVERY),
    ),
    "short bearer": (
        422,
        "invalid",
        lambda form: with_unlock(form, PASSPHRASE, RECOVERY | {"bearer": b64(bytes(31))}),
    ),
    "unknown way in": (422, "invalid", lambda form: with_unlock(form, RECOVERY | {"type": "face"})),
    "unknown client": (422, "invalid", lambda form: form | {"client": "admin"}),
    "name missing": (422, "invalid", lambda form: {k: v for k, v in form.items() if k != "name"}),
}


def test_sign_up_makes_an_account_that_others_find_and_its_person_enters(server: Server) -> None:
    ann = make_account(server.url)
    with new_client(server.url) as nobody:
        found = nobody.get(f"/api/v1/accounts/{ann.name}/record").json()
    assert found.pop("leaf") >= 0
    assert found == {"acct": f"{ann.name}@localhost", "rev": 1, "record": b64(ann.record)}
    assert ann.client.get("/api/v1/account/keyring").content == ann.keyring
    assert ann.client.get("/api/v1/account/state").json() == {"items": []}
    assert ann.sign_in().json()["acct"] == ann.acct


@pytest.mark.parametrize("what", SPOILED)
def test_a_refused_sign_up_leaves_nothing_and_the_name_free(server: Server, what: str) -> None:
    status, code, spoil = SPOILED[what]
    form = sign_up_form(new_name(), key=KEY)
    assert_problem(sign_up(server.url, spoil(form)), status, code)
    with new_client(server.url) as nobody:
        assert_problem(nobody.get(f"/api/v1/accounts/{form['name']}/record"), 404, "no-such-account")
    assert sign_up(server.url, form).status_code == 201


@pytest.mark.parametrize("name", ["admin", "postmaster", "root", "api", "sign-in"])
def test_a_reserved_name_is_nobodys(server: Server, name: str) -> None:
    assert_problem(sign_up(server.url, sign_up_form(name)), 422, "invalid-name")


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "a" * 33,
        "Ann",
        "ann.b",
        "änn",
        "\u0430nn",
        "ann\u200b",
        "ann\n",
        "a b c",
        "../ann",
        "",
        "' or 1=1 --",
    ],
)
def test_a_malformed_name_is_refused(server: Server, name: str) -> None:
    form = sign_up_form("placeholder") | {"name": name}
    assert sign_up(server.url, form).json()["code"] in {"invalid", "invalid-name"}
    assert sign_up(server.url, form).status_code == 422


@pytest.mark.parametrize("stem", ["a-_", "0-0", "_" * 3, "-" * 3])
def test_every_name_of_the_alphabet_is_taken(server: Server, stem: str) -> None:
    name = new_name(stem)
    assert make_account(server.url, name).acct == f"{name}@localhost"
    assert len(name) <= 32


def test_the_largest_keyring_fits(server: Server) -> None:
    form = sign_up_form(new_name()) | {"keyring": b64(sealed(KEYRING_BYTES))}
    assert sign_up(server.url, form).status_code == 201


def test_a_name_is_taken_once(server: Server) -> None:
    ann = make_account(server.url)
    assert_problem(sign_up(server.url, sign_up_form(ann.name)), 409, "name-taken")
    assert ann.client.get("/api/v1/account/keyring").content == ann.keyring


def test_of_many_who_want_a_name_at_once_one_gets_it(server: Server) -> None:
    name = new_name()
    forms = [sign_up_form(name) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda form: sign_up(server.url, form), forms))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    winner = next(form for form, answer in zip(forms, answers, strict=True) if answer.status_code == 201)
    with new_client(server.url) as nobody:
        assert nobody.get(f"/api/v1/accounts/{name}/record").json()["record"] == winner["record"]


def test_unknown_fields_change_nothing(server: Server) -> None:
    form = sign_up_form(new_name())
    extra = {"is_admin": True, "plan": "premium", "account_id": 1, "user_id": 1, "rev": 9}
    answer = sign_up(server.url, form | extra)
    assert answer.status_code == 201
    assert set(answer.json()) == {"acct", "session_id", "token"}


def test_a_closed_server_takes_no_accounts(new_server: Callable[..., Server]) -> None:
    server = new_server()
    ann = make_account(server.url)
    server.kill()
    server.start(RESTANTE_SIGN_UP="closed")
    assert_problem(sign_up(server.url, sign_up_form(new_name())), 403, "sign-up-closed")
    assert ann.sign_in().status_code == 201


DEATHS = {
    "limit-taken:1": False,
    "account-written:1": False,
    "unlock-methods-written:1": False,
    "session-created:1": False,
    "account-acknowledged:1": True,
}


def test_a_death_amid_sign_up_leaves_all_or_nothing(new_server: Callable[..., Server]) -> None:
    server = new_server()
    forms = {failpoint: sign_up_form(new_name()) for failpoint in DEATHS}
    for failpoint, form in forms.items():
        server.kill()
        server.start(RESTANTE_FAILPOINT=failpoint)
        with pytest.raises(httpx.TransportError):
            sign_up(server.url, form)
    server.kill()
    server.start()
    with new_client(server.url) as nobody:
        for failpoint, form in forms.items():
            is_stored = DEATHS[failpoint]
            found = nobody.get(f"/api/v1/accounts/{form['name']}/record")
            assert found.status_code == (200 if is_stored else 404), failpoint
            entry = {"name": form["name"], "type": "recovery", "client": "cli"}
            entered = nobody.post("/api/v1/sign-in", json=entry | {"bearer": form["unlock"][1]["bearer"]})
            assert entered.status_code == (201 if is_stored else 401), failpoint
            assert sign_up(server.url, form).status_code == (409 if is_stored else 201), failpoint
