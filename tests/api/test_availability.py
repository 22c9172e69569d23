"""Where sign-up and sending are open: told, gated, and opened by themselves; whatever else there is always works."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import mmdb_writer
import netaddr
import pytest

from restante.server.admission.service import make_invite
from restante.server.availability.file import EXAMPLE
from restante.server.db.entry_tables import waiting
from tests.api.inside import Inside, run
from tests.api.outside import Browser, mail_sink, receiving
from tests.api.parcels import TUS, make_parcel, new_key
from tests.api.people import assert_problem, sign_up_form
from tests.api.told import Head, at_rest, subscribe, until

MAC = {"user-agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15"}
WINDOWS = {"user-agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "sec-ch-ua-platform": '"Windows"'}
BEHIND = {"trusted_proxies": ("127.0.0.1",), "country_header": "CF-IPCountry"}
"""The client without a network has this address: so it is the proxy itself."""
Scenario = Callable[[Inside], Awaitable[None]]


def from_(country: str) -> Head:
    return {"cf-ipcountry": country}


def founded(folder: Path, scenario: Scenario, text: str | None = None, **settings: Any) -> None:
    """Runs it on a server with a chart: the founding one, or another."""
    (folder / "availability.toml").write_text(EXAMPLE.read_text() if text is None else text)
    run(folder, scenario, **BEHIND | settings)


async def told(inside: Inside, head: Head, **query: str) -> dict[str, Any]:
    answer = await inside.client.get("/api/v1/availability", headers=head, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def sign_up(inside: Inside, name: str, head: Head, **more: str) -> Any:
    form = sign_up_form(name) | more
    return await inside.client.post("/api/v1/accounts", json=form, headers=head)


async def entered(inside: Inside, name: str, head: Head, **more: str) -> Head:
    answer = await sign_up(inside, name, head, **more)
    assert answer.status_code == 201, answer.text
    return {"authorization": f"Bearer {answer.json()['token']}"}


async def send(inside: Inside, head: Head, *names: str) -> Any:
    files = make_parcel(*names).files()
    key = {"idempotency-key": new_key()}
    return await inside.client.post("/api/v1/messages", files=files, headers={**head, **key})


def test_without_a_file_everything_is_open_and_no_country_is_noted(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        found = await told(inside, {**WINDOWS, **from_("FR")})
        assert found["allowed"]
        assert (found["by_country"], found["country"]) == (False, None)
        ann = await entered(inside, "ann", from_("FR"))
        assert (await send(inside, {**ann, **WINDOWS}, "ann")).status_code == 201
        known = (await inside.client.get("/api/v1/account/known", headers=ann)).json()
        rows = {table["table"]: table["rows"] for table in known["tables"]}
        assert rows["account_countries"] == 0

    run(tmp_path, scenario, **BEHIND)


def test_sign_up_is_refused_with_why_and_when(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        problem = assert_problem(
            await sign_up(inside, "ann", {**MAC, **from_("FR")}), 403, "not-available-yet"
        )
        assert "This country comes later" in problem["detail"]
        assert "We begin in the United States" in problem["detail"]
        problem = assert_problem(
            await sign_up(inside, "ann", {**WINDOWS, **from_("US")}), 403, "not-available-yet"
        )
        assert "This platform opens on 2027-04-01." in problem["detail"]
        found = await told(inside, {**WINDOWS, **from_("US")})
        assert (found["blocked_by"], found["phase"]) == ("platform", "planned")
        assert found["opens_at"] == 1_806_537_600_000
        await entered(inside, "ann", {**MAC, **from_("US")})

    founded(tmp_path, scenario)


def test_the_declared_country_comes_before_the_proxys(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        at_sea = {**MAC, **from_("FR")}
        assert not (await told(inside, at_sea))["allowed"]
        found = await told(inside, at_sea, country="GB")
        assert (found["allowed"], found["country"], found["country_from"]) == (True, "GB", "declared")
        ann = await entered(inside, "ann", at_sea, country="GB")
        assert (await send(inside, {**ann, **at_sea}, "ann")).status_code == 201
        assert_problem(await inside.client.get("/api/v1/availability?country=England"), 422, "invalid")

    founded(tmp_path, scenario)


def test_a_header_that_no_trusted_proxy_wrote_is_nothing(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        assert (await told(inside, {**MAC, **from_("US")}))["country"] is None

    founded(tmp_path, scenario, trusted_proxies=("10.0.0.1",))


def test_who_travels_keeps_the_country_of_the_account(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        ann = await entered(inside, "ann", {**MAC, **from_("US")})
        abroad = {**ann, **MAC, **from_("FR")}
        assert (await send(inside, abroad, "ann")).status_code == 201
        moved = await inside.client.put("/api/v1/account/country", json={"country": "FR"}, headers=abroad)
        assert moved.json()["allowed"] is False
        assert_problem(await send(inside, {**ann, **MAC, **from_("US")}, "ann"), 403, "not-available-yet")

    founded(tmp_path, scenario)


def test_an_account_of_before_has_the_country_where_it_first_sends(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        ann = await inside.sign_up("ann")
        (tmp_path / "availability.toml").write_text(EXAMPLE.read_text())
        inside.clock.ahead_s = 3
        assert_problem(await send(inside, {**ann, **MAC, **from_("FR")}, "ann"), 403, "not-available-yet")
        assert (await send(inside, {**ann, **MAC, **from_("GB")}, "ann")).status_code == 201
        assert (await send(inside, {**ann, **MAC, **from_("FR")}, "ann")).status_code == 201
        assert (await told(inside, {**ann, **MAC}))["country_from"] == "proxy"

    run(tmp_path, scenario, **BEHIND)


def test_only_sending_is_gated(tmp_path: Path) -> None:
    """A control beside it shows that the same account is refused to send at that very moment."""

    async def scenario(inside: Inside) -> None:
        ann = await entered(inside, "ann", {**MAC, **from_("US")})
        bob = await entered(inside, "bob", {**MAC, **from_("US")})
        parcel = make_parcel("bob")
        sent = {**ann, **MAC, "idempotency-key": new_key()}
        assert (
            await inside.client.post("/api/v1/messages", files=parcel.files(), headers=sent)
        ).status_code == 201
        (tmp_path / "availability.toml").write_text('[countries.elsewhere]\nphase = "unknown"\n')
        inside.clock.ahead_s = 3
        here = {**bob, **WINDOWS, **from_("FR")}
        assert_problem(await send(inside, here, "ann"), 403, "not-available-yet")
        replayed = await inside.client.post("/api/v1/messages", files=parcel.files(), headers=sent)
        assert replayed.headers["idempotent-replayed"] == "true"
        assert [
            item["id"] for item in (await inside.client.get("/api/v1/inbox", headers=here)).json()["items"]
        ]
        details = await inside.client.get(f"/api/v1/messages/{parcel.id}/details", headers=here)
        assert details.status_code == 200
        mark = await inside.client.post(
            f"/api/v1/messages/{parcel.id}/marks", json={"mark": "played"}, headers=here
        )
        assert mark.status_code == 204, mark.text
        begun = await inside.client.post(
            "/api/v1/uploads", headers={**here, **TUS, "upload-length": "10"}, content=b""
        )
        assert begun.status_code == 201, "what is recorded is kept, also there"

    founded(tmp_path, scenario)


BETA = """
[platforms.macos]
phase = "beta"
cohort = ["ann"]
"""


def test_a_beta_takes_its_cohort_and_who_has_an_invite(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        code = await invite(inside)
        await entered(inside, "ann", MAC)
        found = await told(inside, MAC)
        assert (found["phase"], found["opens_at"]) == ("beta", None)
        problem = assert_problem(await sign_up(inside, "bob", MAC), 403, "not-available-yet")
        assert "an invite" in problem["detail"]
        bob = await entered(inside, "bob", MAC, ticket=code)
        assert (await send(inside, {**bob, **MAC}, "ann")).status_code == 201
        assert_problem(await sign_up(inside, "cleo", MAC, ticket=code), 403, "ticket-refused")

    founded(tmp_path, scenario, BETA)


def test_an_account_shows_an_invite_later(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        code = await invite(inside)
        bob = {**await inside.sign_up("bob"), **MAC}
        (tmp_path / "availability.toml").write_text(BETA)
        inside.clock.ahead_s = 3
        assert_problem(await send(inside, bob, "bob"), 403, "not-available-yet")
        path = "/api/v1/account/invite"
        wrong = await inside.client.post(path, json={"ticket": "aaaa-bbbb-cccc-dddd"}, headers=bob)
        assert_problem(wrong, 403, "ticket-refused")
        shown = await inside.client.post(path, json={"ticket": code.upper()}, headers=bob)
        assert shown.json()["allowed"] is True
        again = await inside.client.post(path, json={"ticket": "aaaa-bbbb-cccc-dddd"}, headers=bob)
        assert again.status_code == 200, "who takes part already uses nothing up"
        assert (await send(inside, bob, "bob")).status_code == 201

    run(tmp_path, scenario)


async def invite(inside: Inside, *, most_uses: int = 1) -> str:
    now_ms = inside.clock.now_ms()
    _, code = await inside.house.database.write(
        lambda connection: make_invite(
            connection, note="for Bob", most_uses=most_uses, expires_at=None, now_ms=now_ms
        )
    )
    return code


def test_who_waits_is_told_once_when_the_day_comes(tmp_path: Path) -> None:
    """By push to an account, by one mail to somebody without one, whose address is then forgotten."""

    async def scenario(inside: Inside, sink: Any, service: Any) -> None:
        ann = await entered(inside, "ann", {**MAC, **from_("US")})
        browser = Browser()
        await subscribe(inside, ann, browser.subscription(f"{service.url}/p"))
        on_windows = {**WINDOWS, **from_("US")}
        asked = await inside.client.post(
            "/api/v1/availability/waiting", json={}, headers={**ann, **on_windows}
        )
        assert asked.json()["waiting"] is True
        form = {"mail": "zoe@mail.example", "language": "fr"}
        asked = await inside.client.post("/api/v1/availability/waiting", json=form, headers=on_windows)
        assert asked.status_code == 200, asked.text
        for day_s in (0, 86_400):
            inside.clock.ahead_s += day_s
            await inside.house.jobs.sweeper.run()
            await at_rest(inside)
            assert (len(sink.mails), len(service.asked)) == (0, 0), "not before"
        inside.clock.ahead_s = (1_806_537_600_000 - inside.clock.now_ms()) / 1000 + inside.clock.ahead_s + 1
        for _ in range(2):
            await inside.house.availability.tell_opened()
            await until(inside, lambda: len(sink.mails) == 1 and len(service.asked) == 1)
        assert browser.open(service.asked[0].body) == b'{"cause": "opened"}'
        mail = sink.mails[0]
        assert mail["to"] == "zoe@mail.example"
        assert "vous est ouvert" in str(mail["subject"])
        await at_rest(inside)
        rows = await inside.house.database.read(waiting_rows)
        assert rows == []

    async def main() -> None:
        async with mail_sink() as sink, receiving() as service:
            settings = {
                "smtp_url": sink.url,
                "mail_from": "restante@post.example",
                "private_targets": "allow",
            }

            async def inner(inside: Inside) -> None:
                await scenario(inside, sink, service)

            await asyncio.to_thread(founded, tmp_path, inner, origins=("https://post.example",), **settings)

    asyncio.run(main())


def waiting_rows(connection: Any) -> list[Any]:
    return list(connection.execute(waiting.select()))


def test_waiting_needs_a_way_to_be_told_and_can_be_taken_back(tmp_path: Path) -> None:
    async def scenario(inside: Inside) -> None:
        path, here = "/api/v1/availability/waiting", {**MAC, **from_("FR")}
        form = {"mail": "zoe@mail.example"}
        assert_problem(await inside.client.post(path, json=form, headers=here), 403, "mail-unavailable")
        ann = await entered(inside, "ann", {**MAC, **from_("US")})
        at_home = await inside.client.post(path, json={}, headers={**ann, **MAC})
        assert (at_home.json()["allowed"], at_home.json()["waiting"]) == (True, False)
        on_windows = {**ann, **WINDOWS}
        assert (await inside.client.post(path, json={}, headers=on_windows)).json()["waiting"] is True
        assert (await inside.client.delete(path, headers=on_windows)).status_code == 204
        assert (await told(inside, on_windows))["waiting"] is False

    founded(tmp_path, scenario)


def test_a_database_of_networks_tells_the_country_when_nobody_else_does(tmp_path: Path) -> None:
    writer = mmdb_writer.MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="GeoLite2-Country")
    writer.insert_network(netaddr.IPSet(["81.2.69.0/24"]), {"country": {"iso_code": "GB"}})
    writer.insert_network(netaddr.IPSet(["2.125.160.0/24"]), {"registered_country": {"iso_code": "FR"}})
    path = tmp_path / "countries.mmdb"
    writer.to_db_file(str(path))

    async def scenario(inside: Inside) -> None:
        async def seen(address: str, **more: str) -> tuple[Any, Any]:
            found = await told(inside, {**MAC, "x-forwarded-for": address, **more})
            return found["country"], found["country_from"]

        assert await seen("81.2.69.7") == ("GB", "database")
        assert await seen("2.125.160.9") == ("FR", "database")
        assert await seen("9.9.9.9") == (None, None)
        assert await seen("2001:db8::1") == (None, None)
        assert await seen("81.2.69.7", **from_("US")) == ("US", "proxy")

    founded(tmp_path, scenario, country_database=str(path))


AGENTS = {
    "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) iPhone": "windows-phone",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9)": "android",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)": "ios",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "linux",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0)": "other",
    "restante/0.1.0 (linux)": "linux",
    "restante/0.1.0 (darwin)": "macos",
    "curl/8": "other",
}


@pytest.fixture(scope="module")
def platforms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    found: dict[str, str] = {}

    async def scenario(inside: Inside) -> None:
        for agent in AGENTS:
            found[agent] = (await told(inside, {"user-agent": agent}))["platform"]
        hint = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64)", "sec-ch-ua-platform": '"Android"'}
        found["hint"] = (await told(inside, hint))["platform"]

    run(tmp_path_factory.mktemp(os.urandom(3).hex()), scenario)
    return found


def test_the_platform_is_what_browsers_say(platforms: dict[str, str]) -> None:
    assert platforms == {**AGENTS, "hint": "android"}
