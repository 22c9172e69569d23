"""Who is told of news: browsers by web push, addresses by mail, the operator by a webhook; all of it by the outbox."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from restante.protocol.encoding import b64, unb64
from restante.server.db.tables import outbox
from restante.server.push import rules, telling, webpush
from restante.server.push.addresses import ForbiddenTarget, is_public, look_up
from tests.api.inside import Inside, run
from tests.api.outside import Asked, Browser, Receiver, receiving
from tests.api.people import assert_problem
from tests.api.told import Head, actor_of, ann_and_bob, at_rest, leave, subscribe, tasks_of, until

LOCAL = {"private_targets": "allow"}


def told(folder: Path, scenario: Callable[[Inside, Receiver, Head, Head], Awaitable[None]]) -> None:
    """Ann writes, Bob is told; both with accounts of their own."""

    async def main(inside: Inside) -> None:
        async with receiving() as outside:
            await scenario(inside, outside, *await ann_and_bob(inside))

    run(folder, main, **LOCAL)


def test_a_message_reaches_the_browser_as_a_hint_that_only_it_opens(tmp_path: Path) -> None:
    async def scenario(inside: Inside, outside: Receiver, ann: Head, bob: Head) -> None:
        browser, other = Browser(), Browser()
        await subscribe(inside, bob, browser.subscription(f"{outside.url}/for/bob"))
        await leave(inside, ann, "bob")
        await until(inside, lambda: len(outside.asked) == 1)
        (asked,) = outside.asked
        assert asked.path == "/for/bob"
        assert json.loads(browser.open(asked.body)) == {"cause": "message"}
        with pytest.raises(InvalidTag):
            other.open(asked.body)
        assert asked.headers["content-encoding"] == "aes128gcm"
        assert int(asked.headers["ttl"]) > 0
        notices = (await inside.client.get("/api/v1/notices", headers=bob)).json()
        _check_token(asked, outside.url, notices["push_key"])
        await at_rest(inside)
        assert len(outside.asked) == 1

    told(tmp_path, scenario)


def _check_token(asked: Asked, origin: str, key: str) -> None:
    """RFC 8292: signed by the server's key, for this push service, for at most a day."""
    scheme, _, rest = asked.headers["authorization"].partition(" ")
    fields = dict(field.strip().split("=", 1) for field in rest.split(","))
    assert (scheme, fields["k"]) == ("vapid", key)
    signed, _, signature = fields["t"].rpartition(".")
    claims = json.loads(unb64(signed.partition(".")[2]))
    assert claims["aud"] == origin
    assert 0 < claims["exp"] - time.time() <= 24 * 3600
    assert claims["sub"].startswith(("mailto:", "https://"))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(key))
    raw = unb64(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public.verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))


