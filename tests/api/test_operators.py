"""Who runs the server: whoever shows a link that its terminal printed, once, within half an hour, and nobody else."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from restante.protocol.encoding import b64
from restante.server.operators import service
from tests.api.household import Household, TurnedClock
from tests.api.inside import Inside, run
from tests.api.people import assert_problem, make_account
from tests.databases import environment_of, rows_of
from tests.nursery import nursery
from tests.serving import serving

OPERATOR = "/api/v1/operator"
NOBODY = {"since": None, "phones": ""}


async def new_link(inside: Inside) -> str:
    now_ms = inside.clock.now_ms()
    return await inside.house.database.write(lambda connection: service.make_link(connection, now_ms=now_ms))


async def claim(inside: Inside, who: dict[str, str], link: str) -> Any:
    return await inside.client.post(OPERATOR, json={"link": link}, headers=who)


async def told(inside: Inside, who: dict[str, str]) -> Any:
    answer = await inside.client.get(OPERATOR, headers=who)
    assert answer.status_code == 200
    return answer.json()


def test_a_link_makes_one_operator_once(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        ann, bob = await inside.sign_up("ann"), await inside.sign_up("bob")
        assert await told(inside, ann) == NOBODY
        link = await new_link(inside)
        assert_problem(await claim(inside, {}, link), 401, "not-signed-in")
        assert (await claim(inside, ann, link)).status_code == 204
        assert abs((await told(inside, ann))["since"] - inside.clock.now_ms()) < 60_000
        assert_problem(await claim(inside, bob, link), 410, "operator-link-gone")
        assert await told(inside, bob) == NOBODY
        assert (await claim(inside, ann, link)).status_code == 204, "an answer may have been lost"

    run(tmp_path, story)


def test_a_link_ends_after_half_an_hour(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        ann = await inside.sign_up("ann")
        early, late = await new_link(inside), await new_link(inside)
        inside.clock.ahead_s += 29 * 60
        assert (await claim(inside, ann, early)).status_code == 204
        bob = await inside.sign_up("bob")
        inside.clock.ahead_s += 61
        assert_problem(await claim(inside, bob, late), 410, "operator-link-gone")

    run(tmp_path, story)


@pytest.mark.parametrize(
    "link", ["", b64(b"x" * 32), b64(b"x"), "AB"], ids=["none", "made up", "short", "bad"]
)
def test_what_was_not_printed_makes_nobody_an_operator(tmp_path: Path, link: str) -> None:
    async def story(inside: Inside) -> None:
        ann = await inside.sign_up("ann")
        assert_problem(await claim(inside, ann, link), 410, "operator-link-gone")
        assert await told(inside, ann) == NOBODY

    run(tmp_path, story)


def test_a_link_is_stored_as_its_hash_and_swept(tmp_path: Path) -> None:
    clock = TurnedClock()
    home = Household(tmp_path, clock)
    write = home.house.database.write
    link = home.run(write(lambda connection: service.make_link(connection, now_ms=clock.now_ms())))
    (hashed,) = [row.token_sha256 for row in home.rows("operator_links")]
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()) + rows_of(tmp_path)
    assert (len(hashed), hashed in kept, link.encode() in kept) == (32, True, False)
    clock.pass_ms(service.LINK_MS)
    assert home.sweep()["operator_links"] == 1
    assert home.rows("operator_links") == []
    home.close()


def test_an_empty_server_prints_a_link_and_an_inhabited_one_does_not(tmp_path: Path) -> None:
    """From the terminal to the right, over the real server; then at the command line."""
    with serving(tmp_path / "data") as server:
        links = re.findall(r"^  http://localhost:(\d+)/operator/link#(\S+)$", server.log(), re.MULTILINE)
        assert len(links) == server.processes
        port, link = links[0]
        assert int(port) == server.port or server.processes > 1
        ann = make_account(server.url)
        assert ann.client.post(OPERATOR, json={"link": link}).status_code == 204
        name = ann.acct.partition("@")[0]
        server.stop()
        before = server.log().count("/operator/link#")
        server.start()
        assert server.log().count("/operator/link#") == before
        assert [each["name"] for each in json.loads(office(server.data, "operators", "--json").stdout)] == [
            name
        ]
        address = office(server.data, "link").stdout.strip()
        bob = make_account(server.url)
        assert bob.client.post(OPERATOR, json={"link": address.partition("#")[2]}).status_code == 204
        assert office(server.data, "operators", "--dismiss", name).returncode == 0
        assert ann.client.get(OPERATOR).json() == NOBODY
        refused = office(server.data, "operators", "--dismiss", name)
        assert (refused.returncode, refused.stderr.splitlines()[0]) == (2, f"error: {name} is no operator")


def test_a_death_amid_a_claim_leaves_one_operator(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        link = office(server.data, "link").stdout.strip().partition("#")[2]
        ann = make_account(server.url)
        server.kill()
        server.start(RESTANTE_FAILPOINT="operator-made:1")
        with pytest.raises(httpx.TransportError):
            ann.client.post(OPERATOR, json={"link": link})
        server.kill()
        server.start()
        assert ann.client.get(OPERATOR).json()["since"] is not None
        assert ann.client.post(OPERATOR, json={"link": link}).status_code == 204
        assert len(json.loads(office(server.data, "operators", "--json").stdout)) == 1


def office(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs `restante operator …` beside the server, with what it needs imported already."""
    told = {**os.environ, **environment_of(data)}
    return nursery().run(["operator", *words, "--data", str(data)], env=told)


def test_whoever_deletes_the_account_is_no_operator_any_more(tmp_path: Path) -> None:
    home = Household(tmp_path, TurnedClock())
    ann = home.account("ann")
    write = home.house.database.write
    link = home.run(write(lambda connection: service.make_link(connection, now_ms=home.clock.now_ms())))
    home.run(home.house.operators.claim(ann, link))
    assert home.run(write(service.listed)) == [("ann", home.clock.now_ms())]
    home.run(write(lambda connection: connection.execute(text("DELETE FROM accounts"))))
    assert home.run(write(service.listed)) == []
    home.close()