def test_a_hint_is_sealed_as_in_the_example_of_rfc_8291() -> None:
    browser = Browser(
        key=ec.derive_private_key(
            int.from_bytes(unb64("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), "big"), ec.SECP256R1()
        ),
        auth=unb64("BTBZMqHH6r4Tts7J_aSIgg"),
    )
    ours = ec.derive_private_key(
        int.from_bytes(unb64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1()
    )
    text = b"When I grow up, I want to be a watermelon"
    sealed = webpush.seal(
        text,
        public=browser.public,
        auth=browser.auth,
        key=ours,
        salt=unb64("DGv6ra1nlYgDCS1FRnbzlw"),
        padded_bytes=len(text) + 1,
    )
    assert b64(sealed) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
        "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    assert len({len(webpush.seal(b"x" * n, public=browser.public, auth=browser.auth)) for n in (0, 9)}) == 1


def test_a_browser_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    async def scenario(inside: Inside, outside: Receiver, ann: Head, bob: Head) -> None:
        for status in (404, 410):
            await subscribe(inside, bob, Browser().subscription(f"{outside.url}/{status}"))
            outside.answers.append((status, {}))
            before = len(outside.asked)
            await leave(inside, ann, "bob")
            await until(inside, lambda before=before: len(outside.asked) > before)
            await at_rest(inside)
            notices = (await inside.client.get("/api/v1/notices", headers=bob)).json()
            assert notices["subscriptions"] == []
        await subscribe(inside, bob, Browser().subscription(f"{outside.url}/still-there"))
        await leave(inside, ann, "bob")
        await until(inside, lambda: outside.asked[-1].path == "/still-there")
        await at_rest(inside)
        notices = (await inside.client.get("/api/v1/notices", headers=bob)).json()
        assert len(notices["subscriptions"]) == 1

    told(tmp_path, scenario)


def test_what_is_too_large_goes_again_without_a_body(tmp_path: Path) -> None:
    async def scenario(inside: Inside, outside: Receiver, ann: Head, bob: Head) -> None:
        await subscribe(inside, bob, Browser().subscription(f"{outside.url}/x"))
        outside.answers.append((413, {}))
        await leave(inside, ann, "bob")
        await until(inside, lambda: len(outside.asked) == 2)
        assert [bool(asked.body) for asked in outside.asked] == [True, False]
        assert "content-encoding" not in outside.asked[1].headers

    told(tmp_path, scenario)


def test_a_push_service_that_asks_for_patience_gets_it(tmp_path: Path) -> None:
    async def scenario(inside: Inside, outside: Receiver, ann: Head, bob: Head) -> None:
        await subscribe(inside, bob, Browser().subscription(f"{outside.url}/x"))
        outside.answers.append((429, {"retry-after": "100"}))
        await leave(inside, ann, "bob")
        await until(inside, lambda: len(outside.asked) == 1)
        await at_rest(inside)
        await leave(inside, ann, "bob")
        inside.clock.ahead_s = 60
        await at_rest(inside)
        assert len(outside.asked) == 1
        inside.clock.ahead_s = 110
        await until(inside, lambda: len(outside.asked) == 3)

    told(tmp_path, scenario)


def test_one_that_cannot_be_reached_holds_up_nobody_and_is_tried_again(tmp_path: Path) -> None:
    async def scenario(inside: Inside, outside: Receiver, ann: Head, bob: Head) -> None:
        browser = Browser()
        await subscribe(inside, bob, Browser().subscription("http://127.0.0.1:9/nobody"))
        await subscribe(inside, bob, browser.subscription(f"{outside.url}/there"))
        await leave(inside, ann, "bob")
        await until(inside, lambda: len(outside.asked) == 1)
        await at_rest(inside)
        (waiting,) = await tasks_of(inside, "push")
        assert (waiting.attempts, waiting.handed) == (1, 0)

    told(tmp_path, scenario)


@pytest.mark.parametrize(("handed", "arrives"), [(0, 1), (1, 1), (2, 0)])
def test_after_a_crash_in_between_it_goes_out_once_more_and_not_for_ever(
    tmp_path: Path, handed: int, arrives: int
) -> None:
    async def scenario(inside: Inside, outside: Receiver, ann: Head, bob: Head) -> None:
        subscription = await subscribe(inside, bob, Browser().subscription(f"{outside.url}/x"))
        row = {"kind": "push", "subject": f"{subscription}:1:message", "due_at": 0, "attempts": 0}
        await inside.house.database.write(
            lambda connection: connection.execute(outbox.insert().values(**row, handed=handed))
        )
        await until(inside, lambda: len(outside.asked) == arrives)
        await at_rest(inside)
        assert await tasks_of(inside, "push") == []
        assert len(outside.asked) == arrives

    told(tmp_path, scenario)


def test_a_removed_session_is_told_no_more(tmp_path: Path) -> None:
    async def scenario(inside: Inside, outside: Receiver, ann: Head, bob: Head) -> None:
        await subscribe(inside, bob, Browser().subscription(f"{outside.url}/x"))
        assert (await inside.client.delete("/api/v1/sessions", headers=bob)).status_code == 204
        await leave(inside, ann, "bob")
        await at_rest(inside)
        assert outside.asked == []

    told(tmp_path, scenario)


def test_strangers_are_told_of_like_callers_and_the_blocked_not_at_all(tmp_path: Path) -> None:
    async def scenario(inside: Inside, outside: Receiver, ann: Head, bob: Head) -> None:
        browser, eve = Browser(), await inside.sign_up("eve")
        await subscribe(inside, bob, browser.subscription(f"{outside.url}/x"))
        for _ in range(3):
            await leave(inside, eve, "bob")
            await at_rest(inside)
        await until(inside, lambda: len(outside.asked) == 1)
        assert json.loads(browser.open(outside.asked[0].body)) == {"cause": "request"}
        path = "/api/v1/account/acquaintances/ann"
        assert (await inside.client.put(path, json={"state": "blocked"}, headers=bob)).status_code == 204
        await leave(inside, ann, "bob")
        await at_rest(inside)
        assert len(outside.asked) == 1

    told(tmp_path, scenario)


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "172.16.0.1", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "::7f00:1", "2001:db8::1",
    ],
)  # fmt: skip
def test_an_address_that_is_no_public_one_is_refused(address: str) -> None:
    assert not is_public(address)


def test_public_addresses_are_not_refused() -> None:
    assert all(map(is_public, ["1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101"]))


INSIDE = (
    "http://1.1.1.1/x",
    "https://127.0.0.1/x",
    "https://localhost/x",
    "https://[::1]/x",
    "https://0x7f.1/x",
    "https://2130706433/x",
    "https://user@1.1.1.1/x",
    "https://169.254.169.254/latest/meta-data",
    "file:///etc/passwd",
    "https:////",
    "https://1.1.1.1:99999/",
    "https://nobody.invalid/x",
)


def test_an_endpoint_that_leads_inside_is_not_taken(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        bob = await inside.sign_up("bob")
        for endpoint in INSIDE:
            form = Browser().subscription(endpoint)
            answer = await inside.client.put("/api/v1/notices/push", json=form, headers=bob)
            assert_problem(answer, 422, "endpoint-refused")
        await subscribe(inside, bob, Browser().subscription("https://1.1.1.1/x"))

    run(tmp_path, scenario)


def test_an_endpoint_that_leads_inside_later_is_not_asked(tmp_path: Path) -> None:
    async def main() -> None:
        async with receiving() as outside:
            with pytest.raises(ForbiddenTarget):
                await look_up(outside.url, private=False)

    asyncio.run(main())

    async def scenario(inside: Inside, outside: Receiver, ann: Head, bob: Head) -> None:
        await subscribe(inside, bob, Browser().subscription(f"{outside.url}/x"))
        inside.house.courier._errands["push"].__self__._out.post._private = False
        await leave(inside, ann, "bob")
        await at_rest(inside)
        assert outside.asked == []

    told(tmp_path, scenario)


# When


def test_what_comes_in_quiet_hours_is_told_once_at_their_end(tmp_path: Path) -> None:
    async def scenario(inside: Inside, outside: Receiver, ann: Head, bob: Head) -> None:
        await subscribe(inside, bob, Browser().subscription(f"{outside.url}/x"))
        minute = time.gmtime().tm_hour * 60 + time.gmtime().tm_min
        hours = {"begins": (minute - 5) % 1440, "ends": (minute + 30) % 1440, "zone": "UTC"}
        assert (await inside.client.put("/api/v1/notices/quiet", json=hours, headers=bob)).status_code == 204
        for _ in range(3):
            await leave(inside, ann, "bob")
            await at_rest(inside)
        assert outside.asked == []
        inside.clock.ahead_s = 31 * 60
        await until(inside, lambda: len(outside.asked) == 1)
        await at_rest(inside)
        assert len(outside.asked) == 1

    told(tmp_path, scenario)


HOUR_MS = 3_600_000
NOON_MS = 1_795_348_800_000
"""2026-11-22, 12:00 UTC."""


@pytest.mark.parametrize(
    ("begins", "ends", "zone", "hours"),
    [
        (22 * 60, 7 * 60, "UTC", None),
        (11 * 60, 13 * 60, "UTC", 1),
        (22 * 60, 13 * 60, "UTC", 1),
        (11 * 60, 10 * 60, "UTC", 22),
        (22 * 60, 7 * 60, "Asia/Tokyo", None),
        (20 * 60, 7 * 60, "Asia/Tokyo", 10),
    ],
)
def test_quiet_hours_end_when_they_say(begins: int, ends: int, zone: str, hours: int | None) -> None:
    noon = NOON_MS - NOON_MS % (24 * HOUR_MS) + 12 * HOUR_MS
    until_ms = rules.quiet_until(noon, begins=begins, ends=ends, zone=zone)
    assert until_ms == (None if hours is None else noon + hours * HOUR_MS)


def test_callers_are_told_of_once_in_ten_minutes_and_none_is_lost(tmp_path: Path) -> None:
    async def scenario(inside: Inside, outside: Receiver, ann: Head, bob: Head) -> None:
        await subscribe(inside, bob, Browser().subscription(f"{outside.url}/x"))
        account_id = (await actor_of(inside, bob)).account_id

        async def call() -> None:
            now_ms = inside.clock.now_ms()
            await inside.house.database.write(
                lambda connection: telling.tell(connection, [account_id], "caller", now_ms=now_ms)
            )
            await at_rest(inside)

        await call()
        await until(inside, lambda: len(outside.asked) == 1)
        for _ in range(5):
            await call()
        assert len(outside.asked) == 1
        inside.clock.ahead_s = 601
        await until(inside, lambda: len(outside.asked) == 2)
        await at_rest(inside)
        assert len(outside.asked) == 2

    told(tmp_path, scenario)
